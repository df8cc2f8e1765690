"""`medseg predict --on`: what several processes share comes out as if one had done it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from medseg.prediction.ledger import Ledger

# One engine and precision, so that all labels are equal however they come about.
EXACT = ("--engine", "torch", "--precision", "fp32")
LOCAL = ("--on", "local", "--parallel", "2", "--cpus", "1")


@pytest.fixture
def cohort(phantoms, tmp_path) -> Path:
    """Four images and one that cannot be read."""
    folder = tmp_path / "images with spaces"
    shutil.copytree(phantoms / "images", folder)
    (folder / "bad.nii.gz").write_bytes(b"no image")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """All files by name; the ledger's bytes hold times."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "ledger.sqlite"}


def test_two_processes_give_the_files_of_one(trained, cohort, tmp_path, command, capsys):
    words = (trained, cohort, *EXACT, "--maps", "entropy", "--json")
    assert command("predict", *words, "-o", tmp_path / "one") == 1
    one = json.loads(capsys.readouterr().out)
    assert command("predict", *words, "-o", tmp_path / "two", *LOCAL) == 1
    two = json.loads(capsys.readouterr().out)
    assert contents(tmp_path / "two") == contents(tmp_path / "one")
    assert len(contents(tmp_path / "two")) == 4 * 3 + 2
    assert [case["status"] for case in two["done"]] == ["done"] * 4
    assert json.dumps(two).replace("/two/", "/one/") == json.dumps(one)


def test_what_was_done_before_is_not_done_again(trained, cohort, tmp_path, command, capsys):
    out = tmp_path / "out"
    images = sorted(cohort.glob("phantom*"))
    assert command("predict", trained, images[0], "-o", out, *EXACT) == 0
    before = Ledger(out).find("phantom_000")
    capsys.readouterr()
    assert command("predict", trained, *images, "-o", out, *EXACT, *LOCAL) == 0
    told = capsys.readouterr().out
    assert told.count("done already") == 1
    assert told.count("lung") == 3
    assert Ledger(out).find("phantom_000") == before
    # And a third run starts no process at all.
    assert command("predict", trained, *images, "-o", out, *EXACT, *LOCAL) == 0
    assert capsys.readouterr().out.count("done already") == 4


def test_the_cases_of_a_killed_process_are_done_by_the_others(
    trained, phantoms, tmp_path, command, capsys, monkeypatch
):
    # A Python that ends the process that takes the first turn, as the system does without memory.
    sitecustomize = (
        "import os, sys\n"
        "if any(word.startswith('--turn=1/') for word in sys.orig_argv):\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    (tmp_path / "sitecustomize.py").write_text(sitecustomize)
    root = str(Path(__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{root}")
    out = tmp_path / "out"
    assert command("predict", trained, phantoms / "images", "-o", out, *EXACT, *LOCAL) == 0
    assert {entry.status for entry in Ledger(out).entries()} == {"done"}
    assert len(list(out.glob("*_seg.nii.gz"))) == 4


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (("--set", "nosuch=1", *LOCAL), 2, "medseg: nosuch: no such key in this config"),
        (("--gpus", "1", *LOCAL), 4, "process 1 of 2: needs 1 of a GPU, and this machine has 0"),
        (("--address", "host:1"), 2, "--address, --cpus and --gpus say how --on runs; add --on"),
        (("--address", "host:1", *LOCAL), 2, "--address is that of a Ray cluster; add --on ray"),
        (("--on", "slurm"), 4, "Slurm"),
    ],
)
def test_what_cannot_run_is_one_line_and_leaves_nothing(
    words, code, line, trained, phantoms, tmp_path, command, capsys, monkeypatch
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    out = tmp_path / "out"
    assert command("predict", trained, phantoms / "images", "-o", out, *words) == code
    (told,) = capsys.readouterr().err.splitlines()
    assert line in told
    assert not out.exists()


@pytest.mark.ray
@pytest.mark.slow
def test_a_ray_of_this_machine_gives_the_files_of_one_process(
    trained, cohort, tmp_path, command, capsys
):
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'medseg[cluster]'")
    assert command("predict", trained, cohort, *EXACT, "-o", tmp_path / "one") == 1
    words = (trained, cohort, *EXACT, "-o", tmp_path / "ray", "--on", "ray")
    code = run_in_a_process("predict", *words)
    assert code == 1
    assert contents(tmp_path / "ray") == contents(tmp_path / "one")


def run_in_a_process(*words: object) -> int:
    """Ray starts threads that a process does not lose again."""
    command = [sys.executable, "-m", "medseg", *map(str, words)]
    return subprocess.run(command, check=False, capture_output=True).returncode
