"""Fingerprint of an image: modality, spacing, field of view and intensities, as stored.

Weights carry the fingerprints of the images they were trained on. Where a later image lies outside
of them, a network labels it all the same, and what it finds means little: so it is told.

Nothing here reads a file, and percentiles are those of some 100,000 voxels: a few milliseconds.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from medseg.data.images.picture import Picture
from medseg.data.images.volume import Volume
from medseg.data.problems import Problem

__all__ = ["Fingerprint", "Span", "Trained", "fingerprint", "span", "unlike_training"]

PERCENTILES = (0.5, 5.0, 25.0, 50.0, 75.0, 95.0, 99.5)
SAMPLE_VOXELS = 100_000
AXES = ("R-L", "A-P", "S-I")

# Lowest and highest.
Span = tuple[float, float]

# Modalities that DICOM knows, too.
_OF_DICOM = ("CT", "MR", "PT", "US")
# Tolerances, as factors of the training's lowest and highest. A recipe that resamples loses nothing
# of finer voxels; lengths along a patient vary, and a network walks over a larger image.
_FINER, _COARSER = 4.0, 2.0
_SMALLER, _LARGER = 1.6, 2.0
_PIXELS = 4.0
# Of an intensity: the width of its own span, or this share of all intensities.
_NARROW = 0.2
# Resampling rings a little below 0.
_NEGATIVE = 0.1

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
    """

    modality: str | None
    spacing_mm: tuple[float, ...] | None
    extent_mm: tuple[float, ...]
    percentiles: Mapping[str, float]


class Trained(Protocol):
    """Fingerprint of the images of a training: the span of each number over the images."""

    @property
    def modality(self) -> str:
        """E.g. `CT`."""
        ...

    @property
    def spacing_mm(self) -> tuple[Span, ...] | None:
        """Along R-L, A-P and S-I; None of pictures."""
        ...

    @property
    def extent_mm(self) -> tuple[Span, ...]:
        """Along the same axes; height and width of pictures in pixels."""
        ...

    @property
    def percentiles(self) -> Mapping[str, Span]:
        """By percentile, its number as text."""
        ...


def fingerprint(image: Volume | Picture) -> Fingerprint:
    """Fingerprint of an image as read."""
    percentiles = _percentiles(image.array)
    if isinstance(image, Picture):
        height, width, _ = image.shape
        extent = (float(height), float(width))
        return Fingerprint(
            modality=None, spacing_mm=None, extent_mm=extent, percentiles=percentiles
        )
    order = _axes(image.affine)
    spacing = tuple(image.spacing_mm[axis] for axis in order)
    return Fingerprint(
        modality=image.dicom.modality if image.dicom is not None else None,
        spacing_mm=spacing,
        extent_mm=tuple(image.shape[axis] * mm for axis, mm in zip(order, spacing, strict=True)),
        percentiles=percentiles,
    )


def _axes(affine: NDArray[np.float64]) -> tuple[int, ...]:
    """The array axis that runs along R-L, A-P and S-I; in the array's order if that is unclear."""
    along = _nibabel.io_orientation(affine)[:, 0]
    if sorted(along.tolist()) != [0, 1, 2]:
        return (0, 1, 2)
    return tuple(int(axis) for axis in np.argsort(along))


def _percentiles(array: NDArray[Any]) -> dict[str, float]:
    voxels = array.ravel(order="K")[:: _step(array.shape)]
    finite = voxels[np.isfinite(voxels)]
    if finite.size == 0:
        return {}
    values = np.percentile(finite, PERCENTILES)
    return {str(number): float(value) for number, value in zip(PERCENTILES, values, strict=True)}


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


