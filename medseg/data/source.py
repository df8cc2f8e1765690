"""Source of an image: a path, and for DICOM the SeriesInstanceUID of one series in it.

As text, `PATH#UID`, it comes in at two places, a command's arguments and MONAI's readers, which
parse it once; from there on the value is handed on.
"""

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Source", "as_source", "parse_source"]

_UID = re.compile(r"[0-9]+(\.[0-9]+)+")


@dataclass(frozen=True)
class Source:
    """Where an image is.

    Attributes:
        path: Of a file, a folder or a zip.
        series_uid: Which of its DICOM series; none where there is one, or no DICOM at all.
    """

    path: Path
    series_uid: str | None = None

    def __str__(self) -> str:
        return str(self.path) if self.series_uid is None else f"{self.path}#{self.series_uid}"


def parse_source(text: object) -> Source:
    """The source that a text or a path names; one that exists under the whole name has no uid."""
    path, mark, uid = str(text).rpartition("#")
    if not mark or not _UID.fullmatch(uid) or Path(str(text)).exists():
        return Source(Path(str(text)))
    return Source(Path(path), uid)


def as_source(given: Source | str | Path) -> Source:
    """A path as a source without a uid; a text is a path here, whatever is in it."""
    return given if isinstance(given, Source) else Source(Path(given))
