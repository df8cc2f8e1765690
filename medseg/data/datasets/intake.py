"""Checks of an image, and of an image with its label, before training or prediction.

Training and prediction call `check_image` and `check_pair` first; bad input would otherwise fail
late and far from its cause, or not fail at all: one NaN voxel turns every weight of a network into
NaN, and a label that is shifted against its image trains without an error. `medseg data check`
applies the same checks to a whole data set without stopping.
"""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg._checks import first_few
from medseg.data.images.geometry import geometry_problems
from medseg.data.images.picture import Picture, read_image
from medseg.data.images.volume import Volume, read_volume
from medseg.data.label_kind import LabelKind, as_classes
from medseg.data.problems import Problem, refusal

__all__ = [
    "GRID_TOLERANCE_MM",
    "check_image",
    "check_pair",
    "count_values",
    "grid_problems",
    "image_problems",
    "label_problems",
]

# Rounding of affines to 32 bit and to DICOM's decimal strings stays below this.
GRID_TOLERANCE_MM = 0.01
# Labels are at most 16 bit; a file with more values is an image.
MAX_VALUES = 65536
SHOWN = 5


def check_image(path: str | Path) -> Volume:
    """Read and check an image.

    Raises:
        InputError: If it cannot be read as a scalar volume or has voxels that are not finite.
    """
    image = read_volume(path)
    _refuse_errors(path, image_problems(image))
    return image


def check_pair(
    image_path: str | Path,
    label_path: str | Path,
    label_values: Collection[int],
    label_kind: LabelKind = "classes",
    *,
    look: Callable[[Volume | Picture], object] | None = None,
) -> tuple[Problem, ...]:
    """Check an image, its label, and whether they share one grid.

    Args:
        image_path: The image.
        label_path: Its reference.
        label_values: The values that the manifest names.
        label_kind: Kind of the label file, see `as_classes`.
        look: Called with the image, so that nobody has to read it again.

    Returns:
        The warnings: a label that is all background is no error, since some patients have
        nothing to segment, and neither is a constant image.

    Raises:
        InputError: If either cannot be used, or their grids differ.
    """
    image = read_image(image_path)
    _refuse_errors(image_path, image_problems(image))
    if look is not None:
        look(image)
    label = read_image(label_path, where="label")
    problems = (
        *grid_problems(image, label),
        *label_problems(count_values(as_classes(label.array, label_kind)), label_values),
    )
    _refuse_errors(label_path, problems)
    return (*image_problems(image), *problems)


def image_problems(image: Volume | Picture) -> tuple[Problem, ...]:
    """Problems of an image's values, spacing and field of view, and ambiguities of its file."""
    return (*image.doubts, *_place_problems(image), *_value_problems(image.array))


def _place_problems(image: Volume | Picture) -> Iterator[Problem]:
    if isinstance(image, Volume):
        yield from geometry_problems(image.affine, image.shape, "image")


def _value_problems(array: NDArray[Any]) -> tuple[Problem, ...]:
    if array.dtype.kind == "f":
        bad = ~np.isfinite(array)
        count = int(bad.sum())
        if count:
            example = tuple(int(i) for i in np.unravel_index(int(bad.argmax()), array.shape))
            what = f"{count} of {array.size} voxels are NaN or infinite, e.g. voxel {example}"
            remedy = "replace them by the background's value, or leave the case out"
            return (Problem("error", "image", what, remedy),)
    if array.min() == array.max():
        what = f"all voxels are {array.flat[0]}"
        return (Problem("warning", "image", what, "check that this is the image"),)
    return ()


def grid_problems(image: Volume | Picture, label: Volume | Picture) -> tuple[Problem, ...]:
    """Problems of the label's grid: another shape or position than the image's."""
    if image.shape != label.shape:
        what = f"shape {label.shape} differs from the image's {image.shape}"
        remedy = "resample it to the image's grid by nearest neighbour"
        return (Problem("error", "label", what, remedy),)
    gap_mm = _corner_gap_mm(image, label)
    if gap_mm > GRID_TOLERANCE_MM:
        what = (
            f"its affine puts a corner of the volume {gap_mm:.3g} mm from where the image's "
            f"does (tolerance {GRID_TOLERANCE_MM} mm)"
        )
        remedy = "resample it to the image's grid, or copy the image's affine if they overlay"
        return (Problem("error", "label", what, remedy),)
    return ()


def _corner_gap_mm(image: Volume | Picture, label: Volume | Picture) -> float:
    corners = [(*corner, 1) for corner in product(*((0, size - 1) for size in image.shape))]
    gaps = np.asarray(corners) @ (image.affine - label.affine).T
    return float(np.linalg.norm(gaps[:, :3], axis=1).max())


def count_values(array: NDArray[Any]) -> dict[float, int]:
    """Number of voxels of each value, in ascending order of values, NaN last.

    Counting stops early, with a partial result, at more values than a label can have.
    """
    counts: dict[float, int] = {}
    # Slice by slice: sorting a whole CT takes seconds and several times its memory.
    for k in range(array.shape[2]):
        values, voxels = np.unique(array[:, :, k], return_counts=True)
        for value, count in zip(values.tolist(), voxels.tolist(), strict=True):
            # NaN differs from itself; using one object makes it one key.
            key = value if value == value else math.nan
            counts[key] = counts.get(key, 0) + count
        if len(counts) > MAX_VALUES:
            break
    return {key: counts[key] for key in sorted(counts, key=lambda key: (math.isnan(key), key))}


def label_problems(
    counts: Mapping[float, int], label_values: Collection[int]
) -> tuple[Problem, ...]:
    """Problems of a label's values.

    Args:
        counts: See `count_values`.
        label_values: The values that the manifest names.
    """
    fractions = [value for value in counts if not float(value).is_integer()]
    if fractions:
        what = f"holds values that are not whole numbers: {_listed(fractions)}"
        remedy = "resample labels by nearest neighbour, and check that this is the label"
        return (Problem("error", "label", what, remedy),)
    unnamed = [value for value in counts if value not in label_values]
    if unnamed:
        named = _listed(sorted(label_values))
        what = f"holds {_listed(unnamed)}, but the manifest names only {named}"
        return (Problem("error", "label", what, _remedy_for(set(counts))),)
    if set(counts) == {0}:
        remedy = "fine if this patient has nothing to segment; else check the file"
        return (Problem("warning", "label", "is all background", remedy),)
    return ()


def _remedy_for(values: set[float]) -> str:
    if len(values) == 2 and 0 in values:
        return f"map {max(values):g} to 1"
    return "name them in the manifest, or map them to the values it names"


def _listed(values: Iterable[float]) -> str:
    return first_few((f"{value:g}" for value in values), SHOWN)


def _refuse_errors(path: str | Path, problems: Iterable[Problem]) -> None:
    for problem in problems:
        if problem.severity == "error":
            raise refusal(path, problem)
