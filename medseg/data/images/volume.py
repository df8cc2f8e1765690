"""Volumes: an image file or a DICOM series as an array with an affine.

Every format is converted to the same form, nibabel's: array axes I, J, K and an affine from voxel
indices to millimetres, RAS+. What cannot be converted without a guess (time series, colour,
missing orientation) is refused in one line.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from medseg.data.dicom.allowances import Gaps, Tilt
from medseg.data.dicom.input import is_dicom
from medseg.data.images.geometry import axes_problem, skew_problem, straightened
from medseg.data.images.meta_image import read_meta_image
from medseg.data.images.naming import format_words, image_format
from medseg.data.images.nifti import read_nifti
from medseg.data.images.nrrd import read_nrrd
from medseg.data.limits import require_regular_file
from medseg.data.problems import InputError, Problem, Where, refusal
from medseg.data.source import Source, as_source

if TYPE_CHECKING:
    from medseg.data.dicom.find import DicomSeries
    from medseg.data.dicom.series import DicomFacts

__all__ = ["Volume", "read_volume"]

# Voxels of a tile along J and K.
_TILE = 16

# By name of the format in medseg.data.images.naming.
_READERS = {"NIfTI": read_nifti, "NRRD": read_nrrd, "MetaImage": read_meta_image}

# nibabel's types say Unknown where a caller needs to know.
_nibabel = cast("Any", nib)


@dataclass(frozen=True, eq=False)
class Volume:
    """One scalar volume, or the first of several channels.

    Attributes:
        array: `(I, J, K)`, with the file's slope and intercept applied.
        affine: `(4, 4)`, from voxel indices to millimetres, RAS+; invertible.
        spacing_mm: Distance between voxel centres along I, J and K.
        dtype: Type of the stored values, e.g. `int16`.
        dicom: For a DICOM series, its identity and the changes made to it.
        series: The series itself, for outputs that refer to it.
        doubts: Warnings about ambiguities of the file.
        others: Further channels, each as it was read and in a grid of its own; see
            `medseg.data.images.channels`.
    """

    array: NDArray[Any]
    affine: NDArray[np.float64]
    spacing_mm: tuple[float, float, float]
    dtype: str
    dicom: "DicomFacts | None" = None
    series: "DicomSeries | None" = None
    doubts: tuple[Problem, ...] = ()
    others: "tuple[Volume, ...]" = ()

    @property
    def channels(self) -> "tuple[Volume, ...]":
        """Each channel as a volume of its own, the first first."""
        return (replace(self, others=()), *self.others) if self.others else (self,)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along I, J and K."""
        i, j, k = self.array.shape
        return i, j, k

    @property
    def orientation(self) -> str:
        """Directions of the axes, e.g. `RAS` for right, anterior, superior."""
        return "".join(_nibabel.aff2axcodes(self.affine))


def read_volume(
    source: "DicomSeries | Source | str | Path",
    *,
    where: Where = "image",
    tilt: Tilt = "refuse",
    gaps: Gaps = "refuse",
    channels: int = 1,
) -> Volume:
    """Read a NIfTI, NRRD or MetaImage file, or a DICOM series.

    Further axes of size 1, which many programs write, are removed; any others are refused, but for
    one axis of as many channels as asked for. So is a volume whose axes are not at right angles,
    unless `tilt` says `resample`.

    Args:
        source: A `.nii`, `.nii.gz`, `.nrrd`, `.nhdr`, `.mha` or `.mhd` file; a folder, a zip or
            a file of DICOM with one matching series, or with the UID of one; or a series found
            before.
        where: Whether errors mention an image or a label.
        tilt: For a DICOM series, see `read_dicom_series`; also for the axes of a file.
        gaps: For a DICOM series, likewise.
        channels: Channels that one file holds, along its fourth axis.

    Raises:
        InputError: If it is missing, no regular file, damaged, of another format, larger than the
            limit, or not a scalar volume, or of another number of channels.
    """
    if not isinstance(source, Source | str | Path):
        return _dicom(source, where, tilt, gaps)
    source = as_source(source)
    file = source.path
    if not file.is_dir():
        require_regular_file(file, where=where)
    if is_dicom(file):
        return _dicom(source, where, tilt, gaps)
    found = image_format(file)
    read = _READERS.get(found.name) if found else None
    if read is None:
        remedy = f"use a {format_words('volume')} file, or a folder, zip or file of DICOM"
        raise refusal(file, Problem("error", where, "format not supported", remedy))
    array, affine, dtype, doubts = read(file, where=where)
    first, *others = (
        _at_right_angles(file, _volume(file, part, affine, dtype, where=where), where, tilt)
        for part in _channels(file, array, channels, where)
    )
    return replace(first, doubts=(*doubts, *first.doubts), others=tuple(others))


