"""Standard streams: in processes of their own, since each has only one of them."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import sys
from medseg._streams import lasting_streams
with lasting_streams() as lost:
    for number in range(20000):
        sys.stdout.write(f"line {number}\\n")
    sys.stdout.flush()
    sys.stderr.write("end of the work\\n")
    made = open("made", "w")
    print(made.fileno() > 2, file=made)
if sys.stderr is not None:
    sys.stderr.write("".join(lost))
"""


def run(shell, folder, script=SCRIPT, **environment):
    return subprocess.run(
        ["bash", "-c", f'"$PYTHON" -c "$SCRIPT" {shell}'],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHON": sys.executable, "SCRIPT": script, **environment},
        check=False,
    )


@pytest.mark.parametrize("buffering", ["", "1"])
@pytest.mark.parametrize(
    ("shell", "told"),
    [
        ("| head -1; exit ${PIPESTATUS[0]}", ""),
        (">&-", ""),
        (">&- 2>&- <&-", None),
        ("> /dev/full", "standard output: No space left on device"),
    ],
)
def test_the_work_is_done_whatever_becomes_of_its_output(shell, told, buffering, tmp_path):
    done = run(shell, tmp_path, PYTHONUNBUFFERED=buffering)
    assert done.returncode == 0
    assert done.stderr == ("" if told is None else f"end of the work\n{told}"), done.stderr
    # A file that is opened while a stream is closed does not become the stream.
    assert (tmp_path / "made").read_text() == "True\n"


@pytest.mark.parametrize(
    ("encoding", "shown"), [("ascii", r"M\xfc\u75c5"), ("cp1252", "Mü" + r"\u75c5")]
)
def test_letters_that_an_encoding_lacks_are_escaped(encoding, shown, tmp_path):
    script = "from medseg._streams import lasting_streams\nwith lasting_streams(): print('Mü病')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        cwd=tmp_path,
        check=False,
    )
    assert (done.returncode, done.stdout.decode(encoding)) == (0, f"{shown}\n")


def test_streams_that_are_a_tests_own_are_left_alone(capsys):
    from medseg._streams import lasting_streams

    with lasting_streams():
        sys.stdout.write("kept")
    assert capsys.readouterr().out == "kept"
