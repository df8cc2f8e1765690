"""Display orientation of patches: radiological for patients, rows and columns for pictures.

Arrays become volumes whose axes run across, down and through the page; a 2-D image has one
slice.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from monai.data.utils import to_affine_nd
from numpy.typing import NDArray

from medseg.reports.hanging import Hanging, hang

__all__ = ["View", "picture_view", "volume_view"]

# Rows run down, columns across, as `RasterReader` reads pictures.
_ROWS_FIRST = np.array([[0.0, -1, 0, 0], [-1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """Layout of arrays of one orientation.

    Attributes:
        hanging: Reorientation of the axes.
        sides: Names of the left and the right of the page, if known.
        unit: Unit of the recipe's lengths: `mm`, or `px` for pictures.
    """

    hanging: Hanging
    sides: tuple[str, str] | None
    unit: str

    @property
    def axes(self) -> tuple[int, int, int]:
        """The array's axes that run across, down and through."""
        across, down, through = np.argsort(self.hanging.transform[:, 0]).tolist()
        return across, down, through

    def turn(self, channels: NDArray[Any]) -> NDArray[Any]:
        """Lay out `(C, *spatial)` as `(C, across, down, through)`."""
        volumes = channels if channels.ndim == 4 else channels[..., None]
        return np.stack([self.hanging.turn(volume) for volume in volumes])

    def size_mm(self, across: int, down: int) -> tuple[float, float]:
        """Width and height of `across` by `down` voxels."""
        return across * self.hanging.spacing_mm[0], down * self.hanging.spacing_mm[1]


def volume_view(image: Any) -> View:
    """Axial slices with the patient's right on the left, by the image's affine.

    Args:
        image: `(C, *spatial)`; without an affine, RAS with 1 mm is assumed. A 2-D image whose
            plane is not axial is shown as stored.
    """
    spatial = tuple(image.shape[1:])
    affine = _affine(image)
    hanging = hang((*spatial, 1)[:3], affine)
    view = View(hanging=hanging, sides=("R", "L"), unit="mm")
    if len(spatial) == 2 and view.axes[2] != 2:
        size = np.linalg.norm(affine[:3, :3], axis=0)
        stored = hang((*spatial, 1), np.diag([-size[0], -size[1], size[2], 1]))
        return View(hanging=stored, sides=None, unit="mm")
    return view


def picture_view(image: Any) -> View:
    """Rows downwards and columns to the right, pixels square.

    Args:
        image: `(C, I, J)`, I the row, J the column.
    """
    return View(hanging=hang((*image.shape[1:], 1), _ROWS_FIRST), sides=None, unit="px")


def _affine(image: Any) -> NDArray[np.float64]:
    affine = getattr(image, "affine", None)
    return np.asarray(to_affine_nd(3, np.eye(4) if affine is None else np.asarray(affine)))
