"""Names of the files that a prediction writes: this place alone knows them.

Whoever looks for images in a folder passes over these, so an output that is missing here would be
taken for an image at the next run.
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

# What follows the case in the name of a file, before its suffix.
LABEL, REPORT, OVERLAY = "_seg", "_sr", "_overlay"

# Of a whole folder.
LEDGER, VOLUMES, SUMMARY = "ledger.sqlite", "volumes.csv", "summary.json"
TABLES = (VOLUMES, SUMMARY)


def map_ending(kind: MapKind) -> str:
    """What follows the case in the name of a map."""
    return f"_{kind}"


ENDINGS = (LABEL, REPORT, OVERLAY, *(map_ending(kind) for kind in get_args(MapKind)))


def is_output_of(stem: str, cases: set[str]) -> bool:
    """Whether a file of this name, without its suffix, is an output of one of the cases."""
    return any(stem.endswith(end) and stem.removesuffix(end) in cases for end in ENDINGS)
