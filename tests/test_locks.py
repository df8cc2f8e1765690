"""Locks between processes: one owner, who is named, and none that outlives its process."""

import os
import platform
import subprocess
import sys

import pytest

from medseg._locks import HeldError, acquire, locked, remove_unheld

HOLD = """
import sys
from medseg._locks import acquire
acquire(sys.argv[1], what="it")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def hold():
    """Starts processes that hold a lock until they are ended."""
    processes = []

    def start(path):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_a_lock_of_another_process_is_refused_with_its_owner_and_free_at_its_end(tmp_path, hold):
    path = tmp_path / "new" / ".lock"
    process = hold(path)
    with pytest.raises(HeldError) as refused, locked(path, what="out"):
        pass
    owner = f"process {process.pid} on {platform.node()} since 2"
    assert str(refused.value).startswith(f"out is in use by {owner}")
    assert "remove" not in str(refused.value)
    process.communicate()
    assert not path.exists()
    with locked(path, what="out"):
        assert path.read_text().startswith(f"process {os.getpid()} on ")
    assert not path.exists()


def test_the_lock_of_a_killed_process_is_taken_over_and_its_file_removed(tmp_path, hold):
    killed, alive = hold(tmp_path / ".a.lock"), hold(tmp_path / ".b.lock")
    killed.kill()
    killed.wait()
    assert (tmp_path / ".a.lock").exists()
    with locked(tmp_path / ".a.lock", what="it"):
        assert f"process {os.getpid()}" in (tmp_path / ".a.lock").read_text()
    (tmp_path / ".a.lock").write_text("left by a power cut")
    remove_unheld(tmp_path, ".*.lock")
    assert [path.name for path in tmp_path.iterdir()] == [".b.lock"]
    assert f"process {alive.pid}" in (tmp_path / ".b.lock").read_text()


def test_of_an_owner_on_another_machine_it_is_told_which_file_to_remove(tmp_path, hold):
    path = tmp_path / ".lock"
    hold(path)
    path.write_text("process 7 on a-cluster-node since yesterday")
    with pytest.raises(HeldError, match="process 7 on a-cluster-node") as refused:
        acquire(path, what="it")
    assert f"if that machine is gone for good, remove {path}" in str(refused.value)


def test_what_a_lock_file_says_is_shown_without_its_controls(tmp_path, hold):
    hold(tmp_path / ".lock")
    (tmp_path / ".lock").write_bytes(b"\x1b[31m\xff process\n2" + b"x" * 1000)
    with pytest.raises(HeldError) as refused:
        acquire(tmp_path / ".lock", what="it")
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 600


def test_a_process_may_ask_for_its_own_lock_again_and_cleans_no_lock_of_its_own(tmp_path):
    first = acquire(tmp_path / ".a.lock", what="it")
    assert acquire(tmp_path / ".a.lock", what="it") is first
    remove_unheld(tmp_path, ".*.lock")
    assert first.path.exists()
    first.release()
    first.release()
    assert list(tmp_path.iterdir()) == []


def test_a_link_laid_at_the_locks_name_is_not_followed(tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / ".lock").symlink_to(precious)
    with pytest.raises(OSError, match="symbolic"):
        acquire(tmp_path / ".lock", what="it")
    assert precious.read_text() == "precious"
