"""Files beside the slices of a series that may be slices of it: damaged, empty, or missing.

A series that lacks its last slices still forms an even stack, so what lies beside it has to be
counted.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from medseg._checks import first_few

__all__ = ["Neighbours", "Strays"]

# Files may be named by UIDs or numbers, whose last part is no suffix.
SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]*")


@dataclass(frozen=True)
class Neighbours:
    """Files that may be slices of a series.

    Attributes:
        damaged: Number of those that cannot be read.
        missing: Number of links to nothing, and of pipes and devices.
        reasons: Why those that are damaged cannot be read, as far as it is known.
    """

    damaged: int
    missing: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Strays:
    """Files of an input that could not be read as DICOM; names with `/`.

    Attributes:
        damaged: DICOM files that cannot be read, and why; empty texts if that is not known.
        empty: Files of no bytes.
        foreign: Files that are not DICOM.
        lost: Links to nothing, pipes and devices.
    """

    damaged: dict[str, str] = field(default_factory=dict[str, str])
    empty: list[str] = field(default_factory=list[str])
    foreign: list[str] = field(default_factory=list[str])
    lost: tuple[str, ...] = ()

    def beside(self, slices: Iterable[str], faults: Mapping[str, str]) -> Neighbours:
        """Count those that may be slices.

        Args:
            slices: Names of the series' files.
            faults: Those of them that cannot be used, and why.
        """
        places = {_place(name) for name in slices}
        folders = {folder for folder, _ in places}
        above = {str(parent) for folder in folders for parent in PurePosixPath(folder).parents}
        damaged = {name: why for name, why in self.damaged.items() if _place(name)[0] in folders}
        damaged.update(faults)
        # Only names with a suffix: without one, a slice cannot be told from a text file.
        foreign = [name for name in self.foreign if _place(name) in places and _place(name)[1]]
        empty = [name for name in self.empty if _place(name) in places]
        # A name without a suffix may be a link to a folder of slices.
        lost = [
            name
            for name in self.lost
            if _place(name) in places
            or (not _place(name)[1] and _place(name)[0] in folders | above)
        ]
        return Neighbours(
            damaged=len(damaged) + len(foreign) + len(empty),
            missing=len(lost),
            reasons=_reasons((*damaged.values(), *("empty" for _ in empty))),
        )

    def reasons(self) -> str:
        """Why files are damaged, as a clause in parentheses; empty if it is not known."""
        found = _reasons(self.damaged.values())
        return f" ({first_few(found, mark=';')})" if found else ""


def _reasons(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(text for text, _ in Counter(text for text in texts if text).most_common())


def _place(name: str) -> tuple[str, str]:
    path = PurePosixPath(name)
    return str(path.parent), path.suffix.lower() if SUFFIX.fullmatch(path.suffix) else ""
