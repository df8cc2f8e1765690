"""The GPU check in its short form: every row is measured, and whatever ends a section is told."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks._gpu_measure import busy_ms, covered
from benchmarks._gpu_peer import dice_ce
from benchmarks._gpu_rows import SECTIONS, SHORT, Record, emitter, read_records
from benchmarks._gpu_section import run_section
from benchmarks._gpu_table import table
from benchmarks._gpu_tests import Count
from benchmarks.gpu import run_apart
from medseg.losses import TverskyCELoss

ROOT = Path(__file__).parents[2]
ROWS = {section.name: section.rows(SHORT) for section in SECTIONS}


def pins(path):
    lines = path.read_text().splitlines()
    return {line.lower() for line in lines if "==" in line and not line.startswith("#")}


def test_every_wheel_is_the_version_that_medseg_is_tested_with():
    assert pins(ROOT / "benchmarks" / "gpu_wheels.txt") <= pins(ROOT / "constraints.txt")


@pytest.mark.parametrize("name", ["training", "warp", "prediction"])
def test_every_row_of_a_section_has_both_times_or_says_why_not(name):
    records = []
    assert run_section(name, SHORT, records.append) == 0
    found = {(record.row, record.tool): record for record in records}
    for row in ROWS[name]:
        own = found[row, "medseg"]
        if own.note.startswith("skipped: a CPU"):
            assert not torch.cuda.is_available()
        else:
            assert own.ms > 0
            assert found[row, "peer"].ms > 0


def test_a_section_in_a_process_of_its_own_fills_its_rows_of_the_table(tmp_path):
    out = tmp_path / "gpu.md"
    command = [ROOT / "benchmarks" / "gpu.sh", "--size", "short", "--out", out]
    settings = {"PYTHON": sys.executable, "PATH": "/usr/bin:/bin", "OUT": str(tmp_path)}
    subprocess.run([*command, "--sections", "warp"], check=True, env=settings, capture_output=True)
    cells = [line.split(" | ") for line in out.read_text().splitlines() if line.startswith("| ")]
    lines = {cell[0].removeprefix("| "): cell for cell in cells[1:]}
    assert list(lines) == [row for rows in ROWS.values() for row in rows]
    for name, rows in ROWS.items():
        for row in rows:
            assert (float(lines[row][3]) > 0) if name == "warp" else "left out" in lines[row][-1]


def test_a_section_that_hangs_is_stopped_and_one_that_breaks_tells_its_last_line(tmp_path):
    log = tmp_path / "log"
    assert run_apart([sys.executable, "-c", "raise ValueError('| no')"], log, 60) == (
        "ended with 1: ValueError: / no"
    )
    assert run_apart(["tail", "-f", "/dev/null"], log, 1) == "stopped after 1 s"
    assert run_apart(["true"], log, 0.5) == "not begun: no time was left"
    assert run_apart(["true"], log, 60) == "ended"


def test_what_was_measured_before_a_section_was_stopped_is_in_the_table(tmp_path):
    path, row = tmp_path / "records", ROWS["warp"][0]
    emit = emitter(path)
    emit(Record(row=row, ms=3))
    emit(Record(row=row, ms=2, gb=1.5, busy=0.25))
    emit(Record(row=row, tool="peer", ms=5))
    path.write_text(path.read_text() + '{"row": "cut sho')
    with path.open() as lines:
        text = table({"GPU": "none"}, SHORT, read_records(lines), {"warp": "stopped after 9 s"})
    assert f"| {row} | 2.0 | 5.0 | 2.50 | 1.50 |  | 25% |  | section stopped after 9 s |" in text
    assert f"| {ROWS['prediction'][0]} |  |  |  |  |  |  |  | section not begun |" in text


def test_time_that_spans_share_counts_once():
    assert covered([(4, 5), (0, 2), (1, 3), (1.5, 1.7)]) == 4
    assert covered([]) == 0


def test_a_device_is_busy_while_it_multiplies():
    matrix = torch.rand(64, 64)
    assert busy_ms(lambda: matrix @ matrix) > 0


def test_the_peers_loss_is_medsegs_at_even_weights():
    logits, label = torch.randn(2, 3, 4, 4, 4), torch.randint(0, 3, (2, 1, 4, 4, 4))
    own = TverskyCELoss(0.5, 0.5, classes="foreground")(logits, label)
    # One minus the Dice coefficient there, minus it here.
    torch.testing.assert_close(dice_ce(logits, label) + 1, own)


def test_tests_are_counted_and_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "test_one.py").write_text(
        "import pytest\n\n\ndef test_good(): pass\n\n\ndef test_bad(): assert 1 == 2\n\n\n"
        "@pytest.fixture\ndef gone(): pytest.skip('no GPU')\n\n\ndef test_left(gone): pass\n"
    )
    (tmp_path / "test_two.py").write_text("import surely_not_there\n")
    records = []
    words = ["-p", "no:cacheprovider", "--continue-on-collection-errors", "-c", "/dev/null"]
    pytest.main(
        [*words, "--rootdir", str(tmp_path), str(tmp_path)], plugins=[Count(records.append)]
    )
    assert records[-1].note == (
        "1 passed, 1 failed, 1 skipped (no GPU); CANNOT RUN HERE: test_two.py "
        "(ModuleNotFoundError: No module named 'surely_not_there'); FAILED: test_bad"
    )
