"""Search for DICOM series in a folder, a tree or a zip.

Only headers are read. Gaps and tilt are checked when a series is read; here, series that can never
be a volume are marked: reports, contours, colours, scouts.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal
from zipfile import BadZipFile

import numpy as np

from medseg.data.dicom.input import DicomInput, dicom_error, open_input
from medseg.data.dicom.instance import Damaged, Frame, Instance, read_instance

__all__ = ["DicomSeries", "SeriesKind", "find_dicom_series", "scan_series"]

SeriesKind = Literal["volume", "no image", "colour", "localizer", "lookup table", "no geometry"]
# Modalities that are derived from other images, or are doses or documents.
NOT_IMAGES = {"SEG", "RTDOSE", "RTSTRUCT", "RTPLAN", "RTIMAGE", "PR", "KO", "SR", "REG", "DOC"}
SCOUTS = {"LOCALIZER", "SCOUT", "TOPOGRAM"}
PLANES = ("sagittal", "coronal", "axial")


@dataclass(frozen=True)
class DicomSeries:
    """One series of an input.

    Attributes:
        uid: SeriesInstanceUID.
        modality: E.g. `CT`.
        kind: `volume` if it consists of grey slices of known position, else why not.
        slices: Number of slices, without scouts.
        columns: Of the first slice.
        rows: Of the first slice.
        spacing_mm: Between columns, rows and slices, as far as the headers state it.
        orientation: `axial`, `coronal` or `sagittal`, or `oblique` and the nearest of them.
        damaged: Number of files next to those of the series that look like slices but cannot be
            read.
        scouts: Number of scouts in a series of slices, which are left out.
        frames: The slices, in the order of file names.
        path: Input of the series; must not be shown.
        stamp: Stamp of the input when it was scanned, see `DicomInput`.
    """

    uid: str
    modality: str
    kind: SeriesKind
    slices: int
    columns: int
    rows: int
    spacing_mm: tuple[float, float, float] | None
    orientation: str
    damaged: int
    scouts: int
    frames: tuple[Frame, ...]
    path: Path = field(repr=False, compare=False)
    stamp: str = field(repr=False, compare=False)

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
    unread: list[str] = []
    damaged: set[str] = set()
    for name in source.names:
        try:
            with source.open(name) as stream:
                instance = read_instance(stream, name)
        except OSError:
            remedy = "check the permissions of all files, or copy them again"
            raise dicom_error("a file cannot be opened", remedy) from None
        except (Damaged, BadZipFile, zlib.error, EOFError, NotImplementedError):
            damaged.add(name)
        else:
            unread += [name] if instance is None else []
            if instance is not None:
                groups[instance.series_uid].append(instance)
    found = [_series(group, source, damaged, unread) for group in groups.values()]
    if not found and damaged:
        raise dicom_error("all DICOM files are damaged", "copy or export them again")
    return tuple(sorted(found, key=lambda series: (-series.slices, series.uid)))


def _series(
    group: Sequence[Instance], source: DicomInput, damaged: Iterable[str], unread: Iterable[str]
) -> DicomSeries:
    images = [one for one in group if one.frames and one.modality not in NOT_IMAGES]
    slices = [one for one in images if SCOUTS.isdisjoint(one.image_type)] or images
    frames = tuple(frame for one in slices for frame in one.frames)
    columns, rows = frames[0].shape if frames else (0, 0)
    headless = sum(not one.frames and one.modality not in NOT_IMAGES for one in group)
    return DicomSeries(
        uid=group[0].series_uid,
        modality=group[0].modality,
        kind=_kind(slices),
        slices=len(frames),
        columns=columns,
        rows=rows,
        spacing_mm=_spacing(frames),
        orientation=_plane(frames),
        damaged=(headless if images else 0) + _neighbours(group, damaged, unread),
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


def _neighbours(group: Sequence[Instance], damaged: Iterable[str], unread: Iterable[str]) -> int:
    """Number of unreadable files in the slices' folders, with their suffix, that may be slices."""
    places = {_place(one.file) for one in group}
    # Only names with a suffix: without one, a slice cannot be told from a text file.
    alike = [name for name in unread if _place(name) in places and PurePosixPath(name).suffix]
    return sum(_place(name)[0] in {place[0] for place in places} for name in damaged) + len(alike)


def _place(name: str) -> tuple[str, str]:
    path = PurePosixPath(name)
    return str(path.parent), path.suffix


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
