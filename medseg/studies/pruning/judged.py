"""Contestants as they were judged, and all that the page of a smaller network says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from medseg.studies.pruning.contestants import Recipe
from medseg.studies.pruning.latency import Latency
from medseg.studies.pruning.scores import Paired
from medseg.studies.pruning.subject import Subject
from medseg.studies.results import CaseScore

__all__ = ["Judged", "Smaller", "named"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """A contestant with its scores and its cost.

    Attributes:
        name: What it is.
        iterations: Of its training here.
        before: DSC before that, against the original's; None if it was untrained.
        after: Afterwards.
        parameters: Of the network.
        macs: Of one window.
        widths: Of its levels, or convolutions.
        weights_sha256: Digest of its tensors.
        cases: Its scores.
    """

    name: str
    iterations: int
    before: Paired | None
    after: Paired
    parameters: int
    macs: int
    widths: Any
    weights_sha256: str
    cases: tuple[CaseScore, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Smaller:
    """All that the page says.

    Attributes:
        subject: The bundle.
        recipe: How the smaller network was made.
        judged: The original first.
        pruned_to_flat: DSC of the pruned network against the flat one's.
        latency: On each engine.
        command: That repeats it.
    """

    subject: Subject
    recipe: Recipe
    judged: Sequence[Judged]
    pruned_to_flat: Paired
    latency: Sequence[Latency]
    command: str


def named(content: Smaller, name: str) -> Judged:
    """The contestant of that name."""
    return next(one for one in content.judged if one.name == name)
