"""Names of the files that a prediction writes, defined only here.

A search for images in a folder skips these, so an output that is missing here would be used as an
image in the next run.
"""

from typing import Literal, get_args

__all__ = [
    "ENDINGS",
    "LABEL",
    "LEDGER",
    "OVERLAY",
    "REPORT",
    "SUMMARY",
    "TABLES",
    "VOLUMES",
    "MapKind",
    "is_output_of",
    "map_ending",
]

MapKind = Literal["probabilities", "entropy"]

# Endings of a case's files, before the suffix.
LABEL, REPORT, OVERLAY = "_seg", "_sr", "_overlay"

# Files of a whole folder.
LEDGER, VOLUMES, SUMMARY = "ledger.sqlite", "volumes.csv", "summary.json"
TABLES = (VOLUMES, SUMMARY)


def map_ending(kind: MapKind) -> str:
    """Ending of a map's file, before the suffix."""
    return f"_{kind}"


ENDINGS = (LABEL, REPORT, OVERLAY, *(map_ending(kind) for kind in get_args(MapKind)))


def is_output_of(stem: str, cases: set[str]) -> bool:
    """Whether a file with this stem is an output of one of the cases."""
    return any(stem.endswith(end) and stem.removesuffix(end) in cases for end in ENDINGS)
