"""Limits of what is read."""

import os

import pytest

from medseg.data.limits import max_voxels, require_regular_file, require_voxels
from medseg.data.problems import InputError
from medseg.errors import UsageError


def test_an_image_at_the_limit_passes_and_one_voxel_more_is_refused(monkeypatch):
    monkeypatch.setenv("MEDSEG_MAX_VOXELS", "24")
    require_voxels("a.nii", (2, 3, 4))
    with pytest.raises(InputError, match=r"a.nii: its header states 5 x 5 x 1 voxels, more than"):
        require_voxels("a.nii", (5, 5, 1))


def test_the_error_says_what_to_set(monkeypatch):
    monkeypatch.setenv("MEDSEG_MAX_VOXELS", "24")
    with pytest.raises(InputError, match=r"set MEDSEG_MAX_VOXELS=25$"):
        require_voxels("a.nii", (5, 5))


@pytest.mark.parametrize("text", ["0", "-3", "many", "1e9", "9" * 30])
def test_a_wrong_limit_is_one_line(monkeypatch, text):
    monkeypatch.setenv("MEDSEG_MAX_VOXELS", text)
    with pytest.raises(UsageError, match="MEDSEG_MAX_VOXELS must be a whole number"):
        max_voxels()


def test_a_pipe_is_refused_without_being_opened(tmp_path):
    os.mkfifo(tmp_path / "scan.nii.gz")
    with pytest.raises(InputError, match="a pipe, device or socket, not a file"):
        require_regular_file(tmp_path / "scan.nii.gz")


def test_a_link_to_nowhere_is_said_to_be_one(tmp_path):
    (tmp_path / "scan.nii.gz").symlink_to(tmp_path / "not_fetched")
    with pytest.raises(InputError, match="a link to a file that is not there"):
        require_regular_file(tmp_path / "scan.nii.gz")
