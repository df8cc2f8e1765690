"""Scale of one image channel: a window of stored values, or its own z-score.

Channels of one image differ in what their numbers mean: HU are the same on every scanner and are
windowed, MR has a scale of its own in each scan. So each channel names its scale.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, cast, get_args

from torch import Tensor

from medseg._checks import require_choice, require_span
from medseg.errors import UsageError
from medseg.transforms.normalise import Over
from medseg.transforms.normalise_percentiles import clip_percentiles
from medseg.transforms.normalise_zscore import z_score

__all__ = ["Scale", "WindowScale", "ZScoreScale", "read_scale", "scale_settings"]


@dataclass(frozen=True, kw_only=True)
class WindowScale:
    """Map a window of stored values to [0, 1], and clip what is outside.

    Attributes:
        low: Becomes 0.
        high: Becomes 1; above `low`.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        ends: tuple[Any, Any] = (self.low, self.high)
        numbers = all(isinstance(end, int | float) and isfinite(end) for end in ends)
        if not (numbers and self.low < self.high):
            raise UsageError(
                "WindowScale: low must be below high, both finite numbers, got "
                f"{self.low!r:.40} and {self.high!r:.40}"
            )

    def __call__(self, channel: Tensor) -> Tensor:
        """Scale `(*spatial)` float32 into a new tensor."""
        return channel.clamp(self.low, self.high).sub_(self.low).div_(self.high - self.low)


@dataclass(frozen=True, kw_only=True)
class ZScoreScale:
    """Clip a channel at two of its own percentiles, then to mean 0 and standard deviation 1.

    Attributes:
        clip: Lower and upper percentile, in [0, 100].
        over: Voxels that are measured: `all`, `nonzero`, or those above `otsu`'s threshold.
    """

    clip: Sequence[float] = (0.0, 99.5)
    over: Over = "nonzero"

    def __post_init__(self) -> None:
        span = require_span("ZScoreScale: clip", self.clip, at_least=0, at_most=100)
        object.__setattr__(self, "clip", span)
        require_choice("ZScoreScale: over", self.over, get_args(Over))

    def __call__(self, channel: Tensor) -> Tensor:
        """Scale `(*spatial)` float32 into a new tensor."""
        return z_score(clip_percentiles(channel, self.clip, self.over), self.over)


Scale = WindowScale | ZScoreScale
_KINDS: dict[str, type[WindowScale] | type[ZScoreScale]] = {
    "window": WindowScale,
    "z-score": ZScoreScale,
}


def scale_settings(scales: Sequence[Scale | Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Scales as plain values, for the header of weights; `read_scale` reads each.

    Returns:
        `{"scale": "window", "low": ..., "high": ...}` or `{"scale": "z-score", "clip": [...],
        "over": ...}` for each channel.
    """
    return [_settings(read_scale(scale)) for scale in scales]


def _settings(scale: Scale) -> dict[str, Any]:
    if isinstance(scale, WindowScale):
        return {"scale": "window", "low": float(scale.low), "high": float(scale.high)}
    return {"scale": "z-score", "clip": list(scale.clip), "over": scale.over}


def read_scale(given: object) -> Scale:
    """A scale as given, or made of its plain values.

    Raises:
        UsageError: If it is neither.
    """
    if isinstance(given, WindowScale | ZScoreScale):
        return given
    values = dict(cast("Mapping[str, Any]", given)) if isinstance(given, Mapping) else {}
    kind = _KINDS.get(str(values.pop("scale", "")))
    if kind is None:
        raise UsageError(
            "scales must list medseg.transforms.WindowScale or ZScoreScale for each channel, got "
            f"{given!r:.80}"
        )
    try:
        return kind(**values)
    except TypeError as error:
        names = ", ".join(kind.__dataclass_fields__)
        raise UsageError(f"scales: {kind.__name__} takes {names}, got {given!r:.80}") from error
