"""Grids of an image and its label: the same place voxel by voxel, or why not.

A label may have the image's voxels in another order of axes, as programs that turn everything to
RAS leave it. It is then brought to the image's grid exactly, without resampling.
"""

from dataclasses import replace
from itertools import product
from typing import Any, TypeVar, cast

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from medseg.data.images.picture import Picture
from medseg.data.images.volume import Volume
from medseg.data.problems import Problem

__all__ = ["GRID_TOLERANCE_MM", "corner_gap_mm", "grid_problems", "same_axes"]

# Rounding of affines to 32 bit and to DICOM's decimal strings stays below this.
GRID_TOLERANCE_MM = 0.01

Image = TypeVar("Image", Volume, Picture, Volume | Picture)

# nibabel's types say Unknown where a caller needs to know.
_nibabel = cast("Any", nib)


def grid_problems(
    image: Volume | Picture, label: Volume | Picture, *, other: str = "the image's"
) -> tuple[Problem, ...]:
    """Problems of the label's grid: another shape or position than the image's.

    Args:
        image: Whose grid it should have.
        label: Checked.
        other: What errors call the image's grid, e.g. `the reference's`.
    """
    if isinstance(image, Picture) != isinstance(label, Picture):
        kinds = ("picture", "volume") if isinstance(label, Picture) else ("volume", "picture")
        owner = other.removesuffix("'s")
        what = f"is a {kinds[0]}, and {owner} is a {kinds[1]}"
        remedy = "save both in the same kind of format, pictures as PNG or TIFF"
        return (Problem("error", "label", what, remedy),)
    turned = same_axes(image, label)
    if turned is not label and not _differ(image, turned):
        what = (
            f"has {other} voxels with other axes: its orientation is {label.orientation}, {other} "
            f"{image.orientation}"
        )
        remedy = (
            "save both with the same axes (nibabel.as_closest_canonical), and look whether they "
            "overlay"
        )
        return (Problem("error", "label", what, remedy),)
    if image.shape != label.shape:
        what = f"shape {label.shape} differs from {other} {image.shape}"
        remedy = "resample it to that grid by nearest neighbour, or use the label of this image"
        return (Problem("error", "label", what, remedy),)
    gap_mm = corner_gap_mm(image.shape, image.affine, label.affine)
    if gap_mm > GRID_TOLERANCE_MM:
        what = (
            f"its affine puts a corner of the volume {gap_mm:.3g} mm from where {other} does "
            f"(tolerance {GRID_TOLERANCE_MM} mm)"
        )
        remedy = (
            "resample it to that grid by nearest neighbour; copy the other affine only if you see "
            "that they overlay voxel by voxel"
        )
        return (Problem("error", "label", what, remedy),)
    return ()


def same_axes(image: Volume | Picture, label: Image) -> Image:
    """The label with its axes in the image's order and directions.

    Returns:
        The label itself if it has them already or is a picture, else a copy whose array is a
        view: axes swapped and flipped, no voxel changed.
    """
    if isinstance(label, Picture) or label.orientation == image.orientation:
        return label
    have, want = (_nibabel.io_orientation(one.affine) for one in (label, image))
    if np.isnan(have).any() or np.isnan(want).any():
        return label
    turn = _nibabel.orientations.ornt_transform(have, want)
    array = cast("NDArray[Any]", _nibabel.apply_orientation(label.array, turn))
    affine = label.affine @ _nibabel.orientations.inv_ornt_aff(turn, label.shape)
    i, j, k = (float(step) for step in np.sqrt((affine[:3, :3] ** 2).sum(axis=0)))
    return cast("Image", replace(label, array=array, affine=affine, spacing_mm=(i, j, k)))


def _differ(image: Volume | Picture, label: Volume | Picture) -> bool:
    if image.shape != label.shape:
        return True
    return corner_gap_mm(image.shape, image.affine, label.affine) > GRID_TOLERANCE_MM


def corner_gap_mm(
    shape: tuple[int, ...], one: NDArray[np.float64], other: NDArray[np.float64]
) -> float:
    """Largest distance in mm between the corners of a volume by one affine and by another."""
    corners = [(*corner, 1) for corner in product(*((0, size - 1) for size in shape))]
    gaps = np.asarray(corners) @ (one - other).T
    return float(np.linalg.norm(gaps[:, :3], axis=1).max())
