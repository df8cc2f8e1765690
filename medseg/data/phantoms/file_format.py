"""File formats that phantoms are written in, by their words."""

from typing import Literal

__all__ = ["FileFormat"]

FileFormat = Literal["nifti", "dicom"]
