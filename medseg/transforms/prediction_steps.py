"""Image steps of a recipe: those of prediction, without the steps that prepare a label only.

MONAI's own steps pass over a label that is not there (`allow_missing_keys`). Callers that take the
steps one by one, such as MONAI Label, ask each for its entry and stop at the first label step.
"""

from collections.abc import Callable, Sequence
from typing import Any

from monai.transforms.transform import MapTransform

__all__ = ["image_steps"]


def image_steps(steps: Sequence[Callable[..., Any]]) -> list[Callable[..., Any]]:
    """The steps of a recipe that touch the entry `image`, in order.

    Args:
        steps: Transforms of dictionaries; one without keys is kept.
    """
    return [step for step in steps if not isinstance(step, MapTransform) or "image" in step.keys]
