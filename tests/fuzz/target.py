"""Target of a fuzzer: what is read, by whom, and how its files are made wrong."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

__all__ = ["Facts", "Target", "write_file"]

# What was read, by name: arrays, affines, names.
Facts = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Target:
    """One kind of file.

    Attributes:
        name: On the command line.
        corpus: Sound files, by their names; written by others than medseg where there is a choice.
        mutate: Makes one of them wrong, or leaves it right in another way.
        ours: Reads by the door that the commands use; raises MedsegError.
        independent: Reads the same by another reader; raises anything. None if there is no such
            reader, so that only how `ours` ends counts.
        stricter: Texts in errors of the independent reader where it refuses and medseg may read,
            each with the reason.
        place: Writes a file, with what belongs to it, into an empty folder; gives the path to read.
    """

    name: str
    corpus: Callable[[], Mapping[str, bytes]]
    mutate: Callable[[Random, bytes], bytes]
    ours: Callable[[Path], Facts]
    independent: Callable[[Path], Facts] | None = None
    stricter: Sequence[tuple[str, str]] = ()
    place: Callable[[Path, str, bytes], Path] | None = None


def write_file(target: Target, folder: Path, name: str, data: bytes) -> Path:
    """Write a file of a target into an empty folder; the path to read."""
    if target.place is not None:
        return target.place(folder, name, data)
    path = folder / name
    path.write_bytes(data)
    return path
