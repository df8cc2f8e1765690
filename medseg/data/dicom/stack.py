"""Stack of DICOM slices: sort along the normal, check geometry, build the affine.

The geometry is highdicom's, which refuses stacks that are not volumes. Its tolerances are wide: an
angle of 2.5 degrees between normal and stack passes, which is 13 mm over a chest, and so does 1 %
of the slice distance. So the position of every slice is compared with the affine, in millimetres.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from highdicom.spatial import create_affine_matrix_from_attributes, get_volume_positions
from numpy.typing import NDArray

from medseg._checks import first_few
from medseg.data.dicom.frame import Frame
from medseg.data.dicom.input import dicom_error
from medseg.data.problems import InputError

__all__ = ["MAX_ERROR_MM", "Stack", "frame_words", "stack_frames"]

Floats = NDArray[np.float64]
# How far a voxel may lie from where its slice says it does.
MAX_ERROR_MM = 0.01
# Direction cosines written with four decimals are as far off as this.
MAX_ROUNDING_RAD = 1e-4
MAX_COSINE_ERROR = 1e-3
# Pixels count along a row first, then down, as I and J do.
COLUMNS_ROWS = "RD"
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
SHOWN = 8


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices of one size and orientation, sorted along their normal, no two in one place.

    Attributes:
        series_uid: UID of the series.
        frames: `K` slices.
        heights_mm: `(K,)`, along the normal, from the first slice on, rising.
        sideways_mm: `(K, 2)`, along the rows and the columns of pixels, from the first slice on.
        step_mm: Distance of neighbouring slices where none is missing between them.
        affine: `(4, 4)`, of the first slice, its rows and columns, and even steps along the
            normal; RAS+ in mm.
    """

    series_uid: str
    frames: tuple[Frame, ...]
    heights_mm: Floats
    sideways_mm: Floats
    step_mm: float
    affine: Floats

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """`(K,)`, the number of each slice on an even grid without gaps."""
        steps = np.maximum(1, np.round(np.diff(self.heights_mm) / self.step_mm))
        return np.concatenate([[0], np.cumsum(steps)]).astype(np.int64)

    @property
    def is_even(self) -> bool:
        """Whether all distances are the same."""
        off_mm = np.abs(self.heights_mm - self.step_mm * np.arange(len(self.frames)))
        return bool(off_mm.max() <= MAX_ERROR_MM)

    @cached_property
    def shear(self) -> Floats:
        """`(2,)`, mm sideways a mm of height, along rows and columns."""
        if len(self.frames) == 1:
            return np.zeros(2)
        return self.sideways_mm[-1] / self.heights_mm[-1]

    @property
    def tilt_degrees(self) -> float:
        """Angle between the stack and the normal of its slices."""
        return float(np.degrees(np.arctan(np.linalg.norm(self.shear))))

    @property
    def is_straight(self) -> bool:
        """Whether all slices lie above one another, but for rounded direction cosines."""
        shear = self.shear if np.linalg.norm(self.shear) <= MAX_ROUNDING_RAD else np.zeros(2)
        off_mm = np.linalg.norm(self.sideways_mm - self.heights_mm[:, None] * shear, axis=1)
        return bool(off_mm.max() <= MAX_ERROR_MM)

    def tilt_error(self) -> InputError:
        """The error for slices that do not lie above one another."""
        off_mm = np.linalg.norm(self.sideways_mm - self.heights_mm[:, None] * self.shear, axis=1)
        if off_mm.max() <= MAX_ERROR_MM:
            what = f"the gantry was tilted by {self.tilt_degrees:.2f} degrees"
        else:
            # The largest group of slices above one another is taken for the right one.
            middle = np.median(self.sideways_mm, axis=0)
            beside = np.linalg.norm(self.sideways_mm - middle, axis=1)
            which = [f for f, b in zip(self.frames, beside, strict=True) if b > MAX_ERROR_MM]
            what = f"slices lie up to {beside.max():.2f} mm beside the others: {frame_words(which)}"
        remedy = "allow tilt to have them resampled to a straight box"
        return dicom_error(what, remedy, series_uid=self.series_uid)

    def gaps_error(self) -> InputError:
        """The error for slices that are missing or unevenly spaced."""
        steps = np.diff(self.places)
        gaps = [(self.frames[k], int(steps[k]) - 1) for k in np.flatnonzero(steps > 1)]
        if gaps:
            after = (f"{n} after {_number(frame)}" for frame, n in gaps)
            missing = first_few(after, SHOWN, noun="gaps")
            what = f"{sum(n for _, n in gaps)} slices are missing: {missing}"
        else:
            distances = np.diff(self.heights_mm)
            off_mm = np.abs(self.heights_mm - self.step_mm * self.places)
            which = [f for f, off in zip(self.frames, off_mm, strict=True) if off > MAX_ERROR_MM]
            what = (
                f"slices are {distances.min():.3f} to {distances.max():.3f} mm apart, "
                f"uneven at {frame_words(which)}"
            )
        remedy = "export the complete series, or allow gaps to have slices interpolated"
        return dicom_error(what, remedy, series_uid=self.series_uid)


