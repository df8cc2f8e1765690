"""A job for tests: writes its result once a gate is open.

    python -m tests.executor.work RESULT GATE

Beside the result, `NAME.begun` has a line for each time that it was begun.
"""

import hashlib
import os
import sys
import time
from pathlib import Path

from medseg._files import write_atomically


def main() -> None:
    """Write a digest of the result's name."""
    result, gate = Path(sys.argv[1]), Path(sys.argv[2])
    with result.with_name(f"{result.name}.begun").open("a") as file:
        file.write(f"{os.getpid()}\n")
    sys.stdout.write(f"{os.environ['OMP_NUM_THREADS']} threads\n")
    while not gate.exists():
        time.sleep(0.02)
    text = hashlib.sha256(result.name.encode()).hexdigest()
    write_atomically(result, lambda path: path.write_text(text))


if __name__ == "__main__":
    main()
