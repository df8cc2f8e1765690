"""Listener: callbacks that report the progress of a prediction."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from medseg.prediction.cases import Refused
from medseg.prediction.outputs import CaseFiles

__all__ = ["Listener"]


class Listener(Protocol):
    """Called as cases progress; also from other threads, but each method one call at a time."""

    def forecast(self, name: str, text: str) -> None:
        """A case is about to be predicted; the text is its forecast of time and memory."""
        ...

    def warning(self, text: str) -> None:
        """Something is remarkable about one image, or about several in the same way."""
        ...

    def result(self, files: CaseFiles, text: str) -> None:
        """A case has its files; the text gives the volumes, or says that it was done already."""
        ...

    def failure(self, error: str, cause: BaseException | None = None) -> None:
        """A case failed; the error is one line, and its cause has the traceback."""
        ...

    def finish(self, done: Sequence[Mapping[str, Any]], failed: Sequence[Refused]) -> None:
        """All cases have been reported: those done, as JSON values, and those failed."""
        ...
