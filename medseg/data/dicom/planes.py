"""Label planes: a label resampled to the slices of its source series.

If volume and series have the same grid, this is a view. A straightened or interpolated volume has
another grid: each slice then takes the nearest voxels (a shift within its plane, and the nearest
slice), so no new values appear. Interpolated slices have no plane.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.data.dicom.input import dicom_error
from medseg.data.dicom.label import DicomLabel
from medseg.data.dicom.source import DicomSource
from medseg.data.dicom.stack import MAX_ERROR_MM
from medseg.data.problems import InputError

__all__ = ["label_planes"]

LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])
Floats = NDArray[np.float64]


def label_planes(label: DicomLabel, source: DicomSource) -> NDArray[Any]:
    """Resample the label to the source's slices.

    Returns:
        `(slices, rows, columns)`, `uint8` or `uint16`; a view if label and slices share a grid.

    Raises:
        InputError: If the label's grid is not one that reading the series results in.
    """
    dtype = np.uint8 if len(label.labels) <= 256 else np.uint16
    array = label.array.astype(dtype, copy=False).transpose(2, 1, 0)
    columns, rows = source.stack.frames[0].shape
    starts = _starts(label, source, array.shape)
    if np.array_equal(starts, [(0, 0, k) for k in range(array.shape[0])]):
        return array[:, :rows, :columns]
    planes = np.empty((len(starts), rows, columns), dtype)
    for plane, (i, j, k) in zip(planes, starts.tolist(), strict=True):
        plane[:] = array[k, j : j + rows, i : i + columns]
    return planes


def _starts(label: DicomLabel, source: DicomSource, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Voxel of the first pixel of each slice, `(slices, 3)`."""
    stack = source.stack
    columns, rows = stack.frames[0].shape
    turned = (label.affine[:3, :2] - stack.affine[:3, :2]) * [columns, rows]
    if np.linalg.norm(turned, axis=0).max() > MAX_ERROR_MM:
        raise _other_grid(source, "its rows or columns have other directions")
    positions = np.asarray([frame.position for frame in stack.frames]) * LPS_TO_RAS
    exact = np.linalg.solve(label.affine[:3, :3], (positions - label.affine[:3, 3]).T).T
    starts = np.rint(exact).astype(np.int64)
    resampled = not (stack.is_straight and stack.is_even)
    off_mm = np.linalg.norm((exact - starts) @ label.affine[:3, :3].T, axis=1).max()
    # Twice: the slice may differ from the series' affine, and that from the label's.
    if not resampled and off_mm > 2 * MAX_ERROR_MM:
        raise _other_grid(source, f"it is {off_mm:.2f} mm away from the slices")
    ends = starts + np.array([columns, rows, 1])
    expected = (columns, rows, len(starts))
    if starts.min() < 0 or (ends > shape[::-1]).any() or not (resampled or expected == shape[::-1]):
        raise _other_grid(source, f"its shape is {shape[::-1]}, the series' {expected}")
    return starts


def _other_grid(source: DicomSource, how: str) -> InputError:
    what = f"the label is not in the grid of the series: {how}"
    remedy = "use the grid of the volume that read_dicom_series returns"
    return dicom_error(what, remedy, series_uid=source.stack.series_uid)
