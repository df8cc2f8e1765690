"""Outputs of earlier predictions, which must not be taken for input images.

Labels may be beside or below their images, e.g. with `-o labels` in a folder of DICOM.
"""

import logging
from pathlib import Path

from medseg.data.output_names import ENDINGS, LEDGER, TABLES
from medseg.data.walk import Tree
from medseg.errors import DataError
from medseg.prediction.ledger import Ledger

__all__ = ["earlier_outputs", "is_earlier_output"]

logger = logging.getLogger(__name__)


def earlier_outputs(tree: Tree) -> list[Path]:
    """The files of a folder that its ledgers list as outputs of a prediction, and the ledgers.

    Raises:
        MachineError: If a ledger is locked by another process for long, or cannot be opened.
    """
    ledgers = [file for file in tree.files if file.name == LEDGER]
    ours = {path for ledger in ledgers for path in _written(ledger)}
    return [file for file in tree.files if file in ours or file.name.startswith(LEDGER)]


def is_earlier_output(file: Path) -> bool:
    """Whether the ledger beside a file lists it as an output of a prediction.

    Raises:
        MachineError: If the ledger is locked by another process for long, or cannot be opened.
    """
    beside = file.absolute().parent
    return (beside / LEDGER).is_file() and beside / file.name in _written(beside / LEDGER)


def _written(ledger: Path) -> set[Path]:
    beside = ledger.parent
    try:
        entries = Ledger(beside).read_entries()
    except DataError as error:
        # Most likely another program's file, which lists none of our outputs.
        logger.warning("%s (it lies among the images, and is ignored)", error)
        return set()
    names = {name for entry in entries for name in entry.outputs}
    # Of an interrupted case the ledger has the name only.
    begun = tuple(
        f"{entry.name}{ending}." for entry in entries if not entry.outputs for ending in ENDINGS
    )
    halves = {path.name for path in beside.iterdir() if path.name.startswith(begun)}
    return {beside / name for name in {*names, *halves, *TABLES}}
