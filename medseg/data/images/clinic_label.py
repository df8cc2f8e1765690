"""Label from a clinic: a DICOM SEG or RTSTRUCT as a volume, in the grid of its image."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from medseg.data.dicom.input import is_dicom
from medseg.data.dicom.labels.grid import LabelGrid, series_grid
from medseg.data.dicom.labels.label_file import label_error, label_file
from medseg.data.dicom.labels.read import read_dicom_label
from medseg.data.dicom.labels.seg_voxels import own_grid
from medseg.data.dicom.labels.segments import read_segmentation
from medseg.data.images.naming import PICTURE_SUFFIXES, is_nifti
from medseg.data.images.nifti import read_nifti_place
from medseg.data.images.volume import Volume, read_volume
from medseg.data.label_source import LabelSource, may_be_dicom
from medseg.data.problems import InputError
from medseg.data.source import Source

__all__ = ["clinic_labels_among", "image_grid", "read_clinic_label", "shared_grid"]


def read_clinic_label(source: LabelSource, grid: LabelGrid | None = None) -> Volume | None:
    """Read a label that may be a SEG or an RTSTRUCT.

    Args:
        source: The label, its image, its classes.
        grid: Voxels that it is brought to, if the source names no image.

    Returns:
        The label; None if it is neither, as a series of slices.

    Raises:
        InputError: See `read_dicom_label`; or if the image's grid cannot be read.
    """
    found = label_file(source.path)
    if found is None:
        return None
    file, kind = found
    if source.image is not None:
        grid = image_grid(source.image, source)
    label = read_dicom_label(file, kind, source, grid)
    i, j, k = (float(step) for step in np.linalg.norm(label.affine[:3, :3], axis=0))
    return Volume(
        array=label.array,
        affine=label.affine,
        spacing_mm=(i, j, k),
        dtype=label.array.dtype.name,
        doubts=label.doubts,
    )


def clinic_labels_among(files: Iterable[Path]) -> list[Path]:
    """The SEG and RTSTRUCT files among files, in the same order; hidden ones are left out."""
    return [
        path
        for path in files
        if not path.name.startswith(".")
        and not path.is_dir()
        and may_be_dicom(path)
        and label_file(path) is not None
    ]


def shared_grid(sources: Sequence[LabelSource]) -> LabelGrid | None:
    """The smallest grid that holds the frames of several SEGs; None if one is not a SEG.

    Frames that do not lie above one another leave each SEG in a grid of its own.
    """
    found = [label_file(source.path) for source in sources]
    files = [one[0] for one in found if one is not None and one[1] == "SEG"]
    if len(files) < len(sources):
        return None
    segs = [read_segmentation(file) for file in files]
    try:
        return own_grid(files[0], segs[0], segs[1:])
    except InputError:
        return own_grid(files[0], segs[0])


def image_grid(image: Path, source: LabelSource) -> LabelGrid:
    """Grid of an image, from its header alone where that suffices.

    Args:
        image: A volume's file, or a DICOM series.
        source: The label that needs it, for the error.

    Raises:
        InputError: If the image is a picture, or cannot be read.
    """
    if str(image).lower().endswith(PICTURE_SUFFIXES) and not image.is_dir():
        what = "is DICOM, and its image is a picture without millimetres"
        raise label_error(source.path, what, "use the image that it was drawn on")
    if is_nifti(image):
        shape, affine = read_nifti_place(image)
        if len(shape) >= 3 and set(shape[3:]) <= {1}:
            return LabelGrid((shape[0], shape[1], shape[2]), affine)
    elif is_dicom(image):
        return series_grid(Source(image))
    volume = read_volume(image)
    return LabelGrid(volume.shape, volume.affine)
