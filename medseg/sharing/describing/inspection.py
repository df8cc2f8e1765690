"""Inspection of a bundle: its summary, its verdict with all places, and remarks; for `inspect`."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from medseg.bundles.judgement.judge import judge_tree
from medseg.bundles.judgement.snapshot import working_tree
from medseg.bundles.judgement.tree import BundleTree
from medseg.bundles.judgement.verdict import Judgement, Place
from medseg.bundles.judgement.zips.zip_end import UnsafeZipError
from medseg.bundles.judgement.zips.zip_tree import ZipTree
from medseg.errors import DataError, UsageError
from medseg.sharing.describing.remarks import remarks
from medseg.sharing.describing.summary import Summary, summarise

__all__ = ["Inspection", "inspect_bundle", "inspection_json"]


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What a bundle is, and whether it is safe.

    Attributes:
        path: As it was given.
        judgement: The verdict with its places.
        summary: None if the bundle is a zip that is refused as a whole.
        remarks: One line each.
    """

    path: str
    judgement: Judgement
    summary: Summary | None
    remarks: tuple[str, ...]


def inspect_bundle(path: str | Path) -> Inspection:
    """Inspect a bundle in a folder or a zip; nothing of it is executed, imported or unpacked.

    Raises:
        UsageError: If there is nothing at `path`.
        DataError: If what is there is no bundle, or cannot be read.
    """
    path = Path(path)
    if not path.exists():
        raise UsageError(f"{path}: no such folder or zip; give a bundle")
    try:
        tree = _tree(path)
    except UnsafeZipError as error:
        return _refused(path, error)
    if not any(name.startswith("configs/") for name in tree.entries):
        raise DataError(f"{path}: is no bundle: it has no configs/; give a bundle's folder or zip")
    summary = summarise(tree)
    return Inspection(
        path=str(path),
        judgement=judge_tree(tree),
        summary=summary,
        remarks=remarks(tree, summary),
    )


def inspection_json(inspection: Inspection) -> dict[str, Any]:
    """An inspection as plain values, as docs/how-to/bundle-inspect.md describes them."""
    summary = inspection.summary
    told = {} if summary is None else asdict(summary)
    if summary is not None and summary.scores is not None:
        told["scores"] = summary.scores.model_dump(mode="json")
    return {
        "path": inspection.path,
        "verdict": inspection.judgement.verdict,
        "digest": inspection.judgement.digest,
        "places": [_told(place) for place in inspection.judgement.places],
        "remarks": list(inspection.remarks),
        "bundle": told or None,
    }


def _told(place: Place) -> dict[str, Any]:
    return {name: value for name, value in asdict(place).items() if name != "slip"}


def _tree(path: Path) -> BundleTree:
    return working_tree(path) if path.is_dir() else ZipTree(path)


def _refused(path: Path, error: UnsafeZipError) -> Inspection:
    reason = str(error).removeprefix(f"{path}: ")
    place = Place(file=path.name, line=None, key="", grade="refused", reason=reason)
    # Nobody can trust what is refused, so the digest need not be the content's.
    digest = hashlib.sha256(str(error).encode(errors="surrogateescape")).hexdigest()
    return Inspection(
        path=str(path),
        judgement=Judgement(places=(place,), digest=digest),
        summary=None,
        remarks=(),
    )
