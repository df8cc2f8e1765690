"""Record of what was mended, `fixes.json`, by which a folder is known as one of ours."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from medseg._files import write_atomically
from medseg.data.manifest import Manifest, manifest_text
from medseg.errors import UsageError
from medseg.mending.change import CaseFix

__all__ = ["FIXES", "begin", "fixes_json", "write_record"]

FIXES = "fixes.json"
_FORM = 1


def begin(target: Path, source: Path, manifest: Manifest) -> None:
    """Claim a folder for a mended data set: a new one, an empty one, or one begun before.

    Raises:
        UsageError: If it holds anything else, lies in the data set's folder or the reverse, or was
            begun for another manifest.
    """
    own, other = target.resolve(), source.resolve()
    if own == other or other in own.parents or own in other.parents:
        raise UsageError(f"{target}: must lie outside of {source}, and not around it")
    if (target / FIXES).is_file():
        if _stated(target / FIXES) != _digest(manifest):
            raise UsageError(
                f"{target}: holds a data set that was mended by another manifest; use another "
                "folder, or remove it"
            )
        return
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} already exists; use another folder")
    write_record(target, manifest, [], ())


def write_record(
    target: Path, manifest: Manifest, fixes: Sequence[CaseFix], ways: Collection[str]
) -> None:
    """Write `fixes.json` of a folder."""
    text = fixes_json(manifest, fixes, ways)
    write_atomically(target / FIXES, lambda path: path.write_text(text, encoding="utf-8"))


def fixes_json(manifest: Manifest, fixes: Sequence[CaseFix], ways: Collection[str]) -> str:
    """The record as JSON.

    Args:
        manifest: Of the data set as it was.
        fixes: Of all cases.
        ways: How unchanged files came into the folder: `linked`, `copied`.
    """
    content: dict[str, Any] = {
        "form": _FORM,
        "data_set": manifest.name,
        "manifest_sha256": _digest(manifest),
        "unchanged_files": sorted(ways),
        "changes": [
            {"case": fix.case, **asdict(change)} for fix in fixes for change in fix.changes
        ],
        "left_out": [
            {"case": fix.case, "where": one.where, "what": one.what, "do": one.remedy}
            for fix in fixes
            for one in fix.left
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _digest(manifest: Manifest) -> str:
    return hashlib.sha256(manifest_text(manifest).encode()).hexdigest()


def _stated(path: Path) -> str | None:
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", content).get("manifest_sha256") if _is_dict(content) else None


def _is_dict(content: object) -> bool:
    return isinstance(content, dict)
