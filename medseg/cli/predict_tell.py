"""Progress report of `medseg predict`: lines or JSON, and a progress bar."""

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
    """Listener that prints a line per case, or JSON at the end.

    Results go to standard output; forecasts, errors and the bar to standard error.
    """

    def __init__(self, progress: Progress, *, total: int, as_json: bool) -> None:
        self._progress = progress
        self._task = progress.add_task("cases", total=total)
        self._total = total
        self._as_json = as_json
        self._begun = 0

    def forecast(self, name: str, text: str) -> None:
        """Print the forecast of a case that is about to be predicted."""
        self._begun += 1
        if not self._as_json:
            line = f"{self._begun}/{self._total} {name}: {text}"
            self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def warning(self, text: str) -> None:
        """Print what is remarkable about one image, or about several."""
        self._progress.console.print(
            f"warning: {text}", style="yellow", markup=False, highlight=False, soft_wrap=True
        )

    def result(self, files: CaseFiles, text: str) -> None:
        """Print the result of a case."""
        self._progress.advance(self._task)
        if not self._as_json:
            # Not by rich's console, which would write into the bar's line.
            sys.stdout.write(f"{files.paths[0]}: {text}\n")
            sys.stdout.flush()

    def failure(self, error: str) -> None:
        """Print the error of a case that failed."""
        self._progress.advance(self._task)
        if not self._as_json:
            self._progress.console.print(
                f"medseg: {error}", style="red", markup=False, highlight=False, soft_wrap=True
            )

    def finish(self, done: Sequence[Mapping[str, Any]], failed: Sequence[Refused]) -> None:
        """Print the JSON report."""
        if self._as_json:
            errors = [{"image": one.shown, "error": one.error} for one in failed]
            text = json.dumps({"done": list(done), "failed": errors}, indent=2)
            sys.stdout.write(text + "\n")


@contextmanager
def report_progress(total: int, *, as_json: bool) -> Generator[ProgressReporter]:
    """A reporter, with a bar and the time left if standard error is a terminal."""
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal or total < 2,
        # Results go above the bar if both are on one terminal.
        redirect_stdout=sys.stdout.isatty(),
        redirect_stderr=False,
    )
    with progress:
        yield ProgressReporter(progress, total=total, as_json=as_json)
