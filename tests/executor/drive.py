"""A driver for tests: runs jobs of `work.py`, and prints each as it ends.

python -m tests.executor.drive local|ray FOLDER NAME,NAME [ADDRESS]
"""

import logging
import signal
import sys
from pathlib import Path

from medseg.executor.run import run_jobs
from tests.executor.conftest import gated_job


def main() -> None:
    """Run the jobs."""
    # Of a shell's job in the background, Ctrl-C is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    on, folder, names, *address = sys.argv[1:]
    logging.basicConfig(format="%(message)s")
    jobs = [gated_job(Path(folder), name) for name in names.split(",")]
    ends = run_jobs(
        jobs,
        folder=Path(folder),
        on="ray" if on == "ray" else "local",
        address=address[0] if address else None,
    )
    for end in ends:
        sys.stdout.write(f"{end.job.name} {end.code} {end.reason}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
