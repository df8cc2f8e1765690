"""A volume as a radiologist hangs it: the patient's right on the left of the picture.

Files store their axes in any order and direction. All that pictures need to know about it
is settled here once: the array is turned until its axes run to the patient's left, back
and head, so that a row of pixels is a row of the array.
"""

from dataclasses import dataclass
from typing import Any, cast

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

__all__ = ["Hanging", "hang"]

# Axis 0 runs to the left and is drawn rightwards, axis 1 to the back and is drawn downwards.
_DRAWN = ("L", "P", "S")
# nibabel has no complete annotations.
_orientations = cast("Any", nib.orientations)


@dataclass(frozen=True, eq=False)
class Hanging:
    """How to turn arrays of one grid.

    Attributes:
        transform: nibabel's orientation transform, from the file's axes to the drawn ones.
        affine: Drawn voxel to mm, RAS+.
        spacing_mm: Size of a voxel along the drawn axes.
    """

    transform: NDArray[np.float64]
    affine: NDArray[np.float64]
    spacing_mm: tuple[float, float, float]

    def turn(self, array: NDArray[Any]) -> NDArray[Any]:
        """The array `(I, J, K)` with its axes towards left, posterior, superior; a view."""
        return _orientations.apply_orientation(array, self.transform)

    def front_and_top_mm(self, index: tuple[float, float, float]) -> tuple[float, float]:
        """How far in front of and above the scanner's origin a drawn voxel lies."""
        place = self.affine @ np.array([*index, 1.0])
        return float(place[1]), float(place[2])


def hang(shape: tuple[int, ...], affine: NDArray[np.float64]) -> Hanging:
    """Find the turn for volumes of this shape and affine.

    Of an oblique volume, each axis goes to the direction it is nearest to; nothing is resampled.
    """
    start = _orientations.io_orientation(affine)
    goal = _orientations.axcodes2ornt(_DRAWN)
    transform = _orientations.ornt_transform(start, goal)
    drawn = affine @ _orientations.inv_ornt_aff(transform, shape)
    i, j, k = (float(mm) for mm in np.linalg.norm(drawn[:3, :3], axis=0))
    return Hanging(transform=transform, affine=drawn, spacing_mm=(i, j, k))
