"""What `medseg predict` wrote into a folder, so that it is not taken for an image the next time.

Labels may lie beside or below the images that they are of: `-o labels` in a folder of DICOM.
"""

from pathlib import Path

from medseg.data.output_names import ENDINGS, LEDGER, TABLES
from medseg.errors import DataError
from medseg.prediction.ledger import Ledger

__all__ = ["is_earlier_output", "without_earlier_outputs"]


def without_earlier_outputs(folder: Path, files: list[Path]) -> list[Path]:
    """The files of a folder that no ledger in it, or below it, tells as written by a prediction.

    Args:
        folder: Looked through for ledgers.
        files: Below it.

    Raises:
        MachineError: If a ledger is held by another process for long, or cannot be opened.
    """
    ours = {path for ledger in folder.rglob(LEDGER) for path in _written(ledger)}
    return [file for file in files if file not in ours and not file.name.startswith(LEDGER)]


def is_earlier_output(file: Path) -> bool:
    """Whether the ledger beside a file tells it as written by a prediction.

    Raises:
        MachineError: As above.
    """
    beside = file.absolute().parent
    return (beside / LEDGER).is_file() and beside / file.name in _written(beside / LEDGER)


def _written(ledger: Path) -> set[Path]:
    beside = ledger.parent
    try:
        entries = Ledger(beside).entries()
    except DataError:
        return set()  # another program's, which tells of nothing of ours
    names = {name for entry in entries for name in entry.outputs}
    # Of a case that was interrupted, the ledger knows no more than its name.
    begun = tuple(
        f"{entry.name}{ending}." for entry in entries if not entry.outputs for ending in ENDINGS
    )
    halves = {path.name for path in beside.iterdir() if path.name.startswith(begun)}
    return {beside / name for name in {*names, *halves, *TABLES}}