def unlike_training(found: Fingerprint, trained: Trained) -> tuple[Problem, ...]:
    """One warning if an image lies outside of those that the weights were trained on.

    Tolerances are wide: other cases of the training's data set are inside, another organ is not.

    Args:
        found: Of the image.
        trained: Of the images of the training.
    """
    reasons = [
        *_modality_reasons(found, trained),
        *_spacing_reasons(found, trained),
        *_extent_reasons(found, trained),
        *_intensity_reasons(found, trained),
    ]
    if not reasons:
        return ()
    what = f"is unlike the images that the weights were trained on: {', '.join(reasons)}"
    remedy = "check that this bundle is for such images; its label may mean nothing"
    return (Problem("warning", "image", what, remedy),)


def _modality_reasons(found: Fingerprint, trained: Trained) -> Iterator[str]:
    if found.modality and trained.modality in _OF_DICOM and found.modality != trained.modality:
        yield f"its modality is {found.modality} (there {trained.modality})"


def _spacing_reasons(found: Fingerprint, trained: Trained) -> Iterator[str]:
    if (found.spacing_mm is None) != (trained.spacing_mm is None):
        yield (
            "is a picture (there volumes)" if trained.spacing_mm else "is a volume (there pictures)"
        )
        return
    rows = zip(AXES, found.spacing_mm or (), trained.spacing_mm or (), strict=True)
    thick = _single_slices(trained)
    yield from _worst(
        (
            _excess(value, there, _FINER, _COARSER),
            f"spacing along {axis} {value:.3g} mm (there {_words(there)})",
        )
        for axis, value, there in rows
        if axis not in thick
    )


def _extent_reasons(found: Fingerprint, trained: Trained) -> Iterator[str]:
    if len(found.extent_mm) != len(trained.extent_mm):
        return
    picture = trained.spacing_mm is None
    axes, unit = (("down", "across"), "pixels") if picture else (AXES, "mm")
    smaller, larger = (_PIXELS, _PIXELS) if picture else (_SMALLER, _LARGER)
    thick = _single_slices(trained)
    yield from _worst(
        (
            _excess(value, there, smaller, larger),
            f"field of view {axis if picture else 'along ' + axis} {value:.4g} {unit} "
            f"(there {_words(there)})",
        )
        for axis, value, there in zip(axes, found.extent_mm, trained.extent_mm, strict=True)
        if axis not in thick
    )


def _single_slices(trained: Trained) -> tuple[str, ...]:
    """The axis across, if the training's images are single slices; it says nothing then."""
    rows = zip(AXES, trained.spacing_mm or (), trained.extent_mm, strict=False)
    return tuple(axis for axis, spacing, extent in rows if spacing == extent)


def _intensity_reasons(found: Fingerprint, trained: Trained) -> Iterator[str]:
    common = [key for key in trained.percentiles if key in found.percentiles]
    if not common:
        return
    spans = [trained.percentiles[key] for key in common]
    lowest, highest = min(low for low, _ in spans), max(high for _, high in spans)
    values = [found.percentiles[key] for key in common]
    if lowest >= 0 and values[0] < -_NEGATIVE * (values[-1] - values[0]):
        yield f"values down to {values[0]:.4g} (there from {lowest:.4g} on)"
        return
    yield from _worst(
        (
            max(low - value, value - high) / max(_NARROW * (highest - lowest), high - low, 1e-9),
            f"{_name(key)} {value:.4g} (there {_words((low, high))})",
        )
        for key, value, (low, high) in zip(common, values, spans, strict=True)
    )


def _worst(rated: Iterable[tuple[float, str]]) -> Iterator[str]:
    """The reason of the largest excess, if any is above 1."""
    excess, reason = max(rated, default=(0.0, ""))
    if excess > 1:
        yield reason


def _excess(value: float, there: Span, smaller: float, larger: float) -> float:
    """How far a length lies outside, 1 at the tolerance."""
    return max(there[0] / (value * smaller), value / (there[1] * larger))


def _words(there: Span) -> str:
    low, high = (f"{value:.4g}" for value in there)
    return low if low == high else f"{low} to {high}"


def _name(percentile: str) -> str:
    if float(percentile) == 50:
        return "median intensity"
    return f"intensity at {float(percentile):g} % of the voxels"
