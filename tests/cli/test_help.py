"""Help and version come at once: they import nothing that computes or reads images."""

import subprocess
import sys

import pytest
import typer

from medseg.cli.main import app

HEAVY = {
    "PIL",
    "SimpleITK",
    "highdicom",
    "ignite",
    "matplotlib",
    "monai",
    "nibabel",
    "openvino",
    "pydicom",
    "scipy",
    "skimage",
    "torch",
}


def commands(command, words=()):
    """The words of every command and of every group of commands."""
    yield words
    for name, part in getattr(command, "commands", {}).items():
        yield from commands(part, (*words, name))


ALL = [" ".join(words) for words in commands(typer.main.get_command(app))]


def test_every_command_is_among_them():
    assert {"", "train", "predict", "evaluate", "data check", "bundle export"} <= set(ALL)
    assert len(ALL) > 12


@pytest.mark.parametrize("words", [*(f"{words} --help" for words in ALL), "--version"])
def test_it_imports_nothing_heavy(words):
    code = f"""
import atexit, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
sys.argv = ["medseg", *{words.split()!r}]
from medseg.cli.main import main
main()
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "medseg" in ended.stdout
    assert not HEAVY & set(ended.stderr.split())
