"""File formats of phantoms, by their words."""

from typing import Literal

__all__ = ["FileFormat"]

FileFormat = Literal["nifti", "dicom"]
