"""Whatever ends an installation, the store holds whole bundles, and the next one cleans up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from medseg.errors import user_error
from medseg.sharing.publishing.share import write_index
from medseg.sharing.sources.source import parse_source
from medseg.sharing.store.install import install
from medseg.sharing.store.store import installed_bundles, store_folder
from tests.sharing.plain_bundles import packed_bundle
from tests.sharing.web_server import Server, served

UNIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="fork and limits are Unix's")

# Children that are killed at their first, second, ... operation on files, until one is done. Each
# finds what the one before has left.
KILLED = """
import os, signal, sys
from medseg.bundles.judgement.tree import FolderTree
from medseg.sharing.store.contents import read_contents
from medseg.sharing.store.install import install
from medseg.sharing.sources.source import parse_source
from medseg.sharing.store.store import find_installed, installed_bundles, remove_installed

KINDS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "fcntl.lockf"}
work, source = sys.argv[1:]

def child(last):
    seen = 0
    def at_event(kind, arguments):
        nonlocal seen
        if kind not in KINDS:
            return
        seen += 1
        if seen == last:
            os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(at_event)
    if work == "install":
        install(parse_source(source))
    else:
        remove_installed([find_installed("ball")])
    os._exit(0)

# What is read once, such as the rules, is read before all children.
install(parse_source(source))
remove_installed(installed_bundles())
killed = 0
while True:
    if work == "remove" and not installed_bundles():
        install(parse_source(source))
    pid = os.fork()
    if pid == 0:
        child(killed + 1)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    for one in installed_bundles():
        read_contents(FolderTree(one.folder), name="ball", where="the store")
    if status == 0:
        break
    assert status == -signal.SIGKILL, status
    killed += 1
print(killed)
"""


@pytest.fixture(autouse=True)
def _own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEG_HOME", str(tmp_path / "home"))


def remains():
    """What lies in the store beside bundles."""
    hidden = (path for path in store_folder().glob(".*/*"))
    return [path for path in hidden if path.suffix != ".lock"]


def killed_at_each_step(work, source) -> int:
    words = [sys.executable, "-c", KILLED, work, str(source)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout)


@UNIX
@pytest.mark.slow
def test_killed_at_any_step_an_installation_leaves_whole_bundles_or_none(tmp_path):
    packed = packed_bundle(tmp_path)
    assert killed_at_each_step("install", packed) > 30
    assert [one.name for one in installed_bundles()] == ["ball@1.0.0"]
    install(parse_source(str(packed)))
    assert remains() == []


@UNIX
@pytest.mark.slow
def test_killed_at_any_step_an_installation_from_the_web_is_continued(tmp_path):
    packed_bundle(tmp_path / "share")
    write_index(tmp_path / "share")
    files = {f"/{path.name}": path.read_bytes() for path in (tmp_path / "share").iterdir()}
    with served(Server(files=files)) as server:
        assert killed_at_each_step("install", f"share:{server.url}#ball") > 40
    assert [one.name for one in installed_bundles()] == ["ball@1.0.0"]


def test_what_was_fetched_a_week_ago_and_not_installed_is_removed(tmp_path):
    install(parse_source(str(packed_bundle(tmp_path))))
    for name in ("old.zip", "new.zip"):
        (store_folder() / ".downloads" / name).write_bytes(b"part")
    os.utime(store_folder() / ".downloads" / "old.zip", (0, 0))
    install(parse_source(str(packed_bundle(tmp_path))))
    assert [path.name for path in remains()] == ["new.zip"]


@UNIX
@pytest.mark.slow
def test_killed_at_any_step_a_removal_leaves_whole_bundles_or_none(tmp_path):
    packed = packed_bundle(tmp_path)
    assert killed_at_each_step("remove", packed) > 5
    assert installed_bundles() == []
    install(parse_source(str(packed)))
    assert remains() == []


@UNIX
@pytest.mark.parametrize("limit", [100, 1_000, 60_000])
def test_a_full_disk_leaves_nothing_and_is_one_line(tmp_path, limit):
    import resource

    packed = packed_bundle(tmp_path, notes=os.urandom(60_000).hex())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(OSError, match="File too large") as error:
            install(parse_source(str(packed)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "\n" not in str(user_error(error.value))
    assert installed_bundles() == []
    assert remains() == []
    assert install(parse_source(str(packed))).done == "installed"


def test_several_installations_at_once_end_with_one_bundle(tmp_path):
    packed_bundle(tmp_path / "share")
    write_index(tmp_path / "share")
    files = {f"/{path.name}": path.read_bytes() for path in (tmp_path / "share").iterdir()}
    code = "from medseg.cli.main import main; main()"
    with served(Server(files=files)) as server:
        words = ["bundle", "install", "ball", "--from", server.url]
        started = [
            subprocess.Popen(
                [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            for _ in range(3)
        ]
        told = [one.communicate() for one in started]
    assert [one.returncode for one in started] == [0, 0, 0], told
    assert sorted(out.split()[0] for out, _ in told) == [b"already", b"already", b"installed:"]
    assert [one.name for one in installed_bundles()] == ["ball@1.0.0"]
    assert remains() == []


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="/sys, read-only to all, is Linux's")
def test_a_store_that_cannot_be_written_to_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEG_HOME", "/sys/kernel/medseg")
    with pytest.raises(OSError, match="/sys/kernel/medseg") as error:
        install(parse_source(str(packed_bundle(tmp_path))))
    assert "\n" not in str(user_error(error.value))
    assert installed_bundles() == []
