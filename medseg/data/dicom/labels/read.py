"""Reading of a label in DICOM, SEG or RTSTRUCT, as voxels of class values."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.data.dicom.labels.contours import fill_roi
from medseg.data.dicom.labels.grid import LabelGrid
from medseg.data.dicom.labels.label_file import LabelFileKind, label_error, one_line
from medseg.data.dicom.labels.naming import painted
from medseg.data.dicom.labels.painting import Canvas
from medseg.data.dicom.labels.seg_voxels import own_grid, paint_segments, places_in
from medseg.data.dicom.labels.segments import Segmentation, read_segmentation
from medseg.data.dicom.labels.structures import Roi, StructureSet, read_structures
from medseg.data.label_source import LabelSource
from medseg.data.problems import Problem

__all__ = ["ReadLabel", "read_dicom_label"]


@dataclass(frozen=True, eq=False)
class ReadLabel:
    """A label as voxels.

    Attributes:
        array: `(I, J, K)`, class values; 8 bit if they fit, else 16.
        affine: `(4, 4)`, from voxel indices to millimetres, RAS+.
        doubts: Warnings.
    """

    array: NDArray[Any]
    affine: NDArray[np.float64]
    doubts: tuple[Problem, ...]


def read_dicom_label(
    file: Path, kind: LabelFileKind, source: LabelSource, grid: LabelGrid | None
) -> ReadLabel:
    """Read a SEG or an RTSTRUCT.

    Args:
        file: The file.
        kind: Which of them it is.
        source: Its classes and the patterns of its names.
        grid: Of its image. Without one, a SEG gets the smallest grid that holds its frames; and
            so does one that is not on the voxels of its image, for the caller to refuse.

    Raises:
        InputError: If it is damaged, of another image, none of its names is a class, or an
            RTSTRUCT is not drawn in the slices of the grid.
    """
    # Places of 1e300 mm overflow somewhere, and are what damaged files have.
    with one_line(file), np.errstate(all="ignore"):
        if kind == "SEG":
            return _read_seg(file, source, grid)
        if grid is None:
            what = "contours (RTSTRUCT) have no voxels of their own"
            raise label_error(file, what, "give the image that they were drawn on")
        return _read_structures(file, source, grid)


def _read_seg(file: Path, source: LabelSource, grid: LabelGrid | None) -> ReadLabel:
    seg = read_segmentation(file)
    if grid is not None:
        _require_same_image(file, seg, grid)
    names = painted(source, _numbered(seg), "segment")
    places = None if grid is None else places_in(seg, grid)
    if grid is None or places is None:
        grid = own_grid(file, seg)
        places = places_in(seg, grid)
    if places is None:
        what = "its frames are not evenly spaced, or not above one another"
        raise label_error(file, what, "export it again, in the slices of its image")
    canvas, outside = paint_segments(file, seg, grid, places, names.values)
    doubts = [*names.doubts, *canvas.doubts(source.class_names)]
    if seg.kind == "FRACTIONAL":
        what = "its segments are fractional; pixels above half are inside"
        doubts.append(Problem("warning", "label", what, "nothing, if that is meant"))
    if outside:
        what = f"{outside} of its voxels lie outside of the image, and are left out"
        remedy = "fine if the image was cropped; else use the image that it was made of"
        kinds = "voxels outside of the image are left out"
        doubts.append(Problem("warning", "label", what, remedy, kinds))
        if not canvas.array.any():
            what = "all that it marks lies outside of the image"
            raise label_error(file, what, "use the image that it was made of")
    return ReadLabel(canvas.array, grid.affine, tuple(doubts))


def _numbered(seg: Segmentation) -> dict[int, str]:
    return seg.segments or {frame.segment: "" for frame in seg.frames}


def _require_same_image(file: Path, seg: Segmentation, grid: LabelGrid) -> None:
    _require_frame(file, seg.frame_of_reference, grid)
    others = seg.series_uids - {""}
    of_slices = bool(seg.sop_uids & grid.sop_uids)
    if grid.series_uid and others and grid.series_uid not in others and not of_slices:
        what = f"is a SEG of another series, {min(others)}; its image is {grid.series_uid}"
        raise label_error(file, what, "use the series that it was made of, or its own SEG")


def _require_frame(file: Path, stated: str, grid: LabelGrid) -> None:
    if stated and grid.frame_of_reference and stated != grid.frame_of_reference:
        what = (
            f"lies in another frame of reference, {stated}; its image in {grid.frame_of_reference}"
        )
        remedy = "use the image that it was drawn on, or a label that was registered to this one"
        raise label_error(file, what, remedy)


def _read_structures(file: Path, source: LabelSource, grid: LabelGrid) -> ReadLabel:
    structures = read_structures(file)
    names = painted(source, {n: roi.name for n, roi in structures.rois.items()}, "ROI")
    canvas = Canvas(grid.shape, max(names.values.values()))
    doubts = list(names.doubts)
    for number, value in names.values.items():
        roi = structures.rois[number]
        _require_frame(file, roi.frame_of_reference, grid)
        doubts += _fill(file, roi, grid, canvas, value)
    doubts += _other_series(structures, grid)
    doubts += canvas.doubts(source.class_names)
    return ReadLabel(canvas.array, grid.affine, tuple(doubts))


def _fill(file: Path, roi: Roi, grid: LabelGrid, canvas: Canvas, value: int) -> tuple[Problem, ...]:
    found = fill_roi(file, roi, grid)
    for plane, mask in found.planes.items():
        voxels = np.insert(np.stack(np.nonzero(mask), axis=1), found.axis, plane, axis=1)
        canvas.paint(voxels, value)
    return found.doubts


def _other_series(structures: StructureSet, grid: LabelGrid) -> tuple[Problem, ...]:
    drawn_on = structures.series_uids - {""}
    if not grid.series_uid or not drawn_on or grid.series_uid in drawn_on:
        return ()
    what = "its contours were drawn on another series of the same frame of reference"
    remedy = "check on a picture that they fit (medseg data preview)"
    return (Problem("warning", "label", what, remedy),)
