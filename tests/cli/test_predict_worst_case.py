"""The worst case of a cohort costs no other: names, bugs, signals, standard streams, locks."""

import csv
import json
import os
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from medseg._locks import acquire
from medseg.prediction.ledger import Entry, Ledger
from medseg.prediction.steps import CaseSteps
from tests.cli.test_predict_cohort import EXACT

CALL = [sys.executable, "-c", "from medseg.cli.main import main; main()"]
# Names that a disk holds, and what their outputs are called.
NAMES = {
    b"M\xfcller": "M%FCller",
    b"two\nlines\x1b[31m": "two_lines_[31m",
    b"=cmd": "=cmd",
    b"[red]": "[red]",
    b"nul": "nul_",
    b"x" * 248: f"{'x' * 221}~c7f9b244",
}


@pytest.fixture(scope="module")
def odd(phantoms, tmp_path_factory):
    """A folder of images with odd names, and one that is none."""
    folder = tmp_path_factory.mktemp("odd") / "images"
    folder.mkdir()
    image = sorted((phantoms / "images").iterdir())[0]
    for name in NAMES:
        os.link(image, os.fsencode(folder) + b"/" + name + b".nii.gz")
    Path(os.fsdecode(os.fsencode(folder) + b"/bad\xff\n.nii.gz")).write_bytes(b"no image")
    return folder


def files_in(told):
    return [line.partition(":")[0] for line in told.splitlines()]


def test_odd_names_are_predicted_told_in_one_line_each_and_never_raw(
    odd, trained, tmp_path, command, capfd
):
    out = tmp_path / "out"
    assert command("predict", trained, odd, "-o", out, "--dry-run", *EXACT) == 1
    planned = capfd.readouterr()
    assert not out.exists()
    assert command("predict", trained, odd, "-o", out, *EXACT) == 1
    told = capfd.readouterr()
    stems = {path.name.removesuffix("_seg.nii.gz") for path in out.glob("*_seg.nii.gz")}
    assert stems == set(NAMES.values())
    # The dry run names the same files and the same failure.
    files = [
        [line.partition(":")[0] for line in text.splitlines()] for text in (planned.out, told.out)
    ]
    assert files[0] == files[1]
    for text in (planned.err, told.err):
        assert r"bad\xff\n.nii.gz: cannot be read as NIfTI" in text
    for text in (planned.out, told.out, planned.err, told.err):
        assert all(line.isprintable() for line in text.splitlines())
    with (out / "volumes.csv").open(newline="", encoding="utf-8") as file:
        cells = {row["case"] for row in csv.DictReader(file)}
    assert cells == {stem.replace("=cmd", "'=cmd") for stem in stems}
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    status = {one["source"]: one["status"] for one in summary["cases"]}
    assert status.pop(r"bad\xff\n.nii.gz") == "failed"
    assert status[r"M\xfcller.nii.gz"] == "done"
    assert set(status.values()) == {"done"}
    assert command("predict", trained, odd, "-o", out, *EXACT) == 1
    assert capfd.readouterr().out.count("done already") == len(NAMES)


