"""Geometry of a volume: what no patient's image has, and axes that are not at right angles."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medseg.data.limits import require_voxels
from medseg.data.problems import Problem, Where

__all__ = [
    "at_right_angles",
    "axes_problem",
    "geometry_problems",
    "place_words",
    "skew_degrees",
    "skew_problem",
    "straightened",
]

Floats = NDArray[np.float64]

# Spacings outside of it are of other units, or were never set.
_LEAST_MM, _MOST_MM = 0.01, 50
# A whole body is 2 m; five are no patient, and fill any memory at a network's spacing.
_LARGE_MM, _TOO_LARGE_MM = 2500, 5000
# Largest move of a corner that puts the axes at right angles, in voxels: rounding of affines is far
# below.
_SKEW_VOXELS = 0.1
# Cosines up to here are rounding of 32 bits, which no step minds.
_ROUNDING = 5e-7


def axes_problem(shape: Sequence[int], where: Where) -> Problem:
    """The error of an image that has more or fewer axes than a volume."""
    what = f"has {len(shape)} axes {tuple(shape)}, a volume has 3"
    remedy = "save each time point or channel as a file of its own, a slice as (I, J, 1)"
    return Problem("error", where, what, remedy)


def geometry_problems(affine: Floats, shape: Sequence[int], where: Where) -> Iterator[Problem]:
    """Yield what is remarkable about spacing and field of view."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    field = spacing * shape
    remedy = "check the unit of its voxel sizes, and scale its affine"
    mm = place_words(affine, shape)
    if field.max() > _TOO_LARGE_MM:
        yield Problem("error", where, f"is larger than any patient: {mm}", remedy)
    elif spacing.min() < _LEAST_MM or spacing.max() > _MOST_MM:
        what = f"has a spacing outside of {_LEAST_MM} to {_MOST_MM} mm: {mm}"
        yield Problem("warning", where, what, remedy)
    elif field.max() > _LARGE_MM:
        yield Problem("warning", where, f"is metres large: {mm}", remedy)


def place_words(affine: Floats, shape: Sequence[int]) -> str:
    """Spacing and field of view in words."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    return f"spacing {_by(spacing)} mm, field of view {_by(spacing * shape)} mm"


def _by(values: Floats) -> str:
    return " x ".join(f"{float(f'{value:.3g}'):g}" for value in values)


def skew_degrees(affine: Floats) -> float:
    """Largest deviation of the angle between two axes from 90 degrees."""
    return float(np.degrees(np.arcsin(np.clip(_skew_cosine(affine), 0, 1))))


def _skew_cosine(affine: Floats) -> float:
    units = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    products = units.T @ units
    return float(np.abs(products - np.diag(np.diag(products))).max())


def at_right_angles(affine: Floats, shape: Sequence[int]) -> Floats:
    """The nearest affine with axes at right angles, of the same spacing and centre.

    Recipes and labels are resampled axis by axis, which a skew of a fraction of a voxel would stop.

    Returns:
        `(4, 4)`; the same one if its axes are at right angles but for rounding.
    """
    if _skew_cosine(affine) <= _ROUNDING:
        return affine
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    turned = np.linalg.svd(affine[:3, :3] / spacing)
    regular = affine.copy()
    regular[:3, :3] = turned.U @ turned.Vh * spacing
    middle = (np.asarray(shape) - 1) / 2
    regular[:3, 3] += (affine[:3, :3] - regular[:3, :3]) @ middle
    return regular


def skew_problem(affine: Floats, shape: Sequence[int], where: Where) -> Problem | None:
    """The error of a volume whose axes are not at right angles; None if they are."""
    reach = np.abs(affine - at_right_angles(affine, shape))[:3, :3] @ ((np.asarray(shape) - 1) / 2)
    if reach.max() <= _SKEW_VOXELS * np.linalg.norm(affine[:3, :3], axis=0).min():
        return None
    degrees = skew_degrees(affine)
    what = f"its axes are not at right angles, off by {degrees:.3g} degrees (a tilted gantry?)"
    remedy = "allow its resampling (medseg predict --allow-tilt), or resample it to a regular grid"
    return Problem("error", where, what, remedy)


def straightened(
    path: Path, array: NDArray[Any], affine: Floats, where: Where
) -> tuple[NDArray[Any], Floats]:
    """Resample a volume to the grid at right angles that keeps its first axis and its planes.

    The first axis stays, the second moves within their plane, the third becomes its normal; the box
    grows to hold all voxels. Slices of a tilted stack are so shifted within their own plane only.

    Args:
        path: Name in the error.
        array: `(I, J, K)`.
        affine: `(4, 4)`, voxel indices to mm, RAS+.
        where: An `image` is interpolated linearly and padded with its least value, a `label` takes
            the nearest voxel and 0.

    Returns:
        `(I', J', K')`, float32 for an image, and its affine.

    Raises:
        InputError: If the box that holds them has more voxels than the limit.
    """
    directions = np.linalg.qr(affine[:3, :3])
    # qr may flip axes; keep the directions of the old ones.
    axes = directions.Q * np.sign(np.diag(directions.R))
    steps = np.abs(np.diag(directions.R))
    # Old indices to new ones, before the box is moved to begin at 0.
    turn = np.linalg.inv(axes * steps) @ affine[:3, :3]
    last = np.array(array.shape)[:, None] - 1
    ends = turn @ (np.indices((2, 2, 2)).reshape(3, 8) * last)
    low = np.floor(ends.min(axis=1) + 1e-6)
    shape = (np.ceil(ends.max(axis=1) - 1e-6) - low + 1).astype(int)
    require_voxels(path, shape, where=where)
    moved = np.eye(4)
    moved[:3, :3] = axes * steps
    moved[:3, 3] = affine[:3, 3] + moved[:3, :3] @ low
    back = np.linalg.inv(turn)
    label = where == "label"
    source = array if label else array.astype(np.float32)
    resampled = cast("Any", ndimage).affine_transform(
        source,
        back,
        back @ low,
        tuple(shape),
        order=0 if label else 1,
        # A place that rounding puts just outside is not all padding, as in mode `constant`.
        mode="grid-constant",
        cval=0 if label else float(source.min()),
    )
    return resampled, moved