def _channels(
    path: Path, array: NDArray[Any], channels: int, where: Where
) -> Iterator[NDArray[Any]]:
    """Yield the volumes of a file; of one channel the array as it is."""
    if channels == 1:
        yield array
        return
    # NIfTI has time on its fourth axis, and vectors on its fifth.
    along = [axis for axis in range(3, array.ndim) if array.shape[axis] != 1]
    if array.ndim < 4 or len(along) > 1 or array.shape[along[0] if along else 3] != channels:
        what = f"has axes {tuple(array.shape)}, where an image of {channels} channels has 4"
        remedy = f"save them as (I, J, K, {channels}), or as a file each"
        raise refusal(path, Problem("error", where, what, remedy))
    stacked = array.reshape((*array.shape[:3], channels), order="A")
    for number in range(channels):
        yield stacked[..., number]


def _dicom(source: "DicomSeries | Source", where: Where, tilt: Tilt, gaps: Gaps) -> Volume:
    # Imported on first use: pydicom and highdicom are slow, and most volumes are not DICOM.
    from medseg.data.dicom.problems import series_doubts
    from medseg.data.dicom.series import read_dicom_series

    try:
        series = read_dicom_series(source, tilt=tilt, gaps=gaps)
    except InputError as error:
        error.problem = replace(error.problem, where=where)
        raise
    uid = f"DICOM series {series.facts.series_uid}"
    volume = _volume(uid, series.array, series.affine, series.array.dtype.name, where=where)
    return replace(
        volume, dicom=series.facts, series=series.series, doubts=series_doubts(series.facts)
    )


def _at_right_angles(path: Path, volume: Volume, where: Where, tilt: Tilt) -> Volume:
    """The volume itself, or if its axes are skew and `tilt` allows it, resampled.

    Raises:
        InputError: If they are skew, and it does not.
    """
    problem = skew_problem(volume.affine, volume.shape, where)
    if problem is None:
        return volume
    if tilt == "refuse":
        raise refusal(path, problem)
    array, affine = straightened(path, volume.array, volume.affine, where)
    told = replace(
        problem, severity="warning", remedy="it was resampled to a regular grid, as you allowed"
    )
    straight = _volume(path, array, affine, volume.dtype, where=where)
    return replace(straight, doubts=(told,))


def _volume(
    path: str | Path, array: NDArray[Any], affine: NDArray[np.float64], dtype: str, *, where: Where
) -> Volume:
    if array.size == 0:
        raise refusal(path, Problem("error", where, "has no voxels", "export the file again"))
    if array.ndim > 3 and set(array.shape[3:]) == {1}:
        array = array.reshape(array.shape[:3], order="A")
    if array.ndim != 3:
        raise refusal(path, axes_problem(array.shape, where))
    with np.errstate(over="ignore"):
        spacing = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    if not _is_invertible(affine, spacing):
        what = "its affine is not invertible, so its voxels have no place in space"
        remedy = "export the file again with its orientation"
        raise refusal(path, Problem("error", where, what, remedy))
    i, j, k = (float(step) for step in spacing)
    return Volume(array=_in_c_order(array), affine=affine, spacing_mm=(i, j, k), dtype=dtype)


def _in_c_order(array: NDArray[Any]) -> NDArray[Any]:
    """A writeable array in C order (K fastest) and native byte order.

    Files are in Fortran order. Copying tile by tile stays in the processor's cache and TLB: a
    fifth of the time of numpy's own copy.
    """
    native = array.dtype.newbyteorder("=")
    if array.flags.c_contiguous and array.flags.writeable:
        return array.astype(native, copy=False)
    turned = np.empty(array.shape, native)
    for k in range(0, array.shape[2], _TILE):
        for j in range(0, array.shape[1], _TILE):
            tile = np.s_[:, j : j + _TILE, k : k + _TILE]
            turned[tile] = array[tile]
    return turned


def _is_invertible(affine: NDArray[np.float64], spacing: NDArray[np.float64]) -> bool:
    finite = np.isfinite(affine).all() and np.isfinite(spacing).all()
    if not finite or not (spacing > 0).all():
        return False
    # Determinant of the unit axes: 1 if orthogonal, 0 if in one plane.
    return bool(abs(np.linalg.det(affine[:3, :3] / spacing)) > 1e-6)
