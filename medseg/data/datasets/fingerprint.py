"""Fingerprint of an image: modality, spacing, field of view and intensities, as stored.

Weights carry the fingerprints of the images they were trained on. Where a later image lies outside
of them, a network labels it all the same, and what it finds means little: so it is told.

Nothing here reads a file, and percentiles are those of some 100,000 voxels: a few milliseconds.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from medseg.data.images.picture import Picture
from medseg.data.images.volume import Volume

__all__ = ["AXES", "Fingerprint", "Span", "fingerprint", "span"]

PERCENTILES = (0.5, 50.0, 99.5)
# Of the foreground: what is brighter than this share of the range, so not the air around a patient.
FOREGROUND_PERCENTILES = (10.0, 50.0, 90.0)
FOREGROUND = 0.1
SAMPLE_VOXELS = 100_000
AXES = ("R-L", "A-P", "S-I")

# Lowest and highest.
Span = tuple[float, float]

# nibabel's types say Unknown where a caller needs to know.
_nibabel = cast("Any", nib)


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """Fingerprint of one image.

    Attributes:
        modality: Of a DICOM series; None for formats that do not state one.
        spacing_mm: Along R-L, A-P and S-I; None for pictures.
        extent_mm: Field of view along the same axes; of pictures height and width in pixels.
        percentiles: Intensity by percentile, its number as text; empty if no voxel is finite.
        foreground: Percentiles of the foreground, from 0 to 1 between the 0.5th and the 99.5th of
            all voxels; so they depend on the part of the body, not on the scale of intensities.
        others: Of the other channels of a volume, each in its own grid.
    """

    modality: str | None
    spacing_mm: tuple[float, ...] | None
    extent_mm: tuple[float, ...]
    percentiles: Mapping[str, float]
    foreground: Mapping[str, float]
    others: "tuple[Fingerprint, ...]" = ()


def fingerprint(image: Volume | Picture) -> Fingerprint:
    """Fingerprint of an image as read."""
    percentiles, foreground = _intensities(image.array)
    if isinstance(image, Picture):
        height, width, _ = image.shape
        return Fingerprint(
            modality=None,
            spacing_mm=None,
            extent_mm=(float(height), float(width)),
            percentiles=percentiles,
            foreground=foreground,
        )
    order = _axes(image.affine)
    spacing = tuple(image.spacing_mm[axis] for axis in order)
    return Fingerprint(
        modality=image.dicom.modality if image.dicom is not None else None,
        spacing_mm=spacing,
        extent_mm=tuple(image.shape[axis] * mm for axis, mm in zip(order, spacing, strict=True)),
        percentiles=percentiles,
        foreground=foreground,
        others=tuple(map(fingerprint, image.others)),
    )


def _axes(affine: NDArray[np.float64]) -> tuple[int, ...]:
    """The array axis that runs along R-L, A-P and S-I; in the array's order if that is unclear."""
    along = _nibabel.io_orientation(affine)[:, 0]
    if sorted(along.tolist()) != [0, 1, 2]:
        return (0, 1, 2)
    return tuple(int(axis) for axis in np.argsort(along))


def _intensities(array: NDArray[Any]) -> tuple[dict[str, float], dict[str, float]]:
    voxels = array.ravel(order="K")[:: _step(array.shape)]
    finite = voxels[np.isfinite(voxels)].astype(np.float64)
    if finite.size == 0:
        return {}, {}
    percentiles = _percentiles(finite, PERCENTILES)
    low, _, high = percentiles.values()
    if not high > low:
        return percentiles, {}
    share = (finite - low) / (high - low)
    return percentiles, _percentiles(share[share > FOREGROUND], FOREGROUND_PERCENTILES)


def _percentiles(values: NDArray[np.float64], numbers: Sequence[float]) -> dict[str, float]:
    if values.size == 0:
        return {}
    found = np.percentile(values, numbers)
    return {str(number): float(value) for number, value in zip(numbers, found, strict=True)}


def _step(shape: Sequence[int]) -> int:
    """Stride of the sample; coprime with all sizes, or it would see some columns only."""
    step = max(1, math.prod(shape) // SAMPLE_VOXELS)
    while step > 1 and any(math.gcd(step, size) > 1 for size in shape):
        step += 1
    return step


def span(values: Iterable[float]) -> Span:
    """Lowest and highest of some values, at least one."""
    ordered = sorted(values)
    return ordered[0], ordered[-1]
