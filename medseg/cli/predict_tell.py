"""`medseg predict`: what it tells while it works, and in the end."""

import json
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from medseg.prediction.cases import Refused
from medseg.prediction.outputs import CaseFiles

__all__ = ["ProgressReporter", "report_progress"]


class ProgressReporter:
    """Lines for people as cases come, or JSON for programs at the end.

    Results go to standard output, forecasts, errors and the bar to standard error.
    """

    def __init__(self, progress: Progress, *, total: int, as_json: bool) -> None:
        self._progress = progress
        self._task = progress.add_task("cases", total=total)
        self._total = total
        self._as_json = as_json
        self._begun = 0

    def forecast(self, name: str, text: str) -> None:
        """A case that is about to be predicted."""
        self._begun += 1
        if not self._as_json:
            line = f"{self._begun}/{self._total} {name}: {text}"
            self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def result(self, files: CaseFiles, text: str) -> None:
        """A case that has its files."""
        self._progress.advance(self._task)
        if not self._as_json:
            # Not by a console: rich's own would write into the bar's line.
            sys.stdout.write(f"{files.paths[0]}: {text}\n")
            sys.stdout.flush()

    def failure(self, error: str) -> None:
        """A case that will have none."""
        self._progress.advance(self._task)
        if not self._as_json:
            self._progress.console.print(
                f"medseg: {error}", style="red", markup=False, highlight=False, soft_wrap=True
            )

    def finish(self, done: Sequence[Mapping[str, Any]], failed: Sequence[Refused]) -> None:
        """All there is to be told to a program."""
        if self._as_json:
            errors = [{"image": one.shown, "error": one.error} for one in failed]
            text = json.dumps({"done": list(done), "failed": errors}, indent=2)
            sys.stdout.write(text + "\n")


@contextmanager
def report_progress(total: int, *, as_json: bool) -> Generator[ProgressReporter]:
    """A reporter, with a bar and the time that is left where standard error is a terminal."""
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal or total < 2,
        # Results go above the bar where both are on one terminal, and into a pipe elsewhere.
        redirect_stdout=sys.stdout.isatty(),
        redirect_stderr=False,
    )
    with progress:
        yield ProgressReporter(progress, total=total, as_json=as_json)
