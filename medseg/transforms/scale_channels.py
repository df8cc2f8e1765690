"""ScaleChannelsd: scale each channel of an image in its own way, for PET with CT, T1 with FLAIR."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from monai.config.type_definitions import KeysCollection
from torch import Tensor

from medseg.errors import DataError, UsageError
from medseg.transforms.channel_scale import Scale, read_scale
from medseg.transforms.normalise import Normalise

__all__ = ["ScaleChannelsd"]


class ScaleChannelsd(Normalise):
    """Scale each channel by a scale of its own.

    Args:
        keys: Images `(C, *spatial)`; they come out as float32.
        scales: One for each channel, in their order: `WindowScale` or `ZScoreScale`, or their plain
            values, see `scale_settings`.

    Raises:
        UsageError: If a scale cannot be used, or a key is not in a sample.
        DataError: If an image has another number of channels, or a voxel is NaN or infinite.
    """

    def __init__(self, keys: KeysCollection, scales: Sequence[Scale | Mapping[str, Any]]) -> None:
        super().__init__(keys)
        given: Any = scales
        if not isinstance(given, Sequence) or not given:
            raise UsageError(f"ScaleChannelsd: scales must list at least one, got {given!r:.80}")
        self.scales = tuple(map(read_scale, scales))

    def normalise(self, image: Tensor) -> Tensor:
        """Scale each channel."""
        if len(image) != len(self.scales):
            raise DataError(
                f"{', '.join(map(str, self.keys))}: an image has {len(image)} channels, and scales "
                f"has {len(self.scales)}; give a file for each channel, in the order of scales"
            )
        return torch.stack(
            [scale(channel) for channel, scale in zip(image, self.scales, strict=True)]
        )
