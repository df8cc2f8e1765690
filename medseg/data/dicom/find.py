"""Search for DICOM series in a folder, a tree or a zip.

Only headers are read. Gaps and tilt are checked when a series is read; here, series that can never
be a volume are marked: reports, contours, colours, scouts.
"""

import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile

import numpy as np

from medseg.data.dicom.frame import Frame
from medseg.data.dicom.input import DicomInput, dicom_error, open_input
from medseg.data.dicom.instance import NO_SIZE, Damaged, Instance, UidOrigin, read_instance
from medseg.data.dicom.neighbours import Strays
from medseg.data.dicom.tags import quiet_pydicom

__all__ = ["DicomSeries", "SeriesKind", "find_dicom_series", "scan_series"]

SeriesKind = Literal[
    "volume", "no image", "colour", "localizer", "lookup table", "no geometry", "unreadable"
]
# Modalities that are derived from other images, or are doses or documents.
NOT_IMAGES = {"SEG", "RTDOSE", "RTSTRUCT", "RTPLAN", "RTIMAGE", "PR", "KO", "SR", "REG", "DOC"}
SCOUTS = {"LOCALIZER", "SCOUT", "TOPOGRAM"}
# Words of ImageType for images that were computed from other slices.
COMPUTED = {"SECONDARY", "MPR", "MIP", "MINIP", "PROJECTION IMAGE", "REFORMATTED"}
PLANES = ("sagittal", "coronal", "axial")


@dataclass(frozen=True)
class DicomSeries:
    """One series of an input.

    Attributes:
        uid: SeriesInstanceUID, or if that is invalid one that was made in its place.
        uid_origin: Which of them.
        study_uid: StudyInstanceUID; empty if it is not stated.
        modality: E.g. `CT`.
        kind: `volume` if it consists of grey slices of known position, else why not.
        slices: Number of slices, without scouts.
        columns: Of the first slice.
        rows: Of the first slice.
        spacing_mm: Between columns, rows and slices, as far as the headers state it.
        orientation: `axial`, `coronal` or `sagittal`, or `oblique` and the nearest of them.
        damaged: Number of files of the series, or next to its files and alike, that cannot be read.
        missing: Number of links to nothing, next to its files, that may be slices.
        reasons: Why files are damaged, as far as it is known.
        stated: Number of slices that its headers speak of; 0 if of none.
        is_derived: Whether its images were computed from other slices (MPR, MIP, captures).
        scouts: Number of scouts in a series of slices, which are left out.
        frames: The slices, in the order of file names.
        path: Input of the series; must not be shown.
        stamp: Stamp of the input when it was scanned, see `DicomInput`.
        singles: Number of series of one slice beside it, left out when it was chosen.
    """

    uid: str
    uid_origin: UidOrigin
    study_uid: str
    modality: str
    kind: SeriesKind
    slices: int
    columns: int
    rows: int
    spacing_mm: tuple[float, float, float] | None
    orientation: str
    damaged: int
    missing: int
    reasons: tuple[str, ...]
    stated: int
    is_derived: bool
    scouts: int
    frames: tuple[Frame, ...]
    path: Path = field(repr=False, compare=False)
    stamp: str = field(repr=False, compare=False)
    singles: int = field(default=0, compare=False)

    def describe(self) -> str:
        """One line without a name, a date or a description: UID, modality, size, plane."""
        parts = [f"{self.uid}: {self.modality or 'no modality'}"]
        if self.kind != "volume":
            return ", ".join([*parts, self.kind])
        parts.append(f"{self.slices} slices of {self.columns} x {self.rows}")
        if self.spacing_mm is not None:
            parts.append(" x ".join(f"{step:.2f}" for step in self.spacing_mm) + " mm")
        return ", ".join([*parts, self.orientation])


def find_dicom_series(path: str | Path) -> tuple[DicomSeries, ...]:
    """Find every series of a folder tree, a zip or a file.

    Files that are not DICOM, hidden files and DICOMDIR are ignored.

    Returns:
        In descending order of the number of slices; empty if there is no DICOM.

    Raises:
        InputError: If the path cannot be opened.
    """
    with open_input(Path(path)) as source:
        return scan_series(source)


