"""Colour jitter: random hue, saturation, contrast and brightness of RGB images.

It stands for differences in light, camera and display. All four are linear maps of the three
channels; composed, they are one small matrix for all pixels. MONAI has none of them. Hue is
rotated about the grey axis in YIQ, which preserves luma, unlike the hexagon of HSV.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from monai.config.type_definitions import KeysCollection
from torch import Tensor

from medseg._checks import require_number, require_span
from medseg.transforms.colour import Floats, check_rgb, mix_channels
from medseg.transforms.intensity import RandIntensity, draw_uniform

__all__ = ["ColourChange", "RandColourJitterd", "change_colours"]

# Luma of ITU-R BT.601, and the two colour axes of YIQ.
_YIQ = np.array(
    [[0.299, 0.587, 0.114], [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]]
)


@dataclass(frozen=True, kw_only=True)
class ColourChange:
    """Parameters of a colour change; the defaults change nothing.

    Attributes:
        hue_degrees: Rotation of all hues about the grey axis.
        saturation: Factor of the distance from grey; 0 is a grey image.
        contrast: Factor of the distance from the image's mean luma.
        brightness: Factor of all channels.
    """

    hue_degrees: float = 0.0
    saturation: float = 1.0
    contrast: float = 1.0
    brightness: float = 1.0


def change_colours(image: Tensor, change: ColourChange) -> Tensor:
    """Rotate hues, scale saturation, contrast and brightness, and clip to [0, 1].

    Args:
        image: `(3, *spatial)` float32, RGB in [0, 1].
        change: The parameters.

    Returns:
        `(3, *spatial)`, a new tensor in [0, 1].
    """
    luma = float(_YIQ[0] @ image.flatten(1).mean(1).double().cpu().numpy())
    gain = change.contrast * change.brightness
    matrix = gain * _hue_and_saturation(change)
    # Hue and saturation preserve the mean luma, so it can be computed from the input.
    grey = change.brightness * (1 - change.contrast) * luma
    return mix_channels(image, matrix, np.full(3, grey)).clamp_(0, 1)


def _hue_and_saturation(change: ColourChange) -> Floats:
    angle = radians(change.hue_degrees)
    turn = np.eye(3)
    turn[1:, 1:] = [[cos(angle), -sin(angle)], [sin(angle), cos(angle)]]
    turn[1:] *= change.saturation
    return np.linalg.inv(_YIQ) @ turn @ _YIQ


class RandColourJitterd(RandIntensity):
    """Randomly change hue, saturation, contrast and brightness of RGB images.

    Args:
        keys: Images `(3, *spatial)`, RGB in [0, 1]; they come out in [0, 1] too.
        hue_degrees: Greatest rotation of the hues either way, in [0, 180].
        saturation_range: `[low, high]`, at least 0, from which the factor is drawn uniformly.
        contrast_range: Likewise.
        brightness_range: Likewise.
        prob: Probability of changing a patch, in [0, 1].

    Raises:
        UsageError: If an argument is out of its range.
        DataError: If an image does not have three channels in [0, 1].
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        hue_degrees: float = 10.0,
        saturation_range: Sequence[float] = (0.8, 1.2),
        contrast_range: Sequence[float] = (0.8, 1.2),
        brightness_range: Sequence[float] = (0.8, 1.2),
        prob: float = 0.2,
    ) -> None:
        super().__init__(keys, prob)
        require_number("RandColourJitterd: hue_degrees", hue_degrees, at_least=0, at_most=180)
        self.hue_degrees = hue_degrees
        self.saturation_range = require_span(
            "RandColourJitterd: saturation_range", saturation_range, at_least=0
        )
        self.contrast_range = require_span(
            "RandColourJitterd: contrast_range", contrast_range, at_least=0
        )
        self.brightness_range = require_span(
            "RandColourJitterd: brightness_range", brightness_range, at_least=0
        )

    def change(self, image: Tensor) -> Tensor:
        """Draw the four parameters and apply them in one step."""
        check_rgb(image)
        drawn = ColourChange(
            hue_degrees=draw_uniform(self.R, (-self.hue_degrees, self.hue_degrees)),
            saturation=draw_uniform(self.R, self.saturation_range),
            contrast=draw_uniform(self.R, self.contrast_range),
            brightness=draw_uniform(self.R, self.brightness_range),
        )
        return change_colours(image, drawn)
