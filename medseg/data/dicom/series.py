"""Reading of a DICOM series as a volume; series that do not form a regular grid are refused.

Gantry tilt and gaps can be allowed. A tilted stack is then resampled, rather than returned with a
sheared affine: NIfTI's quaternion and ITK cannot represent a shear, so the next program would drop
it silently. Missing slices are interpolated from their neighbours. The facts record all changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medseg.data.dicom.allowances import Gaps, Tilt, check_words
from medseg.data.dicom.choice import find_series, unreadable_error
from medseg.data.dicom.find import DicomSeries
from medseg.data.dicom.frame import Frame
from medseg.data.dicom.input import dicom_error, open_input
from medseg.data.dicom.instance import UidOrigin
from medseg.data.dicom.pixels import read_values, without_copies
from medseg.data.dicom.resample import fill_gaps, straighten
from medseg.data.dicom.stack import MAX_ERROR_MM, Stack, frame_words, stack_frames
from medseg.data.source import Source, as_source

__all__ = ["DicomFacts", "DicomVolume", "Plane", "read_dicom_series"]

Values = NDArray[np.int16] | NDArray[np.float32]
# Between neighbouring slices; a wider gap is too wide to interpolate.
MAX_GAP_MM = 20.0


@dataclass(frozen=True)
class Plane:
    """The DICOM slice that a slice of the volume comes from: its UID, and its frame from 1."""

    sop_uid: str
    frame: int


@dataclass(frozen=True, kw_only=True)
class DicomFacts:
    """Origin of a volume and the changes made to it; no names, no dates.

    Attributes:
        series_uid: SeriesInstanceUID.
        modality: E.g. `CT`.
        slices: Number of slices read.
        tilt_degrees: Angle between the stack and the normal of its slices.
        straightened_mm: Largest shift of a slice in its plane; 0 without straightening.
        interpolated: Indices of interpolated slices, from 0.
        copies_left_out: Number of duplicate slices left out.
        scouts_left_out: Number of scouts in the series, left out.
        singles_left_out: Number of series of one slice beside it, left out.
        stated: Number of slices that its headers speak of; 0 if of none.
        numbering: Whether slices are numbered along the stack, as far as they have numbers; those
            of two reconstructions or time points are `mixed`.
        frames_of_reference: Number of different FrameOfReferenceUIDs of its slices.
        patients: Number of different PatientIDs of its slices, a missing one being one.
        uid_origin: Whether the UID is the headers', or was made in place of an invalid one.
        planes: DICOM slice of each slice of the volume, None for interpolated ones.
    """

    series_uid: str
    modality: str
    slices: int
    tilt_degrees: float = 0.0
    straightened_mm: float = 0.0
    interpolated: tuple[int, ...] = ()
    copies_left_out: int = 0
    scouts_left_out: int = 0
    singles_left_out: int = 0
    stated: int = 0
    numbering: Literal["along", "mixed"] = "along"
    frames_of_reference: int = 1
    patients: int = 1
    uid_origin: UidOrigin = "stated"
    planes: tuple[Plane | None, ...] = ()


@dataclass(frozen=True, eq=False)
class DicomVolume:
    """A series as a volume.

    Attributes:
        array: `(I, J, K)`, columns, rows and slices along the normal; `int16` or `float32`, in
            the unit of the modality (HU for CT).
        affine: `(4, 4)`, from voxel indices to millimetres, RAS+, with orthogonal axes.
        facts: Origin and changes.
        series: The series as found, for outputs that refer to it.
    """

    array: Values
    affine: NDArray[np.float64]
    facts: DicomFacts
    series: DicomSeries


def read_dicom_series(
    source: DicomSeries | Source | str | Path,
    *,
    series_uid: str | None = None,
    modality: str | None = None,
    tilt: Tilt = "refuse",
    gaps: Gaps = "refuse",
) -> DicomVolume:
    """Read one series of a folder, a tree or a zip, or a multi-frame file.

    Args:
        source: A path, a path and a UID, or a series found before: its headers are then not read
            again.
        series_uid: UID of the series; required if several match.
        modality: Modality that the series must have; None accepts any.
        tilt: `resample` shifts the slices of a tilted stack within their planes.
        gaps: `interpolate` fills in missing slices and evens out the spacing.

    Raises:
        UsageError: If a word is unknown.
        InputError: If no series or several match, if it is not a volume of grey values, if slices
            are damaged, missing, tilted, duplicate or turned. It names the slices.
    """
    check_words(tilt, gaps)
    wanted = source if isinstance(source, DicomSeries) else as_source(source)
    with open_input(wanted.path) as files:
        series = find_series(wanted, files, series_uid=series_uid, modality=modality)
        if series.damaged or series.missing:
            raise unreadable_error(series)
        frames, copies = without_copies(series.uid, series.frames, files.open)
        stack = stack_frames(series.uid, frames)
        _check_stack(stack, tilt, gaps)
        array = read_values(series.uid, stack.frames, files.open)
    return _volume(series, stack, array, copies)


def _check_stack(stack: Stack, tilt: Tilt, gaps: Gaps) -> None:
    if not stack.is_straight and tilt == "refuse":
        raise stack.tilt_error()
    if stack.is_even:
        return
    if gaps == "refuse":
        raise stack.gaps_error()
    distances = np.diff(stack.heights_mm)
    if distances.max() > MAX_GAP_MM:
        place = frame_words([stack.frames[int(distances.argmax())]])
        what = f"a gap of {distances.max():.1f} mm is too wide to interpolate: after {place}"
        remedy = f"export the complete series; {MAX_GAP_MM:g} mm between slices is the limit"
        raise dicom_error(what, remedy, series_uid=stack.series_uid)


def _volume(series: DicomSeries, stack: Stack, array: Values, copies: int) -> DicomVolume:
    affine, straightened_mm = stack.affine, 0.0
    if not stack.is_straight:
        straightened_mm = float(np.linalg.norm(stack.sideways_mm, axis=1).max())
        array, affine = straighten(array, affine, stack.sideways_mm)
    taken: tuple[int | None, ...] = tuple(range(len(stack.frames)))
    if not stack.is_even:
        heights = stack.heights_mm / stack.step_mm
        array, taken = fill_gaps(array, heights, MAX_ERROR_MM / stack.step_mm)
    facts = DicomFacts(
        series_uid=series.uid,
        modality=series.modality,
        slices=len(stack.frames),
        tilt_degrees=stack.tilt_degrees,
        straightened_mm=straightened_mm,
        interpolated=tuple(place for place, source in enumerate(taken) if source is None),
        copies_left_out=copies,
        scouts_left_out=series.scouts,
        singles_left_out=series.singles,
        stated=max(series.stated, _highest_number(stack.frames)),
        numbering=_numbering(stack.frames),
        frames_of_reference=len({f.identifiers.frame_of_reference_uid for f in stack.frames}),
        patients=len({f.identifiers.patient for f in stack.frames}),
        uid_origin=series.uid_origin,
        planes=_planes(stack.frames, taken),
    )
    return DicomVolume(array=array, affine=affine, facts=facts, series=series)


def _highest_number(frames: Sequence[Frame]) -> int:
    """The last InstanceNumber, if slices are numbered one by one and the first ones may be missing.

    A number far above the count says nothing: some scanners begin at 1001.
    """
    numbers = sorted(frame.number for frame in frames if frame.number is not None)
    if not numbers or numbers != list(range(numbers[0], numbers[0] + len(frames))):
        return 0
    return numbers[-1] if numbers[0] <= len(frames) else 0


def _numbering(frames: Sequence[Frame]) -> Literal["along", "mixed"]:
    numbers = [f.number for f in frames if f.number is not None and not f.identifiers.is_multiframe]
    # Files of one number each, as those that were numbered anew by a converter, say nothing.
    steps = {after > before for before, after in pairwise(numbers)}
    return "mixed" if len(steps) > 1 and len(set(numbers)) == len(numbers) else "along"


def _planes(frames: Sequence[Frame], taken: Sequence[int | None]) -> tuple[Plane | None, ...]:
    sources = (None if k is None else frames[k] for k in taken)
    return tuple(None if f is None else Plane(f.sop_uid, f.index + 1) for f in sources)
