"""Change: what is done to one file of a data set, and why."""

from dataclasses import dataclass
from typing import Literal

from medseg.data.problems import Problem

__all__ = ["CaseFix", "Change", "ChangeKind"]

ChangeKind = Literal[
    "values", "whole numbers", "axes", "affine", "resampled", "three axes", "nifti"
]


@dataclass(frozen=True)
class Change:
    """One change of one file.

    Attributes:
        where: `image` or `label`.
        kind: What is done.
        what: What was wrong, and what is there now, in words.
        why: Why that is safe.
    """

    where: Literal["image", "label"]
    kind: ChangeKind
    what: str
    why: str


@dataclass(frozen=True)
class CaseFix:
    """What is done for one case.

    Attributes:
        case: Its identifier.
        changes: In the order in which they are made; empty if nothing is to be changed.
        left: Errors that cannot be mended; the case is then left out of the new folder.
    """

    case: str
    changes: tuple[Change, ...] = ()
    left: tuple[Problem, ...] = ()
