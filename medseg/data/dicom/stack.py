"""Stack of DICOM slices: positions, spacing, tilt and gaps, and the errors for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from medseg.data.dicom.input import refuse
from medseg.data.dicom.instance import Frame
from medseg.data.problems import InputError

__all__ = ["MAX_ERROR_MM", "Stack", "frame_words"]

Floats = NDArray[np.float64]
# How far a voxel may lie from where its slice says it does.
MAX_ERROR_MM = 0.01
# Direction cosines written with four decimals are as far off as this.
MAX_ROUNDING_RAD = 1e-4
SHOWN = 8


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices of one size and orientation, sorted along their normal, no two in one place.

    Attributes:
        series_uid: Of the series.
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
    def lean(self) -> Floats:
        """`(2,)`, mm sideways a mm of height, along rows and columns."""
        if len(self.frames) == 1:
            return np.zeros(2)
        return self.sideways_mm[-1] / self.heights_mm[-1]

    @property
    def tilt_degrees(self) -> float:
        """Angle between the stack and the normal of its slices."""
        return float(np.degrees(np.arctan(np.linalg.norm(self.lean))))

    @property
    def is_straight(self) -> bool:
        """Whether all slices lie above one another, but for rounded direction cosines."""
        lean = self.lean if np.linalg.norm(self.lean) <= MAX_ROUNDING_RAD else np.zeros(2)
        off_mm = np.linalg.norm(self.sideways_mm - self.heights_mm[:, None] * lean, axis=1)
        return bool(off_mm.max() <= MAX_ERROR_MM)

    def refuse_tilt(self) -> InputError:
        """The error for slices that do not lie above one another."""
        off_mm = np.linalg.norm(self.sideways_mm - self.heights_mm[:, None] * self.lean, axis=1)
        if off_mm.max() <= MAX_ERROR_MM:
            what = f"the gantry was tilted by {self.tilt_degrees:.2f} degrees"
        else:
            # The largest group of slices above one another is taken for the right one.
            middle = np.median(self.sideways_mm, axis=0)
            beside = np.linalg.norm(self.sideways_mm - middle, axis=1)
            which = [f for f, b in zip(self.frames, beside, strict=True) if b > MAX_ERROR_MM]
            what = f"slices lie up to {beside.max():.2f} mm beside the others: {frame_words(which)}"
        remedy = "allow tilt to have them resampled to a straight box"
        return refuse(what, remedy, series_uid=self.series_uid)

    def refuse_gaps(self) -> InputError:
        """The error for slices that are missing or unevenly spaced."""
        steps = np.diff(self.places)
        gaps = [(self.frames[k], int(steps[k]) - 1) for k in np.flatnonzero(steps > 1)]
        if gaps:
            after = ", ".join(f"{n} after {_number(frame)}" for frame, n in gaps[:SHOWN])
            more = f" and {len(gaps) - SHOWN} more gaps" if len(gaps) > SHOWN else ""
            what = f"{sum(n for _, n in gaps)} slices are missing: {after}{more}"
        else:
            distances = np.diff(self.heights_mm)
            off_mm = np.abs(self.heights_mm - self.step_mm * self.places)
            which = [f for f, off in zip(self.frames, off_mm, strict=True) if off > MAX_ERROR_MM]
            what = (
                f"slices are {distances.min():.3f} to {distances.max():.3f} mm apart, "
                f"uneven at {frame_words(which)}"
            )
        remedy = "export the complete series, or allow gaps to have slices interpolated"
        return refuse(what, remedy, series_uid=self.series_uid)


def frame_words(frames: Sequence[Frame]) -> str:
    """Slices by their numbers: `instances 3, 4 and 7 more`."""
    more = f" and {len(frames) - SHOWN} more" if len(frames) > SHOWN else ""
    return "instances " + ", ".join(_number(frame) for frame in frames[:SHOWN]) + more


def _number(frame: Frame) -> str:
    return "without a number" if frame.number is None else str(frame.number)
