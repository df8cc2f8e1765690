"""Pixel values of DICOM slices: decoded and rescaled, in one array.

Slope and intercept are per slice, since PET has another slope in every slice. pydicom decodes, with
python-gdcm for compressed pixels.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from medseg.data.dicom.dataset import read_dataset
from medseg.data.dicom.frame import Frame
from medseg.data.dicom.input import dicom_error
from medseg.data.dicom.pixel_format import complete_format
from medseg.data.dicom.stack import frame_words
from medseg.data.dicom.tags import ElementError, quiet_pydicom
from medseg.data.limits import require_voxels
from medseg.data.problems import InputError

__all__ = ["read_frames", "read_values", "without_copies"]

Opener = Callable[[str], IO[bytes]]
INT16 = np.iinfo(np.int16)
KEYWORDS = [
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "PixelData",
    "FloatPixelData",
    "DoubleFloatPixelData",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
]


def read_values(
    series_uid: str, frames: Sequence[Frame], open_file: Opener
) -> NDArray[np.int16] | NDArray[np.float32]:
    """Read slices in the given order.

    Returns:
        `(I, J, K)`, slope and intercept of each slice applied; `int16` if that is lossless, else
        `float32`.

    Raises:
        InputError: If there are more voxels than `max_voxels`, or pixels are damaged or in an
            unsupported compression or format; it names the slices.
    """
    columns, rows = frames[0].shape
    require_voxels(f"DICOM series {series_uid}", (columns, rows, len(frames)))
    stored: list[NDArray[Any] | None] = [None] * len(frames)
    order = sorted(range(len(frames)), key=lambda k: (frames[k].file, frames[k].index))
    in_files = [frames[k] for k in order]
    # Once for all slices, since it takes a while.
    with quiet_pydicom():
        for k, pixels in zip(order, read_frames(series_uid, in_files, open_file), strict=True):
            stored[k] = pixels
    whole = all(
        _fits_int16(frame, cast("NDArray[Any]", pixels))
        for frame, pixels in zip(frames, stored, strict=True)
    )
    # One slice after the other in memory, as in a NIfTI file.
    dtype: Any = np.int16 if whole else np.float32
    out: NDArray[Any] = np.empty((len(frames), rows, columns), dtype)
    for k, frame in enumerate(frames):
        out[k] = _rescaled(frame, cast("NDArray[Any]", stored[k]))
        stored[k] = None
    return out.transpose(2, 1, 0)


def _fits_int16(frame: Frame, pixels: NDArray[Any]) -> bool:
    if pixels.dtype.kind == "f" or not (frame.slope.is_integer() and frame.intercept.is_integer()):
        return False
    ends = [int(end) * frame.slope + frame.intercept for end in (pixels.min(), pixels.max())]
    return INT16.min <= min(ends) and max(ends) <= INT16.max


def _rescaled(frame: Frame, pixels: NDArray[Any]) -> NDArray[Any]:
    if frame.slope == 1 and frame.intercept == 0:
        return pixels
    return pixels * frame.slope + frame.intercept


def read_frames(
    series_uid: str, frames: Sequence[Frame], open_file: Opener
) -> Iterator[NDArray[Any]]:
    """Yield the stored values of each frame, `(rows, columns)`; group frames by file.

    Raises:
        InputError: See `read_values`.
    """
    for file, group in groupby(frames, key=lambda frame: frame.file):
        alike = list(group)
        require_voxels(f"DICOM series {series_uid}", alike[0].shape)
        decoded = _decode(file, [frame.index for frame in alike], open_file)
        for frame in alike:
            try:
                with quiet_pydicom():
                    pixels = next(decoded)
            except MemoryError:
                raise
            except Exception as error:  # decoders raise almost anything
                raise _unreadable(series_uid, frame, error) from None
            if pixels.shape != frame.shape[::-1]:
                what = f"pixels do not have the size in the header: {frame_words([frame])}"
                raise dicom_error(what, "export the series again", series_uid=series_uid)
            yield pixels


def _unreadable(series_uid: str, frame: Frame, error: Exception) -> InputError:
    if isinstance(error, ElementError):
        what = f"pixels cannot be read, {error}: {frame_words([frame])}"
        remedy = "correct that element, or export the series again"
    elif isinstance(error, NotImplementedError):
        what = f"pixels have an unsupported compression: {frame_words([frame])}"
        remedy = "export the series again, uncompressed"
    else:
        what = f"pixels are damaged or truncated: {frame_words([frame])}"
        remedy = "copy or export the series again"
    return dicom_error(what, remedy, series_uid=series_uid)


def _decode(file: str, indices: Sequence[int], open_file: Opener) -> Iterator[NDArray[Any]]:
    with open_file(file) as stream:
        dataset = read_dataset(stream, KEYWORDS, pixels="read")
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax is None:
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    elif not get_decoder(syntax).is_available:
        raise NotImplementedError
    form = complete_format(dataset)
    yield from map(form.values, iter_pixels(dataset, indices=indices, raw=True))


def without_copies(
    series_uid: str, frames: Sequence[Frame], open_file: Opener
) -> tuple[tuple[Frame, ...], int]:
    """Remove duplicates of a slice.

    Returns:
        The slices, each once, and the number of duplicates removed.

    Raises:
        InputError: If files with the same SOPInstanceUID differ; it names them.
    """
    kept: dict[tuple[str, int], Frame] = {}
    copies = 0
    for frame in frames:
        # Old archives may lack the UID; then no file counts as a duplicate.
        first = kept.setdefault((frame.sop_uid or frame.file, frame.index), frame)
        if first is frame:
            continue
        one, other = (next(read_frames(series_uid, [f], open_file)) for f in (first, frame))
        if first.position != frame.position or not np.array_equal(one, other):
            what = f"two files with the same SOPInstanceUID differ: {frame_words([first, frame])}"
            raise dicom_error(what, "export the series again", series_uid=series_uid)
        copies += 1
    return tuple(kept.values()), copies
