"""What the command line does when all is well and when it is not.

Run as a process of its own, since exit codes and standard error are what a script sees.
"""

import os
import subprocess
import sys

import pytest

import medseg
from medseg.errors import ExitCode

CALL = "from medseg.cli.main import main; main()"
# Whichever of these is set, rich or typer writes colours into a pipe.
COLOURS = {"FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "TTY_COMPATIBLE"}


@pytest.fixture
def run(tmp_path):
    """Runs `medseg` in an empty folder and leaves it empty."""

    def process(*arguments, call=CALL):
        command = [sys.executable, "-c", call, *arguments]
        plain = {name: value for name, value in os.environ.items() if name not in COLOURS}
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env=plain, check=False
        )
        assert list(tmp_path.iterdir()) == []
        return done

    return process


def test_the_version_is_printed(run):
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"medseg {medseg.__version__}\n", "")


def test_without_a_command_the_help_lists_them(run):
    done = run()
    assert done.returncode == ExitCode.USAGE
    assert "data" in done.stdout + done.stderr


def test_an_unknown_command_is_a_usage_error(run):
    done = run("dance")
    assert done.returncode == ExitCode.USAGE
    assert "No such command 'dance'" in done.stderr
    assert done.stdout == ""


def test_what_the_user_can_mend_is_one_line_without_colours_or_traceback(run):
    done = run("data", "check", "[gone].json", "--dataset-dir", ".")
    assert done.returncode == ExitCode.DATA
    assert done.stdout == ""
    assert done.stderr == (
        "medseg: [gone].json: cannot read the manifest (No such file or directory)\n"
    )


def test_a_long_message_stays_one_line(run):
    done = run("data", "check", 100 * "long/" + "gone.json", "--dataset-dir", ".")
    assert len(done.stderr.splitlines()) == 1
    assert 100 * "long/" in done.stderr


def test_debug_shows_the_traceback_as_well(run):
    done = run("--debug", "data", "check", "gone.json", "--dataset-dir", ".")
    assert "Traceback" in done.stderr
    assert done.stderr.strip().endswith(
        "gone.json: cannot read the manifest (No such file or directory)"
    )


def test_a_bug_keeps_its_traceback(run):
    broken = "from medseg.cli import main as m\n@m.app.command()\ndef broken(): 1 / 0\nm.main()"
    done = run("broken", call=broken)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
