"""Listener: what a prediction tells while it works, to whoever shows it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from medseg.prediction.cases import Refused
from medseg.prediction.outputs import CaseFiles

__all__ = ["Listener"]


class Listener(Protocol):
    """What is called as cases come; from other threads too, but one at a time for each method."""

    def forecast(self, name: str, text: str) -> None:
        """A case is about to be predicted; the text says what that takes."""
        ...

    def result(self, files: CaseFiles, text: str) -> None:
        """A case has its files; the text says what was found, or that they were there."""
        ...

    def failure(self, error: str) -> None:
        """A case will have none; the error is one line."""
        ...

    def finish(self, done: Sequence[Mapping[str, Any]], failed: Sequence[Refused]) -> None:
        """All cases have been told: those that are done, as JSON values, and those that failed."""
        ...
