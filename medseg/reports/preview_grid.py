"""Deformation grid and caption of a warp: contour lines of where each voxel came from, and words.

Lines drawn into a volume would be blurred and broken by the warp. Voxel indices are smooth, survive
linear resampling unharmed, and their contour lines can be drawn at the resolution of the page.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Places", "grid_lines", "line_distance", "step_words", "warp_words"]

Floats = NDArray[np.float32]

MOST_LINES = 16


class Places:
    """A lazy volume of its own voxel indices, one channel per axis; it takes no memory."""

    def __init__(self, spatial: Sequence[int]) -> None:
        """Set the spatial shape."""
        self.shape = (len(spatial), *spatial)
        self.dtype = np.dtype(np.float32)

    def __getitem__(self, window: tuple[slice, ...]) -> Floats:
        """Voxel indices in a box: one slice for the channels, one for each axis."""
        axes = [
            np.arange(*part.indices(n), dtype=np.float32)
            for n, part in zip(self.shape[1:], window[1:], strict=True)
        ]
        return np.stack(np.meshgrid(*axes, indexing="ij"))[window[0]]


def line_distance(size: Sequence[int]) -> int:
    """Voxels between two lines: 8, doubled until at most 16 lines cross the patch.

    Args:
        size: Voxels of the patch along the two drawn axes.
    """
    distance = 8
    while max(size) > MOST_LINES * distance:
        distance *= 2
    return distance


def grid_lines(places: NDArray[Any], distance: int, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Mask of the grid lines in a picture.

    Args:
        places: `(n, rows, columns)`, voxel index that each pixel came from, along each axis of
            which lines are drawn.
        distance: Between lines, in voxels.
        size: Width and height of the picture.

    Returns:
        `(height, width)`, True on lines of one pixel.
    """
    lines = np.zeros(size[::-1], dtype=bool)
    for along in places:
        fine = Image.fromarray(along.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
        # Lines half-way between voxels: rounding cannot move an integer index across one.
        cell = np.floor((np.asarray(fine) + 0.5) / distance)
        lines[:, 1:] |= cell[:, 1:] != cell[:, :-1]
        lines[1:] |= cell[1:] != cell[:-1]
    return lines


def warp_words(record: Mapping[str, Any], unit: str) -> str:
    """Describe a warp.

    The words name one way to the same map: a turn by 170 degrees is two flips and a turn by 10.

    Args:
        record: Parameters from `RandWarpPatchd`: `matrix`, `shift_mm`, `displacement_mm`.
        unit: Unit of lengths, `mm` or `px`.
    """
    matrix = np.asarray(record["matrix"], np.float64)
    signs = np.where(np.diag(matrix) < 0, -1.0, 1.0)
    flipped = np.flatnonzero(signs < 0).tolist()
    unflipped = matrix * signs
    parts = [f"flip {' '.join(map(str, flipped))}"] if flipped else []
    parts += _turn_and_zoom(unflipped)
    shift = float(np.linalg.norm(record["shift_mm"]))
    parts += [f"shift {shift:.0f} {unit}"] if shift else []
    if record["displacement_mm"] is not None:
        furthest = np.linalg.norm(np.asarray(record["displacement_mm"]), axis=0).max()
        parts.append(f"elastic up to {furthest:.1f} {unit}")
    return ", ".join(parts) or "not warped"


def _turn_and_zoom(matrix: Any) -> list[str]:
    axes = len(matrix)
    left, _, right = np.linalg.svd(matrix)
    cosine = (np.trace(left @ right) - (axes - 2)) / 2
    degrees = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    zoom = abs(float(np.linalg.det(matrix))) ** (-1 / axes)
    turned = [f"turn {degrees:.0f}°"] if degrees >= 0.5 else []
    return [*turned, f"zoom {zoom:.2f}"] if abs(zoom - 1) >= 0.005 else turned


def step_words(names: Sequence[str]) -> str:
    """The steps that changed an image, without the common part of their names."""
    plain = [name.removeprefix("Rand").removesuffix("d") for name in names]
    return ", ".join(name for name in plain if name != "WarpPatch")
