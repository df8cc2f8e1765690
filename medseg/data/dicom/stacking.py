"""Stacking of DICOM slices: sort along the normal, check geometry, build the affine.

The geometry is highdicom's, which refuses what is no volume. Its tolerances are wide, though: an
angle of 2.5 degrees between normal and stack passes, which is 13 mm over a chest, and so does 1 %
of the slice distance. So every slice is held against the affine in millimetres.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from highdicom.spatial import create_affine_matrix_from_attributes, get_volume_positions
from numpy.typing import NDArray

from medseg.data.dicom.input import refuse
from medseg.data.dicom.instance import Frame
from medseg.data.dicom.stack import MAX_ERROR_MM, Stack, frame_words

__all__ = ["stack_frames"]

Floats = NDArray[np.float64]
MAX_COSINE_ERROR = 1e-3
# Pixels count along a row first, then down, as I and J do.
COLUMNS_ROWS = "RD"
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def stack_frames(series_uid: str, frames: Sequence[Frame]) -> Stack:
    """Sort slices along their normal.

    Args:
        series_uid: Of the series.
        frames: At least one; copies of one slice taken out already.

    Raises:
        InputError: If slices do not say where they lie, differ in size, spacing or direction, or
            several are in one place. It names them.
    """
    _check_alike(series_uid, frames)
    axes = _axes(series_uid, frames[0])
    positions = np.asarray([frame.position for frame in frames], dtype=np.float64)
    heights = positions @ np.cross(axes[0], axes[1])
    order: list[int] = np.argsort(heights, kind="stable").tolist()
    ordered = tuple(frames[k] for k in order)
    positions, heights = positions[order], heights[order] - heights.min()
    _check_single(series_uid, ordered, heights)
    step_mm = _step(series_uid, ordered, heights)
    stack = Stack(
        series_uid=series_uid,
        frames=ordered,
        heights_mm=heights,
        sideways_mm=(positions - positions[0]) @ axes.T,
        step_mm=step_mm,
        affine=_affine(ordered[0], axes, step_mm),
    )
    return _straight(stack, axes) if stack.is_straight else stack


def _check_alike(series_uid: str, frames: Sequence[Frame]) -> None:
    lost = [frame for frame in frames if not frame.is_placed]
    if lost:
        what = f"slices do not say where they lie: {frame_words(lost)}"
        raise refuse(what, "export the series with its geometry", series_uid=series_uid)
    first = frames[0]
    kinds = {
        "size": [frame for frame in frames if frame.shape != first.shape],
        "pixel spacing": _others(frames, [frame.pixel_spacing for frame in frames], 1e-5),
        "orientation": _others(frames, [frame.orientation for frame in frames], 1e-4),
    }
    for kind, others in kinds.items():
        if others:
            few = (
                others if 2 * len(others) <= len(frames) else [f for f in frames if f not in others]
            )
            what = f"its slices differ in {kind}: {frame_words(few)} from the others"
            raise refuse(what, "export them as series of their own", series_uid=series_uid)


def _others(frames: Sequence[Frame], values: Sequence[object], tolerance: float) -> list[Frame]:
    numbers = np.asarray(values, dtype=np.float64)
    off = np.abs(numbers - numbers[0]).max(axis=1)
    return [frame for frame, value in zip(frames, off, strict=True) if not value <= tolerance]


def _axes(series_uid: str, frame: Frame) -> Floats:
    """`(2, 3)`, unit vectors along the rows and the columns of pixels, LPS+."""
    axes = np.asarray(frame.orientation, dtype=np.float64).reshape(2, 3)
    numbers = (*(frame.orientation or ()), *(frame.position or ()), *(frame.pixel_spacing or ()))
    right_angled = np.abs(axes @ axes.T - np.eye(2)).max() <= MAX_COSINE_ERROR
    if not np.isfinite(numbers).all() or not right_angled or min(frame.pixel_spacing or (0,)) <= 0:
        what = "its orientation or pixel spacing is none (no right angle, or no positive distance)"
        raise refuse(what, "export the series with its geometry", series_uid=series_uid)
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def _check_single(series_uid: str, frames: Sequence[Frame], heights: Floats) -> None:
    if not np.isfinite(heights).all():
        what = "slices do not say where they lie (a position that is no number)"
        raise refuse(what, "export the series with its geometry", series_uid=series_uid)
    close = np.flatnonzero(np.diff(heights) <= MAX_ERROR_MM)
    if close.size:
        twice = [frames[k] for k in sorted({*close.tolist(), *(close + 1).tolist()})]
        what = f"{len(twice)} slices share their place with another: {frame_words(twice)}"
        remedy = "export one time point, phase or reconstruction as a series of its own"
        raise refuse(what, remedy, series_uid=series_uid)


def _step(series_uid: str, frames: Sequence[Frame], heights: Floats) -> float:
    if len(heights) == 1:
        thickness = frames[0].thickness_mm
        if not thickness or not 0 < thickness < np.inf:
            what = "holds one slice that does not say how thick it is"
            raise refuse(what, "give a series of several slices", series_uid=series_uid)
        return thickness
    distances = np.diff(heights)
    # The usual distance: of the smallest ones, since a gap is larger. Then over the whole length,
    # where rounding of single positions counts least.
    usual = float(np.median(distances[distances <= 1.5 * distances.min()]))
    return float(heights[-1] / np.maximum(1, np.round(distances / usual)).sum())


def _affine(first: Frame, axes: Floats, step_mm: float) -> Floats:
    lps = create_affine_matrix_from_attributes(
        image_position=first.position or (),
        image_orientation=axes.ravel().tolist(),
        pixel_spacing=first.pixel_spacing or (),
        spacing_between_slices=step_mm,
        index_convention=COLUMNS_ROWS,
        slices_first=False,
    )
    return LPS_TO_RAS @ lps


def _straight(stack: Stack, axes: Floats) -> Stack:
    """The same stack, its slice axis as the positions state it, if highdicom takes it."""
    if stack.is_even:
        positions = [frame.position or () for frame in stack.frames]
        _, order = get_volume_positions(
            positions,
            axes.ravel().tolist(),
            atol=2 * MAX_ERROR_MM,
            index_convention=COLUMNS_ROWS,
        )
        if order != list(range(len(positions))):
            what = "its slices do not form a volume"
            raise refuse(what, "export the series again", series_uid=stack.series_uid)
    affine = stack.affine.copy()
    affine[:3, 2] += LPS_TO_RAS[:3, :3] @ (stack.lean * stack.step_mm @ axes)
    return replace(stack, affine=affine)