def scan_series(source: DicomInput) -> tuple[DicomSeries, ...]:
    """Find every series of an open input."""
    groups: defaultdict[str, list[Instance]] = defaultdict(list)
    strays = Strays(lost=source.lost)
    # Once for all files, since it takes a while.
    with quiet_pydicom():
        for name in source.names:
            instance = _instance(source, name, strays)
            if instance is not None:
                groups[instance.series_uid].append(instance)
    for group in groups.values():
        if not any(one.frames for one in group):
            # Cut off within the UID, a slice looks like a series of its own.
            strays.damaged.update({one.file: one.fault for one in group if one.fault == NO_SIZE})
    found = [_series(group, source, strays) for group in groups.values()]
    if not found and strays.damaged:
        what = f"all DICOM files are damaged{strays.reasons()}"
        raise dicom_error(what, "copy or export them again")
    return tuple(sorted(found, key=lambda series: (-series.slices, series.uid)))


def _instance(source: DicomInput, name: str, strays: Strays) -> Instance | None:
    try:
        with source.open(name) as stream:
            instance = read_instance(stream, name)
            if instance is None:
                stream.seek(0)
                (strays.foreign if stream.read(1) else strays.empty).append(name)
            return instance
    except OSError:
        remedy = "check the permissions of all files, or copy them again"
        raise dicom_error("a file cannot be opened", remedy) from None
    except (Damaged, BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        strays.damaged[name] = str(error) if isinstance(error, Damaged) else ""
        return None


def _series(group: Sequence[Instance], source: DicomInput, strays: Strays) -> DicomSeries:
    images = [one for one in group if one.frames and one.modality not in NOT_IMAGES]
    slices = [one for one in images if SCOUTS.isdisjoint(one.image_type)] or images
    frames = tuple(frame for one in slices for frame in one.frames)
    columns, rows = frames[0].shape if frames else (0, 0)
    faults = {
        one.file: one.fault
        for one in group
        if not one.frames and one.modality not in NOT_IMAGES and (images or one.fault)
    }
    beside = strays.beside((one.file for one in group), faults)
    return DicomSeries(
        uid=group[0].series_uid,
        uid_origin=group[0].uid_origin,
        study_uid=frames[0].identifiers.study_uid if frames else "",
        modality=group[0].modality,
        kind="unreadable" if faults and not images else _kind(slices),
        slices=len(frames),
        columns=columns,
        rows=rows,
        spacing_mm=_spacing(frames),
        orientation=_plane(frames),
        damaged=beside.damaged,
        missing=beside.missing,
        reasons=beside.reasons,
        stated=max(one.stated for one in group),
        is_derived=bool(slices) and all(COMPUTED & set(one.image_type) for one in slices),
        scouts=sum(len(one.frames) for one in images) - len(frames),
        frames=frames,
        path=source.path,
        stamp=source.stamp,
    )


def _kind(slices: Sequence[Instance]) -> SeriesKind:
    if not slices:
        return "no image"
    if not all(one.is_grey for one in slices):
        return "colour"
    if not all(SCOUTS.isdisjoint(one.image_type) for one in slices):
        return "localizer"
    if any(one.has_lut for one in slices):
        return "lookup table"
    if not any(frame.is_placed for one in slices for frame in one.frames):
        return "no geometry"
    return "volume"


def _spacing(frames: Sequence[Frame]) -> tuple[float, float, float] | None:
    placed = [frame for frame in frames if frame.is_placed]
    if not placed:
        return None
    row_mm, column_mm = placed[0].pixel_spacing or (0.0, 0.0)
    heights = np.unique(np.round(_positions(placed) @ _normal(placed[0]), 3))
    step = float(np.median(np.diff(heights))) if len(heights) > 1 else placed[0].thickness_mm or 0.0
    return column_mm, row_mm, step


def _plane(frames: Sequence[Frame]) -> str:
    placed = next((frame for frame in frames if frame.is_placed), None)
    if placed is None:
        return "unknown"
    normal = np.abs(_normal(placed))
    name = PLANES[int(normal.argmax())]
    return name if normal.max() > 0.9998 else f"oblique {name}"


def _positions(frames: Sequence[Frame]) -> np.ndarray:
    return np.asarray([frame.position for frame in frames], dtype=np.float64)


def _normal(frame: Frame) -> np.ndarray:
    axes = np.asarray(frame.orientation, dtype=np.float64).reshape(2, 3)
    return np.cross(axes[0], axes[1])
