"""Progress report of `medseg predict`: lines or JSON, and a progress bar."""

import json
import sys
import traceback
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from medseg._text import printable
from medseg.prediction.cases import Refused
from medseg.prediction.outputs import CaseFiles

__all__ = ["ProgressReporter", "Traces", "report_progress"]

Traces = Literal["shown", "hidden"]


class ProgressReporter:
    """Listener that prints a line per case, or JSON at the end.

    Results go to standard output; forecasts, errors and the bar to standard error.
    """

    def __init__(
        self, progress: Progress, *, total: int, as_json: bool, traces: Traces = "hidden"
    ) -> None:
        self._progress = progress
        self._task = progress.add_task("cases", total=total)
        self._total = total
        self._as_json = as_json
        self._traces: Traces = traces
        self._begun = 0

    def forecast(self, name: str, text: str) -> None:
        """Print the forecast of a case that is about to be predicted."""
        self._begun += 1
        if not self._as_json:
            line = printable(f"{self._begun}/{self._total} {name}: {text}")
            self._print(line)

    def warning(self, text: str) -> None:
        """Print what is remarkable about one image, or about several."""
        self._print(f"warning: {printable(text)}", style="yellow")

    def result(self, files: CaseFiles, text: str) -> None:
        """Print the result of a case."""
        self._progress.advance(self._task)
        if not self._as_json:
            # Not by rich's console, which would write into the bar's line.
            sys.stdout.write(printable(f"{files.paths[0]}: {text}") + "\n")
            sys.stdout.flush()

    def failure(self, error: str, cause: BaseException | None = None) -> None:
        """Print the error of a case that failed, with its traceback if that was asked for."""
        self._progress.advance(self._task)
        if not self._as_json:
            self._print(f"medseg: {printable(error)}", style="red")
        if self._traces == "shown" and cause is not None:
            for line in "".join(traceback.format_exception(cause)).splitlines():
                self._print(printable(line))

    def _print(self, line: str, style: str | None = None) -> None:
        self._progress.console.print(
            line, style=style, markup=False, highlight=False, soft_wrap=True
        )

    def finish(self, done: Sequence[Mapping[str, Any]], failed: Sequence[Refused]) -> None:
        """Print the JSON report."""
        if self._as_json:
            errors = [{"image": one.shown, "error": one.error} for one in failed]
            text = json.dumps({"done": list(done), "failed": errors}, indent=2)
            sys.stdout.write(text + "\n")


@contextmanager
def report_progress(
    total: int, *, as_json: bool, traces: Traces = "hidden"
) -> Generator[ProgressReporter]:
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
        yield ProgressReporter(progress, total=total, as_json=as_json, traces=traces)
