"""Data set normalisation: clip and z-score with statistics of a whole data set (nnU-Net, CT).

Per-image statistics would remove what HU measure: a dense liver is a finding. So all cases are
clipped and scaled alike, by statistics that `medseg data statistics` measures once, in the
foreground of the training cases.

Reference:
    Isensee et al., nnU-Net, Nat. Methods 2021. https://doi.org/10.1038/s41592-020-01008-z
"""

from collections.abc import Sequence
from math import isfinite
from typing import cast

import torch
from monai.config.type_definitions import KeysCollection
from torch import Tensor

from medseg.errors import DataError, UsageError
from medseg.transforms.normalise import Normalise

__all__ = ["DatasetZScored"]


class DatasetZScored(Normalise):
    """Clip, subtract a given mean and divide by a given standard deviation.

    Args:
        keys: Images `(C, *spatial)`; they come out as float32.
        low: Lower clipping limit, nnU-Net's 0.5th percentile; one number, or a list with one per
            channel, as for the three below.
        high: Upper clipping limit, the 99.5th percentile.
        mean: Intensity that becomes 0.
        std: Difference of intensity that becomes 1; above 0.

    Raises:
        UsageError: If an argument is out of its range, or a key is not in a sample.
        DataError: If an image has another number of channels, or a voxel is NaN or infinite.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        low: float | Sequence[float],
        high: float | Sequence[float],
        mean: float | Sequence[float],
        std: float | Sequence[float],
    ) -> None:
        super().__init__(keys)
        given = {"low": low, "high": high, "mean": mean, "std": std}
        lists = [_numbers(name, numbers) for name, numbers in given.items()]
        if len({len(numbers) for numbers in lists}) > 1:
            raise UsageError(
                f"DatasetZScored: low, high, mean and std must be one a channel each, got {given}"
            )
        self.channels = tuple(zip(*lists, strict=True))
        if not all(below < above and spread > 0 for below, above, _, spread in self.channels):
            raise UsageError(
                f"DatasetZScored: low must be below high, and std above 0, got {given}"
            )

    def normalise(self, image: Tensor) -> Tensor:
        """Clip and scale each channel by its own statistics."""
        if len(image) != len(self.channels):
            raise DataError(
                f"{self.keys}: an image has {len(image)} channels, but low, high, mean and std "
                f"are given for {len(self.channels)}"
            )
        numbers = zip(image, self.channels, strict=True)
        return torch.stack(
            [
                channel.clamp(low, high).sub_(mean).div_(std)
                for channel, (low, high, mean, std) in numbers
            ]
        )


def _numbers(name: str, given: object) -> tuple[float, ...]:
    numbers = tuple(cast("Sequence[object]", given)) if isinstance(given, Sequence) else (given,)
    if not numbers or not all(
        isinstance(number, int | float) and isfinite(number) for number in numbers
    ):
        raise UsageError(f"DatasetZScored: {name} must be finite numbers, got {given!r}")
    return cast("tuple[float, ...]", numbers)
