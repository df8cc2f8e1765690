"""How a data check looks, in a pipe and on a terminal."""

import re

import numpy as np
import pytest

from medseg.cli.check_table import print_report
from medseg.data.datasets.check import check_dataset
from medseg.data.manifest import Label
from tests.data.builders import a_case, a_label, a_manifest, write_dataset, write_nifti


@pytest.fixture
def printed(tmp_path, capsys, monkeypatch):
    """Checks a data set below `tmp_path` and gives what is printed, line by line."""
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def lines(manifest):
        print_report(check_dataset(manifest, tmp_path), manifest)
        return [line.rstrip() for line in capsys.readouterr().out.splitlines()]

    return lines


def test_in_a_pipe_a_case_is_one_line_however_long_and_without_colours(tmp_path, printed):
    names = ["a" * 90, "b" * 90]
    manifest = write_dataset(tmp_path, names)
    halves = np.where(np.arange(120) < 60, -1000, 50).reshape(6, 5, 4).astype(np.int16)
    write_nifti(tmp_path / f"images/{names[0]}.nii.gz", halves)
    lines = printed(manifest)
    (row,) = (line for line in lines if names[0] in line)
    # 2 lung voxels and 1 of infection of 0.01 ml each are 0.0 ml at one decimal.
    assert re.split(r"  +", row.strip()) == [
        names[0],
        "fold 0",
        "6x5x4",
        "2x2x2.5",
        "RAS",
        "int16",
        "-1000 to 50",
        "-1000 to 50",
        "lung 0.0, infection 0.0",
        "ok",
    ]
    assert not any("\x1b" in line for line in lines)
    assert lines[-1] == "toy: 2 cases, no errors, no warnings: ready for training"


@pytest.mark.parametrize("width", [80, 200])
def test_a_terminal_gets_the_columns_it_has_room_for(tmp_path, printed, monkeypatch, width):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    coloured = printed(write_dataset(tmp_path, ["case_one", "case_two"]))
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in coloured]
    assert lines != coloured
    assert max(map(len, lines)) <= width
    assert ("0.5 to 99.5 %" in "\n".join(lines)) == (width == 200)
    assert sum("case_" in line for line in lines) == 2


def test_equal_problems_are_told_once_with_their_cases_and_errors_come_first(tmp_path, printed):
    manifest = write_dataset(tmp_path, list("abcdefgh"))
    write_nifti(tmp_path / "labels/a.nii.gz", a_label() * 0)
    for name in "bcdefgh":
        (tmp_path / f"images/{name}.nii.gz").unlink()
    lines = printed(manifest)
    start = lines.index("error  image: not there")
    assert lines[start + 1] == "    do: check the path and its folder"
    assert lines[start + 2] == "    in: b, c, d, e, f and 2 more"
    assert lines[start + 3] == "warning  label: is all background"
    assert lines[start + 5] == "    in: a (labels/a.nii.gz)"
    advice = "fix the errors before training (--fix FOLDER mends some)"
    assert lines[-1] == f"toy: 8 cases, 7 errors, 1 warning: {advice}"


def test_a_case_that_cannot_be_read_has_dashes(tmp_path, printed):
    manifest = write_dataset(tmp_path)
    (tmp_path / "images/a.nii.gz").write_bytes(b"")
    (tmp_path / "labels/a.nii.gz").unlink()
    (row,) = (line for line in printed(manifest) if line.startswith("  a "))
    assert row.split() == ["a", "fold", "0", *"-------", "2", "errors"]


def test_many_labels_are_counted(tmp_path, printed):
    write_dataset(tmp_path)
    labels = tuple(Label(value=value, name=f"organ {value}") for value in range(7))
    manifest = a_manifest([a_case("a", 0), a_case("b", 1)], labels=labels)
    assert any("2 of 6 labels" in line for line in printed(manifest))


def test_an_image_without_a_finite_voxel_has_no_intensities(tmp_path, printed):
    manifest = write_dataset(tmp_path)
    write_nifti(tmp_path / "images/a.nii.gz", np.full((6, 5, 4), np.nan))
    assert any("nan to nan" in line for line in printed(manifest))
