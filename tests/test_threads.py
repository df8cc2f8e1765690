"""OpenMP's way to wait, as `medseg` sets it before torch is imported."""

import os
import subprocess
import sys

import pytest

CODE = """
import atexit, os, sys
found = lambda: (os.environ["OMP_WAIT_POLICY"], "torch" in sys.modules)
atexit.register(lambda: print(*found(), file=sys.stderr))
sys.argv = ["medseg", "--version"]
from medseg.cli.main import main
main()
"""


@pytest.mark.parametrize(("said", "holds"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_waiting_threads_sleep_unless_the_user_says_otherwise(said, holds):
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    environment |= {} if said is None else {"OMP_WAIT_POLICY": said}
    ended = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stderr.split() == [holds, "False"]
