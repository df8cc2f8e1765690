"""Facts about the cases of a data set, as the plain values that tables and JSON are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    """What an image holds.

    Attributes:
        shape: Voxels along I, J and K.
        spacing_mm: Along I, J and K; none for pictures, which have no millimetres.
        orientation: Where the axes point, e.g. `RAS`; `unknown` for pictures.
        dtype: Type of the stored values.
        intensity: Minimum, 0.5th and 99.5th percentile, maximum of the finite voxels; none if
            no voxel is finite.
        voxels_sha256: Digest of shape and values; equal for copies of one image.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float] | None
    orientation: str
    dtype: str
    intensity: tuple[float, ...] | None
    voxels_sha256: str


@dataclass(frozen=True, kw_only=True)
class LabelFacts:
    """One value of a label: how often, and how much of the body that is; none if unknown."""

    value: int
    name: str
    voxels: int
    volume_ml: float | None


@dataclass(frozen=True, kw_only=True)
class CaseReport:
    """One case: facts where they could be read, and the problems.

    Attributes:
        case: Its name.
        patient: Whose image it is.
        place: `fold 0`, `training` where it has no fold, or `test`.
        image: What the image holds, or none if it cannot be read.
        labels: Each value the manifest names, also those with no voxel; empty if the label
            cannot be read or there is none.
        problems: What was found.
    """

    case: str
    patient: str
    place: str
    image: ImageFacts | None
    labels: tuple[LabelFacts, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class DatasetReport:
    """All cases, and the problems that no single case shows."""

    name: str
    cases: tuple[CaseReport, ...]
    problems: tuple[Problem, ...]

    def count(self, severity: Severity) -> int:
        """Number of problems of this severity, in the cases and in the whole."""
        every = [*self.problems, *(problem for case in self.cases for problem in case.problems)]
        return sum(problem.severity == severity for problem in every)


def image_facts(image: Volume | Picture) -> ImageFacts:
    """Measure an image."""
    return ImageFacts(
        shape=image.shape,
        spacing_mm=image.spacing_mm,
        orientation=image.orientation,
        dtype=image.dtype,
        intensity=_intensity(image.array),
        voxels_sha256=voxels_sha256(image.array),
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
    """Name and measure the values of a label.

    Args:
        counts: Voxels of each value.
        labels: What the manifest names; other values are left out.
        spacing_mm: The label's spacing, or none if it is unknown.
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
