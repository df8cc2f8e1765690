"""Power cuts and full disks: nothing half-written, nothing done twice, nothing different."""

import json
import os
import resource
import shutil
import subprocess
import sys

import pytest

from tests.cli.test_predict_cohort import EXACT, contents

# Started once, since imports take longer than a whole prediction: each line on standard input
# is a command line, run in a fork that kills itself at its n-th touch of the output folder.
ZYGOTE = """
import json, os, signal, sys
import medseg.prediction.steps
from medseg.cli.main import main

def touch(event, arguments):
    global left
    first = str(arguments[0]) if arguments else ""
    if event in ("open", "os.rename", "os.remove", "sqlite3.connect", "os.mkdir") and out in first:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

for line in sys.stdin:
    words, out, left = json.loads(line)
    child = os.fork()
    if child == 0:
        if left:
            sys.addaudithook(touch)
        os.dup2(2, 1)
        sys.argv = ["medseg", *words]
        main()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def finished(folder):
    """What belongs to cases; the tables grow with them."""
    found = contents(folder) if folder.exists() else {}
    return {name: content for name, content in found.items() if name.startswith("phantom_")}


@pytest.fixture
def zygote():
    """Runs `medseg` until its n-th touch of a folder, 0 for to its end; the exit code."""
    process = subprocess.Popen(
        [sys.executable, "-c", ZYGOTE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def run(words, out, touches=0):
        process.stdin.write(json.dumps([[str(word) for word in words], str(out), touches]) + "\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    yield run
    process.communicate()


@pytest.mark.slow
def test_killed_at_any_moment_and_started_again_it_ends_with_the_same_bytes(
    trained, phantoms, tmp_path, zygote
):
    images = sorted((phantoms / "images").iterdir())[:2]
    words = ("predict", trained, *images, *EXACT, "-o")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert zygote((*words, whole), whole) == 0
    # Touches of the folder: about a dozen a case. Each start comes a little further.
    kills = 0
    for touches in (1, 3, 6, 9, 11, 12, 13, 14, 16, 19, 0):
        code = zygote((*words, cut), cut, touches)
        if code == 0:
            break
        assert code == -9
        kills += 1
        # What has its final name is whole already.
        finished = (
            {k: v for k, v in contents(cut).items() if k.startswith("phantom_")}
            if cut.exists()
            else {}
        )
        assert finished.items() <= contents(whole).items()
    assert kills >= 6
    assert contents(cut) == contents(whole)


@pytest.mark.slow
def test_two_shares_at_once_do_not_collide(trained, phantoms, tmp_path):
    words = ["predict", trained, phantoms / "images", *EXACT, "-o", tmp_path / "both"]
    call = [sys.executable, "-c", "from medseg.cli.main import main; main()", *map(str, words)]
    processes = [
        subprocess.Popen([*call, "--shard", f"{i}/2"], stderr=subprocess.PIPE) for i in (1, 2)
    ]
    told = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told
    summary = json.loads((tmp_path / "both" / "summary.json").read_text())
    assert [one["status"] for one in summary["cases"]] == ["done"] * 4
    assert (tmp_path / "both" / "volumes.csv").read_text().count("\n") == 5
    assert not list((tmp_path / "both").glob(".*"))


@pytest.fixture(params=["200k", "24k", "4k"])
def small_disk(request, tmp_path):
    """A folder on a disk of its own."""
    folder = tmp_path / "small"
    folder.mkdir()
    if sys.platform != "linux" or shutil.which("mount") is None:
        pytest.skip("a small disk takes Linux and mount")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={request.param}", "tmpfs", str(folder)]
    if (
        sys.platform != "linux"
        or os.geteuid()
        or subprocess.run(mount, capture_output=True).returncode
    ):
        pytest.skip("a small disk takes the right to mount one")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(
    small_disk, trained, phantoms, tmp_path, command, capfd
):
    images = sorted((phantoms / "images").iterdir())[:2]
    assert command("predict", trained, *images, "-o", tmp_path / "whole", *EXACT) == 0
    capfd.readouterr()
    assert command("predict", trained, *images, "-o", small_disk, *EXACT) == 4
    told = [line for line in capfd.readouterr().err.splitlines() if "medseg" in line]
    assert len(told) == 1
    assert "make room" in told[0]
    assert finished(small_disk).items() <= contents(tmp_path / "whole").items()
    assert not list(small_disk.glob(".*"))


def test_a_file_that_may_grow_no_further_is_one_line_too(
    trained, phantoms, tmp_path, command, capfd
):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, hard))
    try:
        code = command("predict", trained, phantoms / "images", "-o", tmp_path / "out", *EXACT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    told = [line for line in capfd.readouterr().err.splitlines() if "medseg" in line]
    assert (code, len(told)) == (4, 1)
    assert not list((tmp_path / "out").glob("*.png"))
    assert not list((tmp_path / "out").glob(".*"))
