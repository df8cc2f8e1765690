"""What every tool of the augmentation benchmark is given: a case, and what to draw."""

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, radians, sin, sqrt
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

__all__ = [
    "CLASSES",
    "KEYS",
    "ROTATION_DEGREES",
    "SETTINGS",
    "ZOOM",
    "Case",
    "Sampler",
    "Setting",
    "make_case",
]

ROTATION_DEGREES = 30
# The reciprocal of each end is the other: tools differ in what they call zooming in.
ZOOM = (3 / 4, 4 / 3)
KEYS = ("image", "label")
CLASSES = 3

Sampler = Callable[[], tuple[Tensor, Tensor]]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is drawn: always a rotation about each axis and a zoom.

    Attributes:
        name: For the table.
        volume: Voxels of the source; they are cubes of 1 mm.
        patch: Voxels of the sample.
        control_spacing: Voxels between the control points of the deformation.
        max_displacement: Voxels that a control point moves at most, along each axis.
        elastic: Whether there is a deformation on top.
    """

    name: str
    volume: tuple[int, ...]
    patch: tuple[int, ...]
    control_spacing: int
    max_displacement: int
    elastic: Literal["on", "off"] = "on"

    @property
    def sigma(self) -> float:
        """Of the Gaussian as wide as the cubic B-spline of these control points."""
        return self.control_spacing / sqrt(3)

    @property
    def enlarged(self) -> tuple[int, ...]:
        """What is cropped for a warp to take the patch from, by nnU-Net's rule."""
        angle = radians(ROTATION_DEGREES)
        return tuple(int(n * (cos(angle) + sin(angle)) / 0.85) for n in self.patch)


SETTINGS = (
    Setting(
        name="2-D, 512x512",
        volume=(1024, 1024),
        patch=(512, 512),
        control_spacing=32,
        max_displacement=12,
    ),
    Setting(
        name="3-D, 96^3",
        volume=(256, 256, 224),
        patch=(96, 96, 96),
        control_spacing=12,
        max_displacement=4,
    ),
    Setting(
        name="3-D, 128^3",
        volume=(256, 256, 224),
        patch=(128, 128, 128),
        control_spacing=12,
        max_displacement=4,
    ),
)


@dataclass(frozen=True)
class Case:
    """A source: image `(1, *volume)` float32, label `(1, *volume)` uint8, in memory."""

    image: np.ndarray
    label: np.ndarray


def make_case(volume: tuple[int, ...]) -> Case:
    """A smooth image with noise, and the classes 0, 1 and 2 where it is dark, bright, brightest."""
    rng = torch.Generator().manual_seed(0)
    coarse = torch.randn(1, 1, *(max(4, n // 24) for n in volume), generator=rng)
    mode = "trilinear" if len(volume) == 3 else "bilinear"
    smooth = interpolate(coarse, size=volume, mode=mode)[0]
    noise = torch.randn(1, *volume, generator=rng)
    label = (smooth > 0.5).to(torch.uint8) + (smooth > 1).to(torch.uint8)
    return Case((smooth + 0.1 * noise).numpy(), label.numpy())
