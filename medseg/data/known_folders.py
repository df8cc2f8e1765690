"""Known folders: where a planned bundle's data lie on this machine, by its manifest's digest.

A bundle that names a folder of one machine leads nowhere on the next, could make it read what its
author chose, and tells strangers of the author's disk. So the place is written down in the user
folder, which nobody else writes to, and the bundle asks for it. The digest stays the same wherever
the bundle is moved or copied to; a packed bundle has another manifest, without cases, and so
none of the author's places.
"""

import json
from pathlib import Path
from typing import Any, cast

from medseg._files import write_atomically
from medseg._user_folder import user_folder
from medseg.data.digest import file_sha256
from medseg.errors import MachineError

__all__ = ["known_dataset_dir", "recall", "remember"]


def known_dataset_dir(manifest_file: str | Path, otherwise: str) -> str:
    """Folder of a manifest's files, as `medseg plan` noted it; `otherwise` if nobody did.

    Args:
        manifest_file: The bundle's manifest.
        otherwise: A folder; what is missing in it is told by `datalist`.
    """
    noted = recall(manifest_file).get("dataset_dir")
    return noted if isinstance(noted, str) else otherwise


def remember(manifest_file: str | Path, noted: dict[str, Any]) -> None:
    """Note what belongs to a manifest on this machine.

    Args:
        manifest_file: As it is in the bundle.
        noted: As JSON: `dataset_dir`, an absolute path, and what else the writer recalls.

    Raises:
        MachineError: If there is no user folder, or it cannot be written.
    """
    path = _place(manifest_file)
    text = json.dumps(noted, indent=1, ensure_ascii=False)
    try:
        write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    except OSError as error:
        raise MachineError(f"{path}: cannot be written ({error.strerror})") from error


def recall(manifest_file: str | Path) -> dict[str, Any]:
    """What `remember` noted; empty if nothing, or if it cannot be read."""
    try:
        content: object = json.loads(_place(manifest_file).read_text(encoding="utf-8"))
    except (OSError, ValueError, MachineError):
        return {}
    return cast("dict[str, Any]", content) if isinstance(content, dict) else {}


def _place(manifest_file: str | Path) -> Path:
    return user_folder() / "datasets" / f"{file_sha256(manifest_file)}.json"
