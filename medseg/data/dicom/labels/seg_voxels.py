"""Voxels of a DICOM SEG, each frame at its own place in a grid.

Nothing is resampled: a frame lies on the grid's voxels, in whatever order of axes, or the SEG stays
in a grid of its own, which is then not that of the image.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import iter_pixels

from medseg.data.dicom.dataset import read_dataset
from medseg.data.dicom.labels.grid import LabelGrid
from medseg.data.dicom.labels.label_file import label_error, open_bounded
from medseg.data.dicom.labels.painting import Canvas
from medseg.data.dicom.labels.segments import SegFrame, Segmentation
from medseg.data.dicom.pixel_format import complete_format
from medseg.data.dicom.pixels import KEYWORDS
from medseg.data.dicom.tags import quiet_pydicom
from medseg.data.limits import require_voxels
from medseg.errors import MedsegError

__all__ = ["own_grid", "paint_segments", "places_in"]

# Voxels. A frame may be as far as this from the voxels that it is taken for.
_OFF_GRID = 0.05


@dataclass(frozen=True, eq=False)
class Place:
    """Where a frame lies in a grid.

    Attributes:
        turn: `(3, 2)`, steps of voxel indices from column to column and from row to row.
        origin: `(3,)`, voxel indices of the first pixel.
    """

    turn: NDArray[np.int64]
    origin: NDArray[np.int64]


def places_in(seg: Segmentation, grid: LabelGrid) -> list[Place] | None:
    """The place of each frame, or None if one is not on the grid's voxels."""
    to_index = np.linalg.inv(grid.affine)
    places = [_place(to_index @ frame.affine, seg) for frame in seg.frames]
    return None if None in places else [one for one in places if one is not None]


def _place(matrix: NDArray[np.float64], seg: Segmentation) -> Place | None:
    turn = np.rint(matrix[:3, :2])
    if np.abs(turn).sum(axis=0).tolist() != [1, 1] or np.abs(turn).sum(axis=1).max() > 1:
        return None
    corners = np.array([[0, 0], [seg.columns - 1, 0], [0, seg.rows - 1]])
    exact = corners @ matrix[:3, :2].T + matrix[:3, 3]
    origin = np.rint(matrix[:3, 3])
    if np.abs(exact - (corners @ turn.T + origin)).max() > _OFF_GRID:
        return None
    return Place(turn.astype(np.int64), origin.astype(np.int64))


def own_grid(file: Path, seg: Segmentation, others: Sequence[Segmentation] = ()) -> LabelGrid:
    """The smallest grid that holds all frames of a SEG, and of others of the same image.

    Raises:
        InputError: If there is no frame, or frames do not lie above one another, evenly.
    """
    if not seg.frames:
        raise label_error(file, "holds no frames", "export it again")
    frames = [frame for one in (seg, *others) for frame in one.frames]
    first = seg.frames[0].affine
    normal = first[:3, 2]
    heights = np.array([float(one.affine[:3, 3] @ normal) for one in frames])
    low = frames[int(heights.argmin())].affine[:3, 3]
    off_mm = [
        np.linalg.norm(one.affine[:3, 3] - low - (height - heights.min()) * normal)
        for one, height in zip(frames, heights, strict=True)
    ]
    turned = max(float(np.abs(one.affine[:3, :2] - first[:3, :2]).max()) for one in frames)
    if turned > 1e-4 or max(off_mm) > _OFF_GRID * np.linalg.norm(first[:3, 0]):
        what = "its frames do not lie above one another"
        raise label_error(file, what, "give its image, or export it again")
    step_mm = _step_mm(seg, heights)
    count = round((heights.max() - heights.min()) / step_mm) + 1
    affine = np.column_stack([first[:, 0], first[:, 1], first[:, 2] * step_mm, [*low, 1.0]])
    return LabelGrid((seg.columns, seg.rows, count), affine, seg.frame_of_reference)


def _step_mm(seg: Segmentation, heights: NDArray[np.float64]) -> float:
    gaps = np.diff(np.unique(np.round(heights, 3)))
    if seg.step_mm > 0:
        steps = gaps / seg.step_mm
        if np.abs(steps - np.rint(steps)).max(initial=0) <= _OFF_GRID:
            return seg.step_mm
    return float(gaps.min()) if len(gaps) else 1.0


def paint_segments(
    file: Path,
    seg: Segmentation,
    grid: LabelGrid,
    places: Sequence[Place],
    values: Mapping[int, int],
) -> tuple[Canvas, int]:
    """Paint the segments that have a value, in the order of `values`.

    Returns:
        The label, and the number of marked pixels outside of the grid, which are left out.

    Raises:
        InputError: If pixels are damaged, or more than the limit.
    """
    require_voxels(file, (seg.columns, seg.rows, len(seg.frames)), where="label")
    require_voxels(file, grid.shape, where="label")
    canvas = Canvas(grid.shape, max(values.values(), default=1))
    outside = 0
    for frame, mask, value in _masks(file, seg, values):
        place = places[frame.index]
        pixels = np.stack(np.nonzero(mask), axis=1)
        outside += canvas.paint(pixels @ place.turn.T + place.origin, value)
    return canvas, outside


def _masks(
    file: Path, seg: Segmentation, values: Mapping[int, int]
) -> Iterator[tuple[SegFrame, NDArray[np.bool_], int]]:
    """Each frame's pixels of one class, `(columns, rows)`."""
    if seg.kind == "LABELMAP":
        for frame, pixels in _pixels(file, seg, seg.frames):
            for number, value in values.items():
                yield frame, pixels == number, value
        return
    least = seg.most / 2 if seg.kind == "FRACTIONAL" else 0.5
    for number, value in values.items():
        own = [frame for frame in seg.frames if frame.segment == number]
        for frame, pixels in _pixels(file, seg, own):
            yield frame, pixels > least, value


def _pixels(
    file: Path, seg: Segmentation, frames: Sequence[SegFrame]
) -> Iterator[tuple[SegFrame, NDArray[Any]]]:
    if not frames:
        return
    try:
        with quiet_pydicom():
            with open_bounded(file) as stream:
                dataset = read_dataset(stream, KEYWORDS, pixels="read")
            if not get_decoder(dataset.file_meta.TransferSyntaxUID).is_available:
                what = "its pixels have an unsupported compression"
                raise label_error(file, what, "export it again, uncompressed")
            complete_format(dataset)
            decoded = _decoded(dataset, [frame.index for frame in frames], seg)
            for frame, pixels in zip(frames, decoded, strict=True):
                if pixels.shape != (seg.rows, seg.columns):
                    raise ValueError
                yield frame, pixels.T
    except (MedsegError, MemoryError):
        raise
    except Exception as error:  # decoders raise almost anything
        what = "its pixels are damaged or truncated"
        raise label_error(file, what, "copy or export it again") from error


def _decoded(dataset: Dataset, indices: Sequence[int], seg: Segmentation) -> Iterator[NDArray[Any]]:
    syntax = dataset.file_meta.TransferSyntaxUID
    if dataset.BitsAllocated != 1 or syntax.is_encapsulated or not syntax.is_little_endian:
        yield from iter_pixels(dataset, indices=list(indices), raw=True)
        return
    # Frames of bits need not begin with a byte, where pydicom refuses sound ones of an odd size.
    size = seg.rows * seg.columns
    packed = np.frombuffer(dataset.PixelData, np.uint8)
    for index in indices:
        first, end = index * size, (index + 1) * size
        bits = np.unpackbits(packed[first // 8 : -(-end // 8)], bitorder="little")
        yield bits[first % 8 :][:size].reshape(seg.rows, seg.columns)
