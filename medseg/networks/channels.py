"""Channels of each convolution of a U-Net: the same throughout a level, or one number for each.

A U-Net as published has one width a level. A pruned one has as many channels in each convolution
as were kept of it, and must be written in a config all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from medseg._checks import require_whole_number
from medseg.errors import UsageError

__all__ = ["LevelChannels", "LevelWidth", "level_channels"]

# One number for a level, or one for each of its convolutions.
LevelWidth = int | Sequence[int]


@dataclass(frozen=True, kw_only=True)
class LevelChannels:
    """Channels that each convolution of one level gives.

    Attributes:
        encoder: Of its two convolutions on the way down; the second feeds the skip.
        up: Of the transposed convolution from the level below; 0 in the deepest level.
        decoder: Of its two convolutions on the way up; zeros in the deepest level.
    """

    encoder: tuple[int, int]
    up: int = 0
    decoder: tuple[int, int] = (0, 0)

    @property
    def output(self) -> int:
        """Channels that the level hands to the one above it, or to the head."""
        return self.decoder[1] or self.encoder[1]


def level_channels(widths: Sequence[LevelWidth], *, depth: int) -> tuple[LevelChannels, ...]:
    """Expand widths to the channels of every convolution.

    Args:
        widths: One entry per level: a number for all its convolutions, or five (two of the
            encoder, the transposed one, two of the decoder), two in the deepest level.
        depth: Number of levels.

    Raises:
        UsageError: If there are too many entries, too few, or one is no such thing.
    """
    given: Any = widths
    if not isinstance(given, Sequence) or isinstance(given, str) or len(widths) != depth:
        what = len(widths) if isinstance(given, Sequence) else repr(given)
        raise UsageError(f"UNet: widths must have {depth} entries at this depth, got {what}")
    return tuple(_level(level, width, depth) for level, width in enumerate(widths))


def _level(level: int, width: Any, depth: int) -> LevelChannels:
    count = 2 if level == depth - 1 else 5
    numbers = cast("Sequence[Any]", width if isinstance(width, list | tuple) else [width] * count)
    if len(numbers) != count:
        raise UsageError(
            f"UNet: widths of level {level} must be one number, or {count}, got {len(numbers)}"
        )
    for number in numbers:
        require_whole_number(f"UNet: a width of level {level}", number, at_least=1)
    if count == 2:
        return LevelChannels(encoder=(numbers[0], numbers[1]))
    first, second, up, third, fourth = numbers
    return LevelChannels(encoder=(first, second), up=up, decoder=(third, fourth))