def frame_words(frames: Sequence[Frame]) -> str:
    """Slices by their numbers: `instances 3, 4 and 7 more`."""
    return f"instances {first_few(map(_number, frames), SHOWN)}"


def _number(frame: Frame) -> str:
    return "without a number" if frame.number is None else str(frame.number)


def stack_frames(series_uid: str, frames: Sequence[Frame]) -> Stack:
    """Sort slices along their normal.

    Args:
        series_uid: UID of the series.
        frames: At least one, without duplicates of a slice.

    Raises:
        InputError: If slices have no position, differ in size, spacing or direction, or share a
            position. It names them.
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
        raise dicom_error(what, "export the series with its geometry", series_uid=series_uid)
    first = frames[0]
    kinds = {
        "size": [frame for frame in frames if frame.shape != first.shape],
        "pixel spacing": _others(frames, [frame.pixel_spacing for frame in frames], 1e-5),
        "orientation": _others(frames, [frame.orientation for frame in frames], 1e-4),
        "kind (SOPClassUID)": _unlike(frames, [f.identifiers.sop_class_uid for f in frames]),
        "study (StudyInstanceUID)": _unlike(frames, [f.identifiers.study_uid for f in frames]),
        "reconstruction (ConvolutionKernel)": _unlike(
            frames, [frame.identifiers.kernel for frame in frames]
        ),
        "whether they state RescaleSlope": _unlike(frames, [frame.is_rescaled for frame in frames]),
    }
    for kind, others in kinds.items():
        if others:
            few = (
                others if 2 * len(others) <= len(frames) else [f for f in frames if f not in others]
            )
            what = f"its slices differ in {kind}: {frame_words(few)} from the others"
            raise dicom_error(what, "export them as series of their own", series_uid=series_uid)


def _unlike(frames: Sequence[Frame], values: Sequence[object]) -> list[Frame]:
    return [frame for frame, value in zip(frames, values, strict=True) if value != values[0]]


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
        what = "its ImageOrientationPatient is not orthogonal, or its PixelSpacing is not positive"
        raise dicom_error(what, "export the series with its geometry", series_uid=series_uid)
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def _check_single(series_uid: str, frames: Sequence[Frame], heights: Floats) -> None:
    if not np.isfinite(heights).all():
        what = "slices do not say where they lie (a position that is no number)"
        raise dicom_error(what, "export the series with its geometry", series_uid=series_uid)
    close = np.flatnonzero(np.diff(heights) <= MAX_ERROR_MM)
    if close.size:
        twice = [frames[k] for k in sorted({*close.tolist(), *(close + 1).tolist()})]
        what = f"{len(twice)} slices share their place with another: {frame_words(twice)}"
        remedy = "export one time point, phase or reconstruction as a series of its own"
        raise dicom_error(what, remedy, series_uid=series_uid)


def _step(series_uid: str, frames: Sequence[Frame], heights: Floats) -> float:
    if len(heights) == 1:
        thickness = frames[0].thickness_mm
        if not thickness or not 0 < thickness < np.inf:
            what = "holds one slice that does not say how thick it is"
            raise dicom_error(what, "give a series of several slices", series_uid=series_uid)
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
    """The stack with the slice axis of its positions, if highdicom accepts them."""
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
            raise dicom_error(what, "export the series again", series_uid=stack.series_uid)
    affine = stack.affine.copy()
    affine[:3, 2] += LPS_TO_RAS[:3, :3] @ (stack.shear * stack.step_mm @ axes)
    return replace(stack, affine=affine)
