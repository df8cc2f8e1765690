"""Contours as voxels: each in its slice, filled by the even-odd rule.

A contour has to lie in a slice of the image: between slices, or across them, it says nothing of
the voxels without a guess, and is refused by the name of its ROI. Slices without a contour between
slices with one stay empty, and are told.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medseg._text import printable
from medseg.data.dicom.labels.fill import filled
from medseg.data.dicom.labels.grid import LabelGrid
from medseg.data.dicom.labels.label_file import label_error
from medseg.data.dicom.labels.structures import Roi
from medseg.data.problems import Problem

__all__ = ["FilledRoi", "fill_roi"]

# A contour may be as far as this, in slices, from the slice that it is taken for.
_OFF_SLICE = 0.1
# Contour types that enclose an area.
_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR")

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FilledRoi:
    """An ROI in a grid.

    Attributes:
        axis: Axis of the array across the contours.
        planes: By index along that axis, which pixels are inside.
        doubts: Warnings.
    """

    axis: int
    planes: dict[int, NDArray[np.bool_]]
    doubts: tuple[Problem, ...]


@dataclass(frozen=True, eq=False)
class _Placed:
    """A contour in its slice: `(N, 2)` in voxels along the other two axes, in their order."""

    plane: int
    points: Floats


def fill_roi(file: Path, roi: Roi, grid: LabelGrid) -> FilledRoi:
    """Fill an ROI's contours into a grid.

    Args:
        file: Name in the errors.
        roi: With at least no contours; an ROI without any is empty.
        grid: Of the image.

    Raises:
        InputError: If a contour is not closed, lies between slices or across them, or all lie
            outside of the image.
    """
    _require_closed(file, roi)
    indexed = [grid.indices(contour.points_mm) for contour in roi.contours]
    axis = _axis_across(indexed)
    placed = [_placed(file, roi, points, axis) for points in indexed]
    shape = grid.shape[:axis] + grid.shape[axis + 1 :]
    groups: defaultdict[int, list[Floats]] = defaultdict(list)
    beyond = 0
    for one in placed:
        if 0 <= one.plane < grid.shape[axis] and _meets(one.points, shape):
            groups[one.plane].append(one.points)
            beyond += not _within(one.points, shape)
        else:
            beyond += 1
    if placed and not groups:
        what = f"all contours of ROI {_called(roi)} lie outside of the image"
        raise label_error(file, what, "use the image that it was drawn on")
    kept, doubled = _without_doubles(groups)
    planes = {k: filled(contours, (shape[0], shape[1])) for k, contours in sorted(kept.items())}
    doubts = _doubts(roi, planes, beyond, doubled)
    return FilledRoi(axis, planes, tuple(doubts))


def _require_closed(file: Path, roi: Roi) -> None:
    for contour in roi.contours:
        if contour.kind not in _CLOSED or len(contour.points_mm) < 3:
            kind = contour.kind or "not stated"
            is_point = contour.kind in _CLOSED or contour.kind == "POINT"
            kind = f"{len(contour.points_mm)} points, no area" if is_point else kind
            what = f"ROI {_called(roi)} has a contour that encloses nothing ({kind})"
            remedy = "export closed contours (CLOSED_PLANAR), or map another ROI"
            raise label_error(file, what, remedy)


def _axis_across(contours: Sequence[Floats]) -> int:
    """The axis along which contours extend least."""
    if not contours:
        return 2
    spans = [points.max(axis=0) - points.min(axis=0) for points in contours]
    return int(np.max(spans, axis=0)[::-1].argmin() * -1 + 2)


def _placed(file: Path, roi: Roi, points: Floats, axis: int) -> _Placed:
    heights = points[:, axis]
    plane = int(np.rint(heights.mean()))
    if heights.max() - heights.min() > 2 * _OFF_SLICE:
        span = heights.max() - heights.min()
        what = f"a contour of ROI {_called(roi)} is tilted: it crosses {span:.1f} slices"
        remedy = "use the image that it was drawn on, or export it in that image's slices"
        raise label_error(file, what, remedy)
    off = float(np.abs(heights - plane).max())
    if off > _OFF_SLICE:
        what = (
            f"a contour of ROI {_called(roi)} lies between slices: {off:.2f} of a slice from the "
            "nearest one"
        )
        remedy = "use the image that it was drawn on, or export it in that image's slices"
        raise label_error(file, what, remedy)
    return _Placed(plane, np.delete(points, axis, axis=1))


def _meets(points: Floats, shape: Sequence[int]) -> bool:
    """Whether a contour's box and the image's have pixels' centres in common."""
    return bool((points.max(axis=0) >= 0).all() and (points.min(axis=0) < shape).all())


def _within(points: Floats, shape: Sequence[int]) -> bool:
    """Whether a contour is inside of the image, whose pixels reach half of one beyond centres."""
    inside = (points.min(axis=0) >= -0.5) & (points.max(axis=0) <= np.asarray(shape) - 0.5)
    return bool(inside.all())


def _without_doubles(
    groups: dict[int, list[Floats]],
) -> tuple[dict[int, list[Floats]], int]:
    """Contours without those that are there twice, which even-odd would make a hole of."""
    kept: dict[int, list[Floats]] = {}
    for plane, contours in groups.items():
        unique = {np.round(one, 4).tobytes(): one for one in contours}
        kept[plane] = list(unique.values())
    doubled = sum(map(len, groups.values())) - sum(map(len, kept.values()))
    return kept, doubled


def _doubts(
    roi: Roi, planes: dict[int, NDArray[np.bool_]], beyond: int, doubled: int
) -> Iterator[Problem]:
    if not roi.contours:
        what = f"ROI {_called(roi)} has no contours"
        yield Problem("warning", "label", what, "fine if this patient has none")
    gaps = sorted(set(range(min(planes, default=0), max(planes, default=-1) + 1)) - set(planes))
    if gaps:
        what = (
            f"ROI {_called(roi)} has no contour on {len(gaps)} slices between others "
            f"(slice {gaps[0]}{' to ' + str(gaps[-1]) if len(gaps) > 1 else ''})"
        )
        remedy = "they stay empty; draw them if the structure goes through"
        yield Problem("warning", "label", what, remedy, "an ROI has slices without contour inside")
    if beyond:
        what = f"{beyond} contours of ROI {_called(roi)} leave the image, and are cut at its edge"
        remedy = "fine if the image was cropped; else use the image that it was drawn on"
        yield Problem("warning", "label", what, remedy, "contours leave the image and are cut")
    if doubled:
        what = f"{doubled} contours of ROI {_called(roi)} are there twice, and were taken once"
        yield Problem("warning", "label", what, "nothing, if a look at the label shows no hole")
    if roi.contours and not any(plane.any() for plane in planes.values()):
        what = f"ROI {_called(roi)} has contours, but no voxel's centre lies in them"
        yield Problem("warning", "label", what, "look at it: it is smaller than a voxel")


def _called(roi: Roi) -> str:
    return printable(roi.name) or "(no name)"
