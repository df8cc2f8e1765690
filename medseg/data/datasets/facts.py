"""Facts about the cases of a data set, as plain values for tables and JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.data.digest import voxels_sha256
from medseg.data.images.picture import Picture
from medseg.data.images.volume import Volume
from medseg.data.manifest import Label
from medseg.data.problems import Problem, Severity

__all__ = ["CaseReport", "DatasetReport", "ImageFacts", "LabelFacts", "image_facts", "label_facts"]

PERCENTILES = (0.0, 0.5, 99.5, 100.0)


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """Facts about an image.

    Attributes:
        shape: Voxels along I, J and K.
        spacing_mm: Along I, J and K; None for pictures, which have no millimetres.
        orientation: Directions of the axes, e.g. `RAS`; `unknown` for pictures.
        dtype: Type of the stored values.
        intensity: Minimum, 0.5th and 99.5th percentile, maximum of the finite voxels; None if
            no voxel is finite.
        voxels_sha256: Digest of shape and values; equal for copies of one image.
        others: Of the other channels, where there are several.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float] | None
    orientation: str
    dtype: str
    intensity: tuple[float, ...] | None
    voxels_sha256: str
    others: "tuple[ImageFacts, ...]" = ()


@dataclass(frozen=True, kw_only=True)
class LabelFacts:
    """Number of voxels and volume of one label value; the volume is None if unknown."""

    value: int
    name: str
    voxels: int
    volume_ml: float | None


@dataclass(frozen=True, kw_only=True)
class CaseReport:
    """Facts and problems of one case.

    Attributes:
        case: Identifier of the case.
        patient: Identifier of the patient.
        place: `fold 0`, `training` without a fold, or `test`.
        image: Facts about the image, or None if it cannot be read.
        labels: Each value that the manifest names, also those without a voxel; empty if the label
            cannot be read or there is none.
        problems: Problems of image and label.
        sketch: Coarse picture of an image of one slice, to compare it with others; None for others.
    """

    case: str
    patient: str
    place: str
    image: ImageFacts | None
    labels: tuple[LabelFacts, ...]
    problems: tuple[Problem, ...]
    sketch: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class DatasetReport:
    """Reports of all cases, and the problems of the data set as a whole."""

    name: str
    cases: tuple[CaseReport, ...]
    problems: tuple[Problem, ...]

    def count(self, severity: Severity) -> int:
        """Number of problems of this severity, in all cases and in the data set as a whole."""
        every = [*self.problems, *(problem for case in self.cases for problem in case.problems)]
        return sum(problem.severity == severity for problem in every)


def image_facts(image: Volume | Picture) -> ImageFacts:
    """Collect the facts about an image."""
    return ImageFacts(
        shape=image.shape,
        spacing_mm=image.spacing_mm,
        orientation=image.orientation,
        dtype=image.dtype,
        intensity=_intensity(image.array),
        voxels_sha256=voxels_sha256(image.array),
        others=() if isinstance(image, Picture) else tuple(map(image_facts, image.others)),
    )


def _intensity(array: NDArray[Any]) -> tuple[float, ...] | None:
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    if finite.size == 0:
        return None
    return tuple(float(value) for value in np.percentile(finite, PERCENTILES))


def label_facts(
    counts: Mapping[float, int],
    labels: Sequence[Label],
    spacing_mm: tuple[float, float, float] | None,
) -> tuple[LabelFacts, ...]:
    """Collect the facts about a label.

    Args:
        counts: Voxels of each value.
        labels: Values that the manifest names; others are left out.
        spacing_mm: The label's spacing, or None if unknown.
    """
    voxel_ml = None if spacing_mm is None else float(np.prod(spacing_mm)) / 1000
    return tuple(
        LabelFacts(
            value=label.value,
            name=label.name,
            voxels=counts.get(label.value, 0),
            volume_ml=None if voxel_ml is None else counts.get(label.value, 0) * voxel_ml,
        )
        for label in labels
    )
