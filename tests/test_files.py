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
from medseg.errors import MachineError

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


@pytest.mark.parametrize("name", ["x" * 248 + ".nii.gz", "ü" * 124 + ".nii.gz", "a" * 255])
def test_a_name_may_be_as_long_as_the_disk_allows(tmp_path, name):
    seen = []
    write_atomically(tmp_path / name, lambda path: (seen.append(path), path.write_text("whole")))
    assert (tmp_path / name).read_text() == "whole"
    assert seen[0].name.endswith(name[-7:])
    seen[0].name.encode()


def test_remains_of_a_long_name_and_of_earlier_versions_are_removed(tmp_path):
    long = "x" * 248 + ".nii.gz"
    left = []

    def die(path):
        left.append(path.name)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / long, die)
    other = "y" + long[1:]
    (tmp_path / left[0]).touch()
    (tmp_path / ".1234.a.txt").touch()
    remove_remains(tmp_path / other, tmp_path / "b.txt")
    assert len(list(tmp_path.iterdir())) == 2
    remove_remains(tmp_path / long, tmp_path / "a.txt")
    assert not list(tmp_path.iterdir())


def test_a_link_laid_in_the_way_is_not_followed(tmp_path, monkeypatch):
    precious = tmp_path / "precious.txt"
    precious.write_text("precious")
    (tmp_path / f".{os.getpid()}.a.txt").symlink_to(precious)
    write_atomically(tmp_path / "a.txt", lambda path: path.write_text("new"))
    # Nor is one that has the very name by chance.
    monkeypatch.setattr("medseg._files.secrets.token_hex", lambda _: "0" * 16)
    (tmp_path / f".tmp-{'0' * 16}.b.txt").symlink_to(precious)
    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "b.txt", lambda path: path.write_text("new"))
    assert precious.read_text() == "precious"
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_the_umask_decides_who_may_read(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a.txt", lambda path: path.write_text("new"))
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_the_folder_of_caches_is_the_users_unless_the_environment_names_another(monkeypatch):
    for name in ("MEDSEG_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert cache_dir() == Path.home() / ".cache" / "medseg"
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache_dir() == Path("/caches/medseg")
    monkeypatch.setenv("MEDSEG_CACHE", "/large/disk")
    assert cache_dir() == Path("/large/disk")


@pytest.mark.skipif(os.name == "nt", reason="Windows has other homes")
def test_a_user_without_a_home_has_a_cache_that_nobody_else_writes_to(tmp_path, monkeypatch):
    for name in ("MEDSEG_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = cache_dir()
    assert folder == tmp_path / f"medseg-{os.getuid()}"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert cache_dir() == folder
    folder.chmod(0o777)
    with pytest.raises(MachineError, match="set MEDSEG_CACHE"):
        cache_dir()
    folder.rmdir()
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MachineError, match="set MEDSEG_CACHE"):
        cache_dir()


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
        f".tmp-0123456789abcdef{name}",
        f".tmp-0123456789abcde.{name}",
        f".tmp-0123456789abcdeg.{name}",
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
