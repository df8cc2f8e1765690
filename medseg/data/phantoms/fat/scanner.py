"""Simulated Dixon scan of a fat phantom slice: a magnitude image in integers.

In this order: fat-water separation, with occasional swaps; coil sensitivity; point spread;
breathing ghosts; Rician noise; an arbitrary scale.
"""

from dataclasses import dataclass
from math import exp, log
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medseg.data.phantoms.fat.build import Girth
from medseg.data.phantoms.fat.slice_grid import SliceGrid
from medseg.data.phantoms.fat.tissue import Painted
from medseg.data.phantoms.grid import Field

__all__ = ["ScanSettings", "sample_settings", "scan_fat"]

MOST = 4095


@dataclass(frozen=True, kw_only=True)
class ScanSettings:
    """Settings common to all slices of one patient's scan.

    Attributes:
        scale: Stored value of pure fat in the middle of the field.
        noise: SD of the noise in each of the two channels, relative to pure fat.
        blur_mm: SD of the point spread.
        bend: SD of the logarithm of the coil sensitivity.
        near: Extra brightness of the surface relative to the depth.
        ghost: Fraction of the signal in each breathing ghost.
    """

    scale: float
    noise: float
    blur_mm: float
    bend: float
    near: float
    ghost: float


def sample_settings(rng: np.random.Generator) -> ScanSettings:
    """Draw the settings of a scan."""
    return ScanSettings(
        scale=exp(rng.uniform(log(150), log(1400))),
        noise=float(rng.uniform(0.015, 0.07)),
        blur_mm=float(rng.uniform(0.5, 1.0)),
        bend=float(rng.uniform(0.08, 0.32)),
        near=float(rng.uniform(0.0, 0.9)),
        ghost=float(rng.uniform(0.0, 0.035)),
    )


def scan_fat(
    rng: np.random.Generator,
    grid: SliceGrid,
    painted: Painted,
    settings: ScanSettings,
    girth: Girth,
) -> NDArray[np.int16]:
    """Scan a painted slice.

    Returns:
        `(I, J)`, the fat image, values in [0, 4095].
    """
    swap = _swapped(rng, grid, girth)
    fat, water = painted.canvas.fat, painted.canvas.water
    signal = fat + swap * (water - fat)
    signal = signal * _sensitivity(rng, grid, painted.present, settings)
    signal = _blur(signal, settings.blur_mm / grid.spacing_mm)
    shift = int(grid.shape[1] * rng.uniform(0.12, 0.4))
    ghosts = np.roll(signal, shift, axis=1) + np.roll(signal, -shift, axis=1)
    signal = (1 - 2 * settings.ghost) * signal + np.float32(settings.ghost) * ghosts
    real, imaginary = rng.standard_normal((2, *grid.shape), dtype=np.float32)
    noise = np.float32(settings.noise)
    magnitude = np.hypot(signal + noise * real, noise * imaginary)
    return np.clip(np.rint(settings.scale * magnitude), 0, MOST).astype(np.int16)


def _swapped(rng: np.random.Generator, grid: SliceGrid, girth: Girth) -> Field:
    """Fat-water swaps: 1 in swapped regions, else 0, blurred.

    The field is least homogeneous at the edges: in an arm, or in a part of the flank.
    """
    swap = np.zeros(grid.shape, np.float32)
    wave = grid.noise(rng, scale_mm=25) * np.float32(4)
    for side in (-1, 1):
        arm, flank = rng.random() < 0.15, rng.random() < 0.08
        depth, height = rng.uniform(3, 14), rng.uniform(12, 40)
        middle = rng.uniform(-50, 30)
        outwards = side * grid.x + wave
        if arm:
            swap[outwards > girth.body[0] + 8] = 1
        if flank:
            inside = outwards > girth.body[0] - depth
            swap[inside & (np.abs(grid.y + wave - middle) < height)] = 1
    return _blur(swap, 0.7)


def _sensitivity(
    rng: np.random.Generator, grid: SliceGrid, present: Field, settings: ScanSettings
) -> Field:
    field = settings.bend * grid.noise(rng, scale_mm=180)
    field += 0.25 * settings.bend * grid.noise(rng, scale_mm=70)
    surface = np.exp(-np.clip(present, 0, None) / np.float32(35))
    # The signal fades towards the edges of the magnet's bore.
    fade = np.clip(1.15 - (np.abs(grid.x) / np.float32(320)) ** 4, 0.2, 1)
    gain = np.exp(field) * (1 + settings.near * surface) / (1 + 0.5 * settings.near) * fade
    return cast("Field", gain)


def _blur(field: Field, sigma_pixels: float) -> Field:
    return ndimage.gaussian_filter(field, sigma_pixels, mode="nearest", truncate=3)
