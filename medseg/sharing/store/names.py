"""Names of installed bundles, as `NAME`, `NAME@1.2.0` or `NAME@1.2.0+DIGEST`; order of versions."""

import re
from dataclasses import dataclass

from medseg._text import safe_name
from medseg.errors import DataError, UsageError

__all__ = [
    "Wanted",
    "parse_wanted",
    "require_name",
    "require_version",
    "require_wanted",
    "version_order",
]

# A name becomes a folder, so it is one that every system can hold.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)
_VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{4,64}", re.ASCII)


@dataclass(frozen=True)
class Wanted:
    """A bundle that is asked for by name.

    Attributes:
        name: Of the bundle.
        version: None for the newest.
        digest: First digits of the bundle's SHA-256; None for any.
    """

    name: str
    version: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        version = "" if self.version is None else f"@{self.version}"
        return f"{self.name}{version}{'' if self.digest is None else f'+{self.digest}'}"


def parse_wanted(text: str) -> Wanted | None:
    """Read `NAME`, `NAME@VERSION` or `NAME@VERSION+DIGEST`; None for any other text."""
    name, at, rest = text.partition("@")
    version, plus, digest = rest.partition("+")
    fits = (
        _is_name(name)
        and (not at or _VERSION.fullmatch(version) is not None)
        and (not plus or _DIGEST.fullmatch(digest) is not None)
    )
    return Wanted(name, version or None, digest or None) if fits else None


def require_wanted(text: str) -> Wanted:
    """`parse_wanted`, for a text that can be nothing else.

    Raises:
        UsageError: If it is no name.
    """
    wanted = parse_wanted(text)
    if wanted is None:
        raise UsageError(f"{text!r} is no name of a bundle; write NAME or NAME@1.2.0")
    return wanted


def require_name(name: str, where: str) -> str:
    """A bundle's name, which becomes a folder of the store.

    Raises:
        DataError: If it is no such name.
    """
    if not _is_name(name):
        what = f"its name, {name[:100]!r}, cannot be a folder's everywhere"
        raise DataError(f"{where}: {what}; rename it with letters, digits and _")
    return name


def require_version(version: str, where: str) -> str:
    """A bundle's version, which becomes a folder of the store.

    Raises:
        DataError: If it is no such version.
    """
    if _VERSION.fullmatch(version) is None:
        what = f"its version, {version[:100]!r}, is none of the form 1.2.0"
        raise DataError(f"{where}: {what}; correct configs/metadata.json")
    return version


def version_order(version: str) -> tuple[tuple[int, ...], str]:
    """Sort key of a version: by its numbers, so that 0.10.0 is newer than 0.9.0 and 1.2 is 1.2.0.

    The text decides between versions of equal numbers, so that no two versions are equal.
    """
    numbers = [int(part) for part in version.split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers), version


def _is_name(name: str) -> bool:
    # Windows has devices such as nul.
    return _NAME.fullmatch(name) is not None and safe_name(name) == name
