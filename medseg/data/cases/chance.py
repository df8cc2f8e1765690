"""The chance of a draw: one generator, made of a few numbers, for all the steps of augmentation.

Shared by the training data set and the preview, which shows what a training would draw. A `Compose`
starts a generator of its own for each step, of numpy's old kind, a third of augmentation's time.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

__all__ = ["flat_steps", "start_steps"]


def start_steps(steps: object, chance: Sequence[int]) -> None:
    """Give a chain's random steps the generator of a draw.

    Args:
        steps: A `Compose`, another step, or a sequence of them.
        chance: What chooses it, as the seed and the number of the draw.
    """
    state = np.random.RandomState(np.random.PCG64(np.random.SeedSequence(chance)))
    for step in flat_steps(steps):
        if hasattr(step, "set_random_state"):
            cast("Any", step).set_random_state(state=state)


def flat_steps(steps: object) -> list[object]:
    """The transforms of a `Compose` or a sequence, of others the thing itself."""
    # Not OneOf and its kin, which choose by chance.
    inside = getattr(steps, "transforms", None) if type(steps).__name__ == "Compose" else steps
    if isinstance(inside, list | tuple):
        return [step for part in cast("Sequence[object]", inside) for step in flat_steps(part)]
    return [steps]
