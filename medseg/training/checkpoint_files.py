"""Checkpoint files: written atomically, each with its SHA-256 beside it; the last two are kept.

MONAI's saver deletes the last checkpoint before it writes the next one in place: a kill or a full
disk at that moment leaves none.
"""

import hashlib
import logging
import os
import re
from pathlib import Path
from typing import Any

from medseg._files import final_name, write_atomically
from medseg.errors import DataError
from medseg.training.state_bytes import state_from_bytes, state_to_bytes

__all__ = ["checkpoint_paths", "clear_checkpoints", "newest_checkpoint", "write_checkpoint"]

logger = logging.getLogger(__name__)

_NAME = re.compile(r"checkpoint_\d{8,}\.safetensors")
_DIGEST = ".sha256"


def write_checkpoint(folder: str | Path, iteration: int, state: Any, *, keep: int = 2) -> Path:
    """Write a checkpoint, and delete older ones once it is safely on disk.

    Args:
        folder: Folder for the checkpoints of this training only; created if missing.
        iteration: Iterations done so far.
        state: As `state_to_bytes` takes it.
        keep: Number of checkpoints to keep, including this one.

    Returns:
        Path of the file.

    Raises:
        OSError: If it cannot be written; the earlier checkpoints are untouched.
    """
    path = Path(folder) / f"checkpoint_{iteration:08d}.safetensors"
    content = state_to_bytes(state)
    digest = hashlib.sha256(content).hexdigest()
    # The digest first, so that every checkpoint can be verified.
    line = f"{digest}  {path.name}\n".encode()
    write_atomically(_digest_path(path), lambda temporary: temporary.write_bytes(line))
    write_atomically(path, lambda temporary: temporary.write_bytes(content))
    _flush_folder(path.parent)
    # A checkpoint with a higher number is damaged, or the training would have resumed from it.
    before = [other for other in checkpoint_paths(folder) if other.name < path.name]
    kept = {path, *before[len(before) - keep + 1 :]}
    _remove(other for other in checkpoint_paths(folder) if other not in kept)
    return path


def newest_checkpoint(folder: str | Path) -> tuple[Path, Any] | None:
    """The newest intact checkpoint and its state; None if there are no checkpoints.

    A damaged one is logged, and the one before it used.

    Raises:
        DataError: If all checkpoints are damaged, or the newest was written by a version of
            medseg that this one cannot read.
    """
    paths = checkpoint_paths(folder)
    for path in reversed(paths):
        # Not of a link that leads nowhere, nor of a folder or a pipe.
        content = path.read_bytes() if path.is_file() else None
        if content is not None and _is_whole(path, content):
            return path, _state(path, content)
        reason = "no file" if content is None else "damaged: its SHA-256 does not match"
        logger.warning("%s is %s; using the one before", path, reason)
    if paths:
        raise DataError(
            f"{folder}: every checkpoint there is damaged; train again with start=fresh"
        )
    return None


def checkpoint_paths(folder: str | Path) -> list[Path]:
    """The checkpoints in a folder, oldest first."""
    if not Path(folder).is_dir():
        return []
    return sorted(path for path in Path(folder).iterdir() if _NAME.fullmatch(path.name))


def clear_checkpoints(folder: str | Path, *, which: str) -> None:
    """Remove `all` checkpoints, or only the `remains` of interrupted writes."""
    if not Path(folder).is_dir():
        return
    for path in Path(folder).iterdir():
        name = final_name(path)
        if name is not None and _NAME.fullmatch(name.removesuffix(_DIGEST)):
            path.unlink()
    if which == "all":
        _remove(checkpoint_paths(folder))


def _state(path: Path, content: bytes) -> Any:
    try:
        return state_from_bytes(content)
    except ValueError as error:
        raise DataError(
            f"{path}: written by another version of medseg; train again with start=fresh"
        ) from error


def _is_whole(path: Path, content: bytes) -> bool:
    try:
        recorded = _digest_path(path).read_text(encoding="utf-8").split()[:1]
    except (OSError, UnicodeDecodeError):
        return False
    return recorded == [hashlib.sha256(content).hexdigest()]


def _digest_path(path: Path) -> Path:
    return path.with_name(f"{path.name}{_DIGEST}")


def _remove(paths: Any) -> None:
    for path in paths:
        # A folder of this name is not of this program.
        if path.is_symlink() or not path.is_dir():
            path.unlink()
            _digest_path(path).unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    # Windows cannot open a folder, and does not need this.
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