def test_scores_of_odd_names_are_paired_and_written(odd, trained, tmp_path, command, capfd):
    labels, out = tmp_path / "labels", tmp_path / "out"
    assert command("predict", trained, odd, "-o", out, *EXACT) == 1
    labels.mkdir()
    a_label = next(out.glob("nul__seg.nii.gz"))
    for name in NAMES:
        shutil.copy(a_label, os.fsencode(labels) + b"/" + name + b".nii.gz")
    assert command("evaluate", out, "--labels", labels, "-o", tmp_path / "scores") == 0
    told = capfd.readouterr().out
    assert "\x1b[31m" not in told
    with (tmp_path / "scores" / "scores.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len({row["case"] for row in rows}) == len(NAMES)
    assert {row["dsc"] for row in rows} == {"1.0"}


def test_names_that_differ_in_upper_and_lower_case_alone_are_refused(
    phantoms, trained, tmp_path, command, capfd
):
    image = sorted((phantoms / "images").iterdir())[0]
    both = [Path(shutil.copy(image, tmp_path / f"{name}.nii.gz")) for name in ("scan", "SCAN")]
    assert command("predict", trained, *both, "-o", tmp_path / "out") == 2
    assert "would both become" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("stage", "debug"), [("read", ()), ("predict", ("--debug",)), ("write", ())]
)
def test_a_bug_in_any_stage_is_that_cases_line_and_its_traceback_if_asked(
    stage, debug, phantoms, trained, tmp_path, command, capfd, monkeypatch
):
    images, whole = sorted((phantoms / "images").iterdir())[:3], getattr(CaseSteps, stage)

    def buggy(steps, made):
        if getattr(made, "case", made).name == "phantom_001":
            raise KeyError("of a bug")
        return whole(steps, made)

    monkeypatch.setattr(CaseSteps, stage, buggy)
    out = tmp_path / "out"
    assert command(*debug, "predict", trained, *images, "-o", out, *EXACT) == 1
    told = capfd.readouterr()
    assert told.err.count("phantom_001.nii.gz: unexpected KeyError; use medseg --debug") == 1
    assert ("Traceback" in told.err) == bool(debug)
    assert ("of a bug" in told.err) == bool(debug)
    cases = json.loads((out / "summary.json").read_text())["cases"]
    assert [one["status"] for one in cases] == ["done", "failed", "done"]
    assert (out / "volumes.csv").read_text().count("\n") == 3
    assert not list(out.glob(".*"))


def test_a_folder_at_the_name_of_an_output_is_that_cases_trouble(
    phantoms, trained, tmp_path, command, capfd
):
    images, out = sorted((phantoms / "images").iterdir())[:2], tmp_path / "out"
    (out / "phantom_000_seg.nii.gz").mkdir(parents=True)
    words = ("predict", trained, *images, "-o", out, "--overwrite", *EXACT)
    assert command(*words) == 1
    assert "phantom_000_seg.nii.gz: Is a directory" in capfd.readouterr().err
    cases = json.loads((out / "summary.json").read_text())["cases"]
    assert cases[1]["status"] == "done"


@pytest.fixture
def waiting(trained, phantoms, tmp_path):
    """A run in a process of its own that has done one case, and waits in the second."""
    script = """
import sys
from medseg.prediction.steps import CaseSteps
whole = CaseSteps.predict
def waiting(steps, ready):
    if ready.case.name == "phantom_001":
        print("waits", flush=True)
        sys.stdin.readline()
    return whole(steps, ready)
CaseSteps.predict = waiting
from medseg.cli.main import main
main()
"""
    images = sorted((phantoms / "images").iterdir())[:3]
    words = ["predict", trained, *images, "-o", tmp_path / "out", *EXACT]
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while "waits" not in process.stdout.readline():
        assert process.poll() is None
    yield process
    process.kill()
    process.communicate()


def test_sigterm_ends_a_run_with_what_is_done_kept_and_nothing_left(waiting, tmp_path):
    waiting.send_signal(signal.SIGTERM)
    _, err = waiting.communicate()
    assert waiting.returncode == 75
    assert err.splitlines()[-1] == "medseg: interrupted"
    assert "Traceback" not in err
    out = tmp_path / "out"
    assert Ledger(out).find("phantom_000").status == "done"
    assert (out / "volumes.csv").read_text().count("\n") == 2
    assert json.loads((out / "summary.json").read_text())["cases"][0]["status"] == "done"
    assert not list(out.glob(".*"))


