"""Cases that other processes predict for a run, reported as these are done."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from medseg.errors import MedsegError
from medseg.prediction.cases import CohortCase
from medseg.prediction.cohort import Cohort

__all__ = ["predict_elsewhere"]

# Least pause between two looks at the ledger, in seconds and in durations of a look.
_PAUSE_SECONDS = 1.0
_PAUSE = 20


def predict_elsewhere(
    run: Cohort, todo: Sequence[CohortCase], others: Callable[[], None]
) -> list[CohortCase]:
    """Let other processes predict cases, and report what they have done.

    Args:
        run: The run.
        todo: Its cases.
        others: Predicts them into the run's output folder; returns once nobody is at it any more.

    Returns:
        The cases that they have left: those that failed, or whose process was killed.
    """
    watch = _Watch(run, todo)
    stop = Event()
    try:
        with ThreadPoolExecutor(1) as pool:
            watching = pool.submit(watch.until, stop)
            try:
                others()
            finally:
                stop.set()
        watching.result()
        watch.look()
    except BaseException:
        run.keep_tables()
        raise
    return list(watch.left.values())


class _Watch:
    def __init__(self, run: Cohort, todo: Sequence[CohortCase]) -> None:
        self.left = {case.name: case for case in todo}
        self._run = run
        self._before = {entry.name: entry for entry in run.ledger.entries()}

    def until(self, stop: Event) -> None:
        pause = _PAUSE_SECONDS
        while not stop.wait(pause):
            begun = time.monotonic()
            self.look()
            pause = max(_PAUSE_SECONDS, _PAUSE * (time.monotonic() - begun))

    def look(self) -> None:
        """Report cases that the ledger has as done since the run began."""
        if not self._run.ledger.exists():
            return
        try:
            entries = self._run.ledger.read_entries()
        except MedsegError:
            # Being made by another process just now, or locked; the next look, or the run itself,
            # meets it again if it is more than that.
            return
        for entry in entries:
            ours = entry.status == "done" and entry.settings == self._run.settings.digest
            if entry.name in self.left and ours and entry != self._before.get(entry.name):
                self._run.report_elsewhere(self.left.pop(entry.name), entry)
