"""Seed all random transforms of a sample from (seed, draw number).

Shared by the training data set and the preview, which shows what a training would draw. A `Compose`
seeds a legacy numpy generator for each step, which takes a third of augmentation's time; here all
steps share one.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

__all__ = ["flat_steps", "start_steps"]


def start_steps(steps: object, chance: Sequence[int]) -> None:
    """Seed the random steps of a pipeline, with one generator for all.

    Args:
        steps: A `Compose`, another step, or a sequence of them.
        chance: Entropy, such as the seed and the number of the draw.
    """
    state = np.random.RandomState(np.random.PCG64(np.random.SeedSequence(chance)))
    for step in flat_steps(steps):
        if hasattr(step, "set_random_state"):
            cast("Any", step).set_random_state(state=state)


def flat_steps(steps: object) -> list[object]:
    """The steps of nested `Compose` and sequences as one list; anything else is one step."""
    # By class name: OneOf and its kin derive from Compose, but choose their steps at random.
    inside = getattr(steps, "transforms", None) if type(steps).__name__ == "Compose" else steps
    if isinstance(inside, list | tuple):
        return [step for part in cast("Sequence[object]", inside) for step in flat_steps(part)]
    return [steps]
