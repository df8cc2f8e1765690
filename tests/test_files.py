"""What writing atomically promises."""

import errno
import os

import pytest

from medseg._files import write_atomically


def test_the_file_appears_whole_with_its_folder(tmp_path):
    write_atomically(tmp_path / "new" / "a.txt", lambda path: path.write_text("whole"))
    assert (tmp_path / "new" / "a.txt").read_text() == "whole"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.txt"]


def test_a_writer_that_fails_halfway_leaves_what_was_there(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail(path):
        path.write_text("ha")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space left"):
        write_atomically(target, fail)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_what_the_disk_refuses_is_told_of_the_final_name(tmp_path):
    def fail(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with pytest.raises(OSError, match="No space left") as caught:
        write_atomically(tmp_path / "a.txt", fail)
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(tmp_path / "a.txt")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file") as caught:
        write_atomically(tmp_path / "file" / "a.txt", lambda path: path.touch())
    assert caught.value.filename == str(tmp_path / "file")


def test_the_temporary_name_keeps_the_suffixes_that_choose_a_format(tmp_path):
    seen = []
    write_atomically(tmp_path / "a.nii.gz", lambda path: (seen.append(path), path.touch()))
    assert seen[0].name.endswith(".nii.gz")
    assert seen[0].parent == tmp_path
