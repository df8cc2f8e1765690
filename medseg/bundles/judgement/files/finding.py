"""Finding about the content of one file, which becomes a place of the judgement."""

from dataclasses import dataclass

from medseg.bundles.judgement.verdict import Grade

__all__ = ["Finding"]


@dataclass(frozen=True)
class Finding:
    """What a file's content is or could do.

    Attributes:
        grade: Whether a user's trust suffices for it.
        reason: In words, in one line, as `Place.reason`.
        line: Line in the file, from 1; None where there is none.
        key: Key in the file, such as a section and its option; mostly empty.
    """

    grade: Grade
    reason: str
    line: int | None = None
    key: str = ""
