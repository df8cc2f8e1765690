"""Verdict on a bundle: safe, needs trust or refused, and each place that it is for."""

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Grade", "Judgement", "Place", "Slip", "Verdict"]

Verdict = Literal["safe", "needs trust", "refused"]
Grade = Literal["needs trust", "refused"]


@dataclass(frozen=True)
class Slip:
    """What a place is if its author mistyped it, to be told apart from what could run.

    Attributes:
        kind: `name` of a class, function or constant; `variable` that no import gives; `argument`;
            `choice` among an argument's values; `key` or `macro` of a config; `syntax` of
            an expression; `file`, whose text is why it is no config.
        text: As it is written; of a macro or reference without its mark.
        of: Of an argument or choice: the component.
        among: What may have been meant, if that is known with the place.
    """

    kind: Literal["name", "variable", "argument", "choice", "key", "macro", "syntax", "file"]
    text: str
    of: str = ""
    among: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place in a bundle that keeps it from being safe.

    Attributes:
        file: Path in the bundle, with `/`.
        line: Line in the file, from 1; None where there is none, as in a binary file.
        key: Path of the config key, e.g. `train#trainer`; empty outside configs.
        grade: Whether a user's trust suffices for it.
        reason: What it is and what it could do, in words, in one line.
        slip: What it is if it may be mistyped; see `mistakes.mistake`.
    """

    file: str
    line: int | None
    key: str
    grade: Grade
    reason: str
    slip: Slip | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f":{self.line}"
        key = f" {self.key}:" if self.key else ""
        told = f"{self.file}{line}:{key} {self.reason}"
        # Names of files are as hostile as what is in them.
        return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in told)


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The verdict on a bundle.

    Attributes:
        places: All that keeps it from being safe, by file and line; empty if it is safe.
        digest: SHA-256, in hexadecimal, of all that the verdict depends on: the configs, and every
            file that a place is about. Trust is given to a digest.
    """

    places: tuple[Place, ...]
    digest: str

    @property
    def verdict(self) -> Verdict:
        """The gravest of the places."""
        if not self.places:
            return "safe"
        refused = any(place.grade == "refused" for place in self.places)
        return "refused" if refused else "needs trust"
