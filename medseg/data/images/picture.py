"""Pictures (PNG, TIFF, JPEG, BMP) in the form of volumes of one slice.

Checks of a data set treat both alike. A picture has pixels but no millimetres: it may be checked
and trained on, but no tool here reports a length or a volume in mm for it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.data.images.naming import is_raster
from medseg.data.images.raster import Content, read_pixels
from medseg.data.images.volume import Volume, read_volume
from medseg.data.label_source import LabelSource, as_label_source
from medseg.data.problems import Problem, Where

__all__ = ["Picture", "read_image", "read_label", "read_picture"]


@dataclass(frozen=True, eq=False)
class Picture:
    """One 2-D image, in the shape of a volume of one slice.

    Attributes:
        array: `(I, J, 1)`, or `(I, J, 1, 3)` for RGB; I = row from the top, J = column; an image
            is brightness from 0 to 255, see `read_raster`.
        dtype: Type of the stored values, e.g. `uint8`, or `uint8 RGB`.
        doubts: Warnings about ambiguities of the file.
    """

    array: NDArray[Any]
    dtype: str
    doubts: tuple[Problem, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of pixels along I and J, and 1."""
        return self.array.shape[0], self.array.shape[1], 1

    @property
    def affine(self) -> NDArray[np.float64]:
        """The identity, equal for all pictures, so that grids differ by shape only."""
        return np.eye(4)

    @property
    def spacing_mm(self) -> None:
        """Unknown."""

    @property
    def orientation(self) -> str:
        """Unknown."""
        return "unknown"


def read_image(path: str | Path, *, where: Where = "image") -> Volume | Picture:
    """Read a volume or a picture, by file suffix.

    Args:
        path: See `read_volume` and `read_raster`.
        where: Whether errors mention an image or a label. For a label that is a picture, palette
            indices are read as numbers, and colours are refused.

    Raises:
        InputError: If it is missing, damaged, or of another format.
    """
    if where == "label":
        return read_label(path)
    return read_picture(path, where=where) if is_raster(path) else read_volume(path, where=where)


def read_label(label: LabelSource | str | Path) -> Volume | Picture:
    """Read a label: a volume, a picture, or a SEG or RTSTRUCT in the grid of its image.

    Args:
        label: A path, or for DICOM its source, as value or as text.

    Raises:
        InputError: See `read_image` and `read_clinic_label`.
    """
    source = as_label_source(label)
    if source is not None:
        # Imported on first use: pydicom and highdicom are slow, and most labels are not DICOM.
        from medseg.data.images.clinic_label import read_clinic_label

        return read_clinic_label(source) or read_volume(source.path, where="label")
    path = Path(str(label))
    return (
        read_picture(path, "label", where="label")
        if is_raster(path)
        else read_volume(path, where="label")
    )


def read_picture(path: str | Path, content: Content = "any", *, where: Where = "image") -> Picture:
    """Read a picture; arguments and errors are those of `read_raster`."""
    channels, dtype, doubts = read_pixels(path, content, where=where)
    colour = len(channels) == 3
    array = np.moveaxis(channels, 0, -1)[:, :, None] if colour else channels[0][..., None]
    return Picture(array=array, dtype=dtype + (" RGB" if colour else ""), doubts=doubts)
