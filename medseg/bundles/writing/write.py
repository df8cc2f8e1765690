"""Writing of a new bundle's folder: all files, or none.

The folder is put together beside its place under another name and renamed once it is whole.
"""

import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from medseg.bundles.writing.common_text import COPIES
from medseg.bundles.writing.draft import Draft
from medseg.bundles.writing.new_card import data_licence, new_card
from medseg.bundles.writing.new_metadata import new_metadata
from medseg.bundles.writing.train_config import train_config
from medseg.bundles.writing.use_configs import (
    evaluate_config,
    inference_config,
    several_processes_config,
)
from medseg.data.manifest import manifest_text
from medseg.errors import MachineError, UsageError

__all__ = ["bundle_files", "bundle_name", "copied", "require_new", "write_bundle"]

PLANNED = "Each number with its reason, and what would change it: [plan.md](plan.md)."
_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")


def bundle_name(folder: Path) -> str:
    """Name of a bundle in a folder, which is the folder's.

    Raises:
        UsageError: If it is none of a bundle.
    """
    name = folder.absolute().name
    if not _NAME.fullmatch(name):
        near = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "mytask"
        raise UsageError(
            f"{folder}: a bundle's folder is named by a-z, 0-9 and _, e.g. {folder.parent / near}"
        )
    return name


def require_new(folder: Path) -> None:
    """Refuse a folder that holds something.

    Raises:
        UsageError: If it does, or is no folder.
    """
    if (folder / "configs" / "metadata.json").exists():
        raise UsageError(
            f"{folder}: is a bundle already; plan it anew with --update, or give another folder"
        )
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"{folder}: is no folder; give another name")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder}: is not empty; give a folder that does not exist")


def bundle_files(draft: Draft) -> dict[str, str]:
    """All files of a draft, by their path in the bundle."""
    return {
        "LICENSE": copied("LICENSE"),
        "configs/logging.conf": copied("logging.conf"),
        "configs/metadata.json": new_metadata(draft),
        f"configs/{draft.manifest.name}.json": manifest_text(draft.manifest),
        "configs/train.yaml": train_config(draft),
        "configs/inference.yaml": inference_config(draft),
        "configs/evaluate.yaml": evaluate_config(draft),
        "configs/multi_gpu_train.yaml": several_processes_config(),
        "docs/README.md": new_card(draft.name, draft.manifest, draft.axes, PLANNED),
        "docs/data_license.txt": data_licence(draft.manifest),
        **draft.pages,
    }


def copied(name: str) -> str:
    """Text of a file that every bundle has."""
    return (COPIES / name).read_text(encoding="utf-8")


def write_bundle(folder: Path, files: Mapping[str, str]) -> None:
    """Write a new bundle.

    Args:
        folder: Does not exist yet, or is empty.
        files: Texts by their path in the bundle.

    Raises:
        UsageError: If it holds something.
        MachineError: If it cannot be written.
    """
    require_new(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            for path, text in files.items():
                place = staging / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text, encoding="utf-8", newline="\n")
            staging.chmod(0o755)
            if folder.is_dir():
                folder.rmdir()
            staging.rename(folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise MachineError(f"{folder}: cannot be written ({error.strerror})") from error
