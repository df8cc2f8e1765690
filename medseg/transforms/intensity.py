"""What the random changes of intensity share.

They stand behind the warp and see one patch. None writes into the tensor that it was given, so
that an image in a cache stays as it is, and each draws all it needs from `self.R`, so that
a seed decides what a sample looks like.
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
    "draw_evenly",
    "draw_evenly_in_log",
    "float_tensor",
    "random_generator",
]

Span = tuple[float, float]


class RandIntensity(RandomizableTransform, MapTransform):
    """A change that happens to a share of the patches; what changes is the subclass's.

    Args:
        keys: Images `(C, *spatial)` with 2 or 3 axes. They come out as float32 tensors
            without metadata; each draws its own change, but all change or none does.
        prob: Share of the patches, in [0, 1].

    Raises:
        UsageError: If an argument is out of its range.
    """

    def __init__(self, keys: KeysCollection, prob: float) -> None:
        require_fraction(f"{type(self).__name__}: prob", prob)
        MapTransform.__init__(self, keys)
        RandomizableTransform.__init__(self, prob)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Change the images, or pass them on."""
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
    """An array or a tensor as float32 tensor without metadata; not copied where it is that."""
    if isinstance(image, Tensor):
        return image.as_subclass(Tensor).float()
    # Arrays of a cache are read-only, and unsigned ones strange to torch: hence the copy.
    return torch.as_tensor(np.array(image, np.float32))


def random_generator(rng: np.random.RandomState, device: torch.device) -> torch.Generator:
    """A torch generator whose seed is drawn from `rng`."""
    return torch.Generator(device).manual_seed(int(rng.randint(2**31)))


def draw_evenly(rng: np.random.RandomState, span: Span) -> float:
    """A number of the span."""
    return float(rng.uniform(*span))


def draw_evenly_in_log(rng: np.random.RandomState, span: Span) -> float:
    """A factor of the span, above 0; doubling is as likely as halving."""
    # Rounding of exp and log must not leave the span.
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