def test_two_runs_over_the_same_cases_share_them(
    waiting, trained, phantoms, tmp_path, command, capfd
):
    images, out = sorted((phantoms / "images").iterdir())[:4], tmp_path / "out"
    assert command("predict", trained, *images, "-o", out, *EXACT) == 1
    told = capfd.readouterr()
    owner = f"is in use by process {waiting.pid} on "
    # The other run is at the second case, and reads the third ahead.
    assert f"phantom_001.nii.gz: {out}/phantom_001_* {owner}" in told.err
    assert "phantom_003_seg.nii.gz: lung" in told.out
    waiting.communicate("\n")
    assert waiting.returncode == 0
    assert command("predict", trained, *images, "-o", out, *EXACT) == 0
    assert capfd.readouterr().out.count("done already") == 4
    assert not list(out.glob(".*"))


def test_what_a_killed_run_had_claimed_is_done_by_the_next(
    waiting, trained, phantoms, tmp_path, command
):
    images, out = sorted((phantoms / "images").iterdir())[:3], tmp_path / "out"
    waiting.kill()
    waiting.wait()
    assert list(out.glob(".*.medseg-lock"))
    assert command("predict", trained, *images, "-o", out, *EXACT) == 0
    assert not list(out.glob(".*"))


@pytest.mark.parametrize("shell", [">&- 2>&-", "2>&1 | true; exit ${PIPESTATUS[0]}"])
def test_standard_streams_that_are_gone_lose_no_case(shell, trained, phantoms, tmp_path):
    images, out = sorted((phantoms / "images").iterdir())[:2], tmp_path / "Müller"
    words = shlex.join([*CALL, "predict", *map(str, [trained, *images, "-o", out, *EXACT])])
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "20"}
    done = subprocess.run(
        ["bash", "-c", f"{words} {shell}"], capture_output=True, env=environment, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    status = [one["status"] for one in json.loads((out / "summary.json").read_text())["cases"]]
    assert status == ["done", "done"]


def test_a_ledger_among_the_images_that_is_damaged_or_foreign_is_ignored(
    trained, phantoms, tmp_path, command, capfd, caplog
):
    folder = tmp_path / "images"
    shutil.copytree(phantoms / "images", folder)
    (folder / "ledger.sqlite").write_bytes(b"SQLite format 3\0, but no more of it")
    (folder / "below" / "ledger.sqlite").mkdir(parents=True)
    assert command("predict", trained, folder, "-o", tmp_path / "out", "--dry-run", *EXACT) == 0
    assert len(capfd.readouterr().out.splitlines()) == 4
    assert "lies among the images, and is ignored" in caplog.text


def test_a_run_waits_for_no_lock_of_its_own_and_a_folder_that_stays_empty_is_removed(
    trained, phantoms, tmp_path, command
):
    image = sorted((phantoms / "images").iterdir())[0]
    bad = tmp_path / "bad.nii.gz"
    bad.write_bytes(b"no image")
    assert command("predict", trained, bad, "-o", tmp_path / "out", *EXACT) == 3
    assert not (tmp_path / "out").exists()
    lock = acquire(tmp_path / "out" / ".phantom_000.medseg-lock", what="it")
    assert command("predict", trained, image, "-o", tmp_path / "out", *EXACT) == 0
    lock.release()


def test_a_row_of_a_later_version_is_read_and_a_damaged_one_told_in_a_line(
    trained, phantoms, tmp_path, command, capfd
):
    image, out = sorted((phantoms / "images").iterdir())[0], tmp_path / "out"
    Ledger(out).enter(Entry(name="a", key="k", status="failed", settings="s", source="a"))

    for content, code in (
        ("{}", 3),
        ("no json", 3),
        ('{"settings": "s", "source": "a", "new": 1}', 0),
    ):
        with sqlite3.connect(out / "ledger.sqlite") as database:
            database.execute("update cases set content = ? where name = 'a'", (content,))
        database.close()
        assert command("predict", trained, image, "-o", out, *EXACT) == code
        err = capfd.readouterr().err
        if code:
            assert "ledger.sqlite: the row of 'a' is damaged; move the file away" in err
            assert "Traceback" not in err
