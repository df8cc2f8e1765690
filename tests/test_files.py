"""What writing atomically promises."""

import errno
import os
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medseg._files import cache_dir, remove_remains, write_atomically

# The moments at which a process may be killed: before each of its own steps on the disk.
STEPS = {"os.mkdir", "open", "os.rename", "os.remove"}
names = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cs"]),
    min_size=1,
    max_size=20,
).filter(lambda name: name not in (".", ".."))


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


def test_the_folder_of_caches_is_the_users_unless_the_environment_names_another(monkeypatch):
    for name in ("MEDSEG_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert cache_dir() == Path.home() / ".cache" / "medseg"
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache_dir() == Path("/caches/medseg")
    monkeypatch.setenv("MEDSEG_CACHE", "/large/disk")
    assert cache_dir() == Path("/large/disk")


def write_and_be_killed(path, step):
    """Write in a process that kills itself before its `step`-th step; the steps that it took."""
    process = os.fork()
    if process == 0:
        taken = 0

        def kill(event, arguments):
            nonlocal taken
            if event in STEPS:
                taken += 1
                if taken == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(kill)
        with suppress(BaseException):
            write_atomically(path, lambda temporary: temporary.write_text("new"))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@settings(max_examples=15)
@given(name=names, others=st.lists(names, max_size=3), before=st.sampled_from(["old", None]))
def test_a_kill_between_any_two_steps_leaves_only_what_remove_remains_removes(name, others, before):
    like_remains = {
        f".{name}",
        f".x.{name}",
        f".0.{name}",
        f".12.{name}x",
        f"12.{name}",
        f".12{name}",
    }
    killed, step = True, 0
    while killed:
        step += 1
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            for other in {*others, *like_remains} - {name}:
                (Path(folder) / other).write_text("another's")
            if before:
                path.write_text(before)
            there = {file.name for file in Path(folder).iterdir()}
            killed = write_and_be_killed(path, step)
            remove_remains(path)
            left = {file.name for file in Path(folder).iterdir()}
            assert left - {name} == there - {name}
            content = path.read_text() if path.exists() else None
            assert content in (("new", before) if killed else ("new",))
    assert step > 3


def test_nothing_is_removed_where_there_is_no_folder(tmp_path):
    remove_remains(tmp_path / "none" / "a.txt")
    assert list(tmp_path.iterdir()) == []
