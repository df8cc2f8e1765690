"""Source of an image: a path, and for DICOM the SeriesInstanceUID of one series in it.

Only a command's arguments and MONAI's readers hold it as text, `PATH#UID`, and parse it once;
everything else passes the value on.
"""

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Source", "as_source", "parse_source"]

_UID = re.compile(r"[0-9]+(\.[0-9]+)+")


@dataclass(frozen=True)
class Source:
    """Location of an image.

    Attributes:
        path: A file, a folder or a zip.
        series_uid: UID of one of its DICOM series; None if it has only one, or is not DICOM.
    """

    path: Path
    series_uid: str | None = None

    def __str__(self) -> str:
        return str(self.path) if self.series_uid is None else f"{self.path}#{self.series_uid}"


def parse_source(text: object) -> Source:
    """Split `PATH#UID` into path and series UID; None for a plain path, or if the whole exists."""
    path, mark, uid = str(text).rpartition("#")
    if not mark or not _UID.fullmatch(uid) or Path(str(text)).exists():
        return Source(Path(str(text)))
    return Source(Path(path), uid)


def as_source(given: Source | str | Path) -> Source:
    """Convert a path to a source without a UID; text is taken as a path, even with a `#`."""
    return given if isinstance(given, Source) else Source(Path(given))
