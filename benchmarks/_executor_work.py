"""A job of the benchmark of executors: steps of a small network, and when it was at them.

python -m benchmarks._executor_work RESULT STEPS
"""

import json
import sys
import time
from pathlib import Path

import torch

from medseg._files import write_atomically


def main() -> None:
    """Write the seconds at which the work began and ended, and those of the processor."""
    result, steps = Path(sys.argv[1]), int(sys.argv[2])
    begun, before = time.time(), time.process_time()
    torch.manual_seed(0)
    network = torch.nn.Conv3d(8, 8, 3, padding=1)
    images = torch.rand(2, 8, 32, 32, 32)
    for _ in range(steps):
        network(images).square().mean().backward()
    taken = {"begun": begun, "ended": time.time(), "processor": time.process_time() - before}
    write_atomically(result, lambda path: path.write_text(json.dumps(taken)))


if __name__ == "__main__":
    main()
