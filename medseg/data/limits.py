"""Limits of what is read: voxels of an image, and regular files only.

A header of a few bytes can state a volume that no memory holds, and a compressed file of a few
megabytes can unpack to one. A size is held against the limit before memory is asked for.
"""

import math
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from medseg.data.problems import Problem, Where, refusal
from medseg.errors import UsageError

__all__ = ["MAX_VOXELS", "max_voxels", "require_regular_file", "require_voxels"]

# A CT of 1024 x 1024 x 1024 voxels: 2 GiB as stored, 4 GiB as float32.
MAX_VOXELS = 2**30
_NAME = "MEDSEG_MAX_VOXELS"


def max_voxels() -> int:
    """Most voxels an image may have: `$MEDSEG_MAX_VOXELS`, or 2**30.

    Raises:
        UsageError: If the variable is not a whole number of at least 1.
    """
    text = os.environ.get(_NAME, "").strip()
    if not text:
        return MAX_VOXELS
    if not (text.isascii() and text.isdigit() and len(text) < 19 and int(text) > 0):
        raise UsageError(f"{_NAME} must be a whole number of at least 1, got {text[:40]!r}")
    return int(text)


def require_voxels(path: str | Path, shape: Iterable[int], *, where: Where = "image") -> None:
    """Refuse an image of more voxels than the limit, before memory is asked for.

    Args:
        path: Name in the error.
        shape: Sizes along all axes, as the header states them.
        where: Whether the error mentions an image or a label.

    Raises:
        InputError: If the product of the sizes is above `max_voxels`.
    """
    sizes = tuple(int(size) for size in shape)
    count = math.prod(sizes)
    if count <= max_voxels():
        return
    stated = " x ".join(f"{size:.16g}" if size > 1e15 else str(size) for size in sizes)
    what = f"its header states {stated} voxels, more than the limit of {max_voxels()}"
    raise refusal(
        path, Problem("error", where, what, f"if it is so large, set {_NAME}={count:.0f}")
    )


def require_regular_file(path: Path, *, where: Where = "image") -> None:
    """Refuse what is not a regular file: reading a pipe or a device may never end.

    Raises:
        InputError: If the path is missing, or a pipe, device, socket or folder.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        reason = "a link to a file that is not there" if path.is_symlink() else "not there"
        problem = Problem("error", where, reason, "check the path and its folder")
        raise refusal(path, problem) from error
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe, device or socket, not a file"
        raise refusal(path, Problem("error", where, what, "give a regular file"))
