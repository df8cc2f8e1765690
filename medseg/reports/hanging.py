"""Radiological display orientation: axes turned to left, posterior, superior.

Files store axes in any order and direction. Pictures deal with that here, once: arrays are
reoriented so that their axes run to the patient's left, back and head, and a row of pixels is a
row of the array, with the patient's right on the left.
"""

from dataclasses import dataclass
from typing import Any, cast

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

__all__ = ["Hanging", "hang"]

# Axis 0 runs to the patient's left, drawn rightwards; axis 1 to the back, drawn downwards.
_DRAWN = ("L", "P", "S")
# nibabel has no complete annotations.
_orientations = cast("Any", nib.orientations)


@dataclass(frozen=True, eq=False)
class Hanging:
    """Reorientation of the arrays of one grid for display.

    Attributes:
        transform: nibabel's orientation transform, from the file's axes to the displayed ones.
        affine: Displayed voxel to mm, RAS+.
        spacing_mm: Size of a voxel along the displayed axes.
    """

    transform: NDArray[np.float64]
    affine: NDArray[np.float64]
    spacing_mm: tuple[float, float, float]

    @property
    def oblique_degrees(self) -> float:
        """Largest angle between an axis and the direction of the body that it is assigned."""
        cosines = np.abs(self.affine[:3, :3] / self.spacing_mm).max(axis=0)
        # Rounding may take a cosine beyond 1.
        return float(np.degrees(np.arccos(cosines.clip(max=1))).max())

    def turn(self, array: NDArray[Any]) -> NDArray[Any]:
        """Reorient `(I, J, K)` to axes towards left, posterior, superior; a view."""
        return _orientations.apply_orientation(array, self.transform)

    def stored_index(self, axis: int, index: int, size: int) -> tuple[int, int]:
        """Axis of the file, and index along it, of a displayed slice.

        Args:
            axis: The displayed axis.
            index: Index along it.
            size: Number of voxels along it.
        """
        stored = int(np.flatnonzero(self.transform[:, 0] == axis)[0])
        return stored, index if self.transform[stored, 1] > 0 else size - 1 - index

    def front_and_top_mm(self, index: tuple[float, float, float]) -> tuple[float, float]:
        """Distance of a displayed voxel in front of and above the scanner's origin, in mm."""
        position = self.affine @ np.array([*index, 1.0])
        return float(position[1]), float(position[2])


def hang(shape: tuple[int, ...], affine: NDArray[np.float64]) -> Hanging:
    """Find the display orientation for volumes of this shape and affine.

    Each axis of an oblique volume is assigned the nearest direction; nothing is resampled.
    """
    start = _orientations.io_orientation(affine)
    goal = _orientations.axcodes2ornt(_DRAWN)
    transform = _orientations.ornt_transform(start, goal)
    drawn = affine @ _orientations.inv_ornt_aff(transform, shape)
    i, j, k = (float(mm) for mm in np.linalg.norm(drawn[:3, :3], axis=0))
    return Hanging(transform=transform, affine=drawn, spacing_mm=(i, j, k))
