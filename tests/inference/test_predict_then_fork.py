"""A process that has predicted trains with workers and starts processes: decision 0019."""

import os
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

ROUNDS = 6


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="forks a process with threads")
def test_a_process_that_has_predicted_starts_others_again_and_again():
    # In a process of its own: a crash is one failed test. Python marks what it frees, so that its
    # use afterwards does not go unseen.
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from tests.inference import predict_then_fork as p; p.run_rounds({ROUNDS})",
        ],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONMALLOC": "debug"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
