"""What `medseg predict` wrote into a folder, so that it is not taken for an image the next time.

Labels may lie beside or below the images that they are of: `-o labels` in a folder of DICOM.
"""

from pathlib import Path

from medseg.bundles.ledger import Ledger

__all__ = ["without_earlier_outputs"]

_LEDGER = "ledger.sqlite"
_TABLES = ("volumes.csv", "summary.json")


def without_earlier_outputs(folder: Path, files: list[Path]) -> list[Path]:
    """The files of a folder that no ledger in it, or below it, tells as written by a prediction.

    Args:
        folder: Looked through for ledgers.
        files: Below it.

    Raises:
        MedsegError: If a ledger cannot be read.
    """
    ours = {path for ledger in folder.rglob(_LEDGER) for path in _written(ledger)}
    return [file for file in files if file not in ours and not file.name.startswith(_LEDGER)]


def _written(ledger: Path) -> set[Path]:
    beside = ledger.parent
    entries = Ledger(beside).entries()
    names = {name for entry in entries for name in entry.outputs}
    # Of a case that was interrupted, the ledger knows no more than its name.
    begun = tuple(f"{entry.name}_" for entry in entries if not entry.outputs)
    halves = {path.name for path in beside.iterdir() if begun and path.name.startswith(begun)}
    return {beside / name for name in {*names, *halves, *_TABLES}}
