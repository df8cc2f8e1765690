"""EachChanneld: random changes drawn for each channel of an image anew.

Scanners that make the channels of one image know nothing of each other: noise, blur and contrast of
a PET say nothing about those of the MR beside it. The warp is another matter, and shared by all.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import torch
from monai.config.type_definitions import KeysCollection
from monai.transforms.transform import MapTransform, Randomizable

from medseg._checks import require_choice
from medseg.errors import UsageError
from medseg.transforms.intensity import float_tensor

__all__ = ["EachChanneld"]

Unit = Literal["image", "std"]

# Of a channel that is constant but for rounding, which no unit can be taken from.
_TINY = 1e-6


class EachChanneld(Randomizable, MapTransform):
    """Run intensity steps on one channel after the other.

    Args:
        keys: Images `(C, *spatial)`; they come out as float32 tensors without metadata.
        steps: Transforms of dictionaries with these keys, which keep the shape.
        unit: What strengths, such as that of noise, are given in: the `image`'s values, or the
            standard deviation of the channel in the patch (`std`), which is the same measure for a
            window and a z-score.

    Raises:
        UsageError: If `unit` is another word, or a key is not in a sample.
    """

    def __init__(self, keys: KeysCollection, steps: Sequence[Any], *, unit: Unit = "std") -> None:
        MapTransform.__init__(self, keys)
        require_choice("EachChanneld: unit", unit, get_args(Unit))
        self.steps = tuple(steps)
        self.unit: Unit = unit

    def set_random_state(
        self, seed: int | None = None, state: np.random.RandomState | None = None
    ) -> "EachChanneld":
        """Seed all steps, which share one random state."""
        super().set_random_state(seed, state)
        for step in self.steps:
            if isinstance(step, Randomizable):
                step.set_random_state(state=self.R)
        return self

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Change the channels of each image of a sample."""
        sample = dict(data)
        for key in self.keys:
            if key not in sample:
                raise UsageError(f"keys: {key!r} is not in the sample, which has {list(sample)}")
            image = float_tensor(sample[key])
            sample[key] = torch.cat(
                [self._changed(key, image[c : c + 1]) for c in range(len(image))]
            )
        return sample

    def _changed(self, key: Hashable, channel: torch.Tensor) -> torch.Tensor:
        unit = 1.0
        if self.unit == "std":
            spread = float(channel.std(correction=0))
            unit = spread if spread > _TINY * max(1.0, float(channel.abs().max())) else 1.0
        sample: dict[Hashable, Any] = {key: channel / unit}
        for step in self.steps:
            sample = step(sample)
        return float_tensor(sample[key]).mul(unit)
