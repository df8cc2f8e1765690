"""Files of a case in a manifest: one path, or one for each channel, with their digests."""

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import cast

__all__ = ["Digest", "Files", "below_the_folder", "digest_of", "files_of", "in_json"]

# One for each channel, or one alone.
Files = str | tuple[str, ...]
Digest = str | tuple[str, ...]

_SHA256 = re.compile(r"[0-9a-f]{64}")


def files_of(given: object) -> Files:
    """Check a path below the data set's folder, or a list of them; a list of one is a path.

    Raises:
        ValueError: If it is neither, or a path leads elsewhere.
    """
    return _one_or_each(given, below_the_folder, "a path, or a list of one for each channel")


def digest_of(given: object) -> Digest:
    """Check a SHA-256, or a list of them.

    Raises:
        ValueError: If one is not 64 hexadecimal digits.
    """
    return _one_or_each(given, _sha256, "64 hexadecimal digits, or a list of such")


def in_json(given: str | tuple[str, ...]) -> str | list[str]:
    """Paths or digests as JSON has them."""
    return given if isinstance(given, str) else list(given)


def below_the_folder(path: str) -> str:
    """Check a path below the data set's folder.

    Raises:
        ValueError: If it is absolute, or leads elsewhere.
    """
    below = PurePosixPath(path)
    if below.is_absolute() or ".." in below.parts or not below.parts:
        raise ValueError(f"must be a path below the data set's folder, got {path!r}")
    if "\\" in path or ":" in path:
        raise ValueError(f"must have / between folders and no drive, got {path!r}")
    return path


def _sha256(digest: str) -> str:
    if not _SHA256.fullmatch(digest):
        raise ValueError(f"must be 64 hexadecimal digits, got {digest[:80]!r}")
    return digest


def _one_or_each(given: object, check: Callable[[str], str], what: str) -> str | tuple[str, ...]:
    if isinstance(given, str):
        return check(given)
    several = isinstance(given, list | tuple)
    parts = list(cast("Sequence[object]", given)) if several else []
    checked = tuple(check(part) for part in parts if isinstance(part, str))
    if not checked or len(checked) != len(parts):
        raise ValueError(f"must be {what}, got {given!r:.80}")
    return checked[0] if len(checked) == 1 else checked
