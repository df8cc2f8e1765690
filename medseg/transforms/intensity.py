"""Base class and random draws of intensity augmentations.

They come after the warp and see one patch. None writes into its input tensor, so that a cached
image stays as it is, and each draws all random numbers from `self.R`, so that a seed determines
the sample.
"""

from abc import abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from math import exp, log
from typing import Any

import numpy as np
import torch
from monai.config.type_definitions import KeysCollection
from monai.transforms.transform import MapTransform, RandomizableTransform
from torch import Tensor

from medseg._checks import require_fraction
from medseg.errors import DataError, UsageError

__all__ = [
    "RandIntensity",
    "Span",
    "check_axes",
    "draw_log_uniform",
    "draw_uniform",
    "float_tensor",
    "random_generator",
]

Span = tuple[float, float]


class RandIntensity(RandomizableTransform, MapTransform):
    """A random change, with a probability per patch, implemented by the subclass.

    Args:
        keys: Images `(C, *spatial)` with 2 or 3 axes. They come out as float32 tensors
            without metadata. Either all keys are changed or none; each draws its own parameters.
        prob: Probability of changing a patch, in [0, 1].

    Raises:
        UsageError: If an argument is out of its range.
    """

    def __init__(self, keys: KeysCollection, prob: float) -> None:
        require_fraction(f"{type(self).__name__}: prob", prob)
        MapTransform.__init__(self, keys)
        RandomizableTransform.__init__(self, prob)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Change the images, or pass them on unchanged."""
        sample = dict(data)
        self.randomize(None)
        for key in self.keys:
            patch = _patch(sample, key)
            sample[key] = self.change(patch) if self._do_transform else patch
        return sample

    @abstractmethod
    def change(self, image: Tensor) -> Tensor:
        """Draw a change from `self.R` and apply it; `image` itself is not written to."""


def _patch(sample: Mapping[Hashable, Any], key: Hashable) -> Tensor:
    if key not in sample:
        raise UsageError(f"keys: {key!r} is not in the sample, which has {list(sample)}")
    image = float_tensor(sample[key])
    if image.ndim not in (3, 4):
        raise DataError(
            f"{key}: must be (C, *spatial) with 2 or 3 spatial axes, got {tuple(image.shape)}"
        )
    return image


def float_tensor(image: Any) -> Tensor:
    """An array or a tensor as float32 tensor without metadata; float32 tensors are not copied."""
    if isinstance(image, Tensor):
        return image.as_subclass(Tensor).float()
    # Copy: cached arrays are read-only, and torch lacks some unsigned types.
    return torch.as_tensor(np.array(image, np.float32))


def random_generator(rng: np.random.RandomState, device: torch.device) -> torch.Generator:
    """A torch generator whose seed is drawn from `rng`."""
    return torch.Generator(device).manual_seed(int(rng.randint(2**31)))


def draw_uniform(rng: np.random.RandomState, span: Span) -> float:
    """A uniform draw in [low, high]."""
    return float(rng.uniform(*span))


def draw_log_uniform(rng: np.random.RandomState, span: Span) -> float:
    """A log-uniform draw in [low, high], low above 0."""
    # Rounding errors of exp and log must not leave the span.
    drawn = exp(rng.uniform(log(span[0]), log(span[1])))
    return min(max(drawn, span[0]), span[1])


def check_axes(image: Tensor, spacing_mm: Sequence[float]) -> None:
    """Refuse an image with more or fewer axes than the spacing has numbers.

    Raises:
        UsageError: If so.
    """
    if image.ndim - 1 != len(spacing_mm):
        raise UsageError(
            f"spacing_mm must have a number for each of {image.ndim - 1} axes, got "
            f"{len(spacing_mm)}"
        )
