"""Grid of a label: the voxels that it is brought to, and what may refer to them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medseg.data.dicom.choice import find_series, unreadable_error
from medseg.data.dicom.input import open_input
from medseg.data.dicom.pixels import without_copies
from medseg.data.dicom.stack import Stack, stack_frames
from medseg.data.source import Source

__all__ = ["LabelGrid", "affine_lps", "series_grid"]

# From DICOM's axes to RAS+, and back.
_FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class LabelGrid:
    """Voxels of an image, without their values.

    Attributes:
        shape: Voxels along I, J and K.
        affine: `(4, 4)`, from voxel indices to millimetres, RAS+.
        frame_of_reference: FrameOfReferenceUID; empty if it is not known, as of NIfTI.
        series_uid: SeriesInstanceUID; likewise.
        sop_uids: SOPInstanceUIDs of its slices; likewise.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    frame_of_reference: str = ""
    series_uid: str = ""
    sop_uids: frozenset[str] = frozenset()

    def indices(self, lps_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Voxel indices `(N, 3)` of places in DICOM's millimetres, `(N, 3)`."""
        inverse = np.linalg.inv(self.affine) @ _FLIP
        return lps_mm @ inverse[:3, :3].T + inverse[:3, 3]

    def place_lps(self, index: tuple[float, float, float]) -> NDArray[np.float64]:
        """Place of a voxel in DICOM's millimetres, `(3,)`."""
        return (_FLIP @ self.affine @ np.array([*index, 1.0]))[:3]


def affine_lps(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """An affine to DICOM's millimetres as one to RAS+, or the reverse."""
    return _FLIP @ affine


def series_grid(source: Source) -> LabelGrid:
    """Grid of a DICOM series, from its headers alone.

    Raises:
        InputError: If `read_dicom_series` refuses the series for its slices.
    """
    with open_input(source.path) as files:
        series = find_series(source, files)
        if series.damaged or series.missing:
            raise unreadable_error(series)
        frames, _ = without_copies(series.uid, series.frames, files.open)
    stack = stack_frames(series.uid, frames)
    _require_regular(stack)
    first = stack.frames[0]
    columns, rows = first.shape
    return LabelGrid(
        shape=(columns, rows, len(stack.frames)),
        affine=stack.affine,
        frame_of_reference=first.identifiers.frame_of_reference_uid,
        series_uid=series.uid,
        sop_uids=frozenset(frame.sop_uid for frame in stack.frames),
    )


def _require_regular(stack: Stack) -> None:
    if not stack.is_straight:
        raise stack.tilt_error()
    if not stack.is_even:
        raise stack.gaps_error()
