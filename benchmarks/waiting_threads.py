"""How OpenMP's threads wait: a training step beside other programs, spinning and sleeping.

    python -m benchmarks.waiting_threads [--others 2] [--steps 8] [--rounds 3]

Prints a Markdown table for RESULTS.md: median seconds of a step of the hippocampus network with two
threads, in a process of its own for each policy, in turns, alone and beside processes that compute.
"""

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

POLICIES = {"spinning (OpenMP's default)": None, "sleeping (medseg's)": "PASSIVE"}
STEP = """
import statistics, sys, time
import torch
from medseg.networks import UNet
torch.set_num_threads(2)
network = UNet(3, 1, 3, depth=4, first_width=16).to(memory_format=torch.channels_last_3d)
batch = torch.randn(2, 1, 32, 48, 32).to(memory_format=torch.channels_last_3d)
seconds = []
for _ in range(int(sys.argv[1])):
    begun = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(batch)
    logits.float().square().mean().backward()
    seconds.append(time.perf_counter() - begun)
print(statistics.median(seconds))
"""
# Numpy of one thread: works all the time, as another training would.
OTHER = "import numpy\na = numpy.random.rand(400, 400)\nwhile True: a = numpy.tanh(a @ a)"


def main() -> None:
    """Measure both policies, alone and beside others, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--others", type=int, default=2)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print("| threads that wait | alone | beside others | ratio to spinning, beside others |")
    print("|---|---:|---:|---:|")
    with others(0):
        alone = measured(options.steps, options.rounds)
    with others(options.others):
        beside = measured(options.steps, options.rounds)
    first = next(iter(beside.values()))
    for name in POLICIES:
        row = [name, f"{alone[name]:.3f} s", f"{beside[name]:.3f} s", f"{beside[name] / first:.2f}"]
        print(f"| {' | '.join(row)} |")


def measured(steps: int, rounds: int) -> dict[str, float]:
    """Median over rounds, in each of which every policy has its turn."""
    seconds: dict[str, list[float]] = {name: [] for name in POLICIES}
    for _ in range(rounds):
        for name, policy in POLICIES.items():
            seconds[name].append(step(steps, policy))
    return {name: statistics.median(each) for name, each in seconds.items()}


def step(steps: int, policy: str | None) -> float:
    """Median seconds of a step in a new process."""
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    environment |= {"OMP_WAIT_POLICY": policy} if policy else {}
    command = [sys.executable, "-c", STEP, str(steps)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(ended.stdout)


@contextmanager
def others(count: int) -> Generator[None]:
    """So many processes that compute on one thread each."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    running = [
        subprocess.Popen([sys.executable, "-c", OTHER], env=environment) for _ in range(count)
    ]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
