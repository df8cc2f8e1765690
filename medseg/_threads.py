"""OpenMP threads: those that wait for each other sleep.

By default they spin for milliseconds, which an idle machine does not feel. Where other programs run
as well, the spinning thread takes the core that the awaited one needs: on two cores with a load of
eight, a training step took 6 to 12 s, and 1.4 s with sleeping threads; when idle 0.18 s either way,
on another machine up to half as much again (benchmarks/RESULTS.md).
"""

import os

__all__ = ["let_waiting_threads_sleep"]


def let_waiting_threads_sleep() -> None:
    """Set `OMP_WAIT_POLICY` for this process and its children, unless the user did.

    It counts only before torch is imported.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
