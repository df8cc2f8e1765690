"""Source of a bundle, as a user writes it: a path, an `https://` address, or `share:PLACE#NAME`."""

import re
from dataclasses import dataclass
from pathlib import Path

from medseg.errors import UsageError

__all__ = ["Source", "parse_source"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.DOTALL)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where to get a bundle.

    Attributes:
        scheme: How to get it, e.g. `https`; `path` for a zip or a folder on this machine.
        text: As it is written, scheme included; of a path, absolute.
        sha256: That the zip must have; None if it is not known beforehand.
        size: Likewise in bytes.
    """

    scheme: str
    text: str
    sha256: str | None = None
    size: int | None = None


def parse_source(text: str, *, sha256: str | None = None, share: str | None = None) -> Source:
    """Read a source.

    Args:
        text: A path, an address, `share:PLACE#NAME`, or the name of a bundle of `share`.
        sha256: That the zip must have, in hexadecimal.
        share: A folder or an address of a share.

    Raises:
        UsageError: If the digest is none.
    """
    if sha256 is not None:
        sha256 = sha256.lower().removeprefix("sha256:")
        if _SHA256.fullmatch(sha256) is None:
            raise UsageError(f"--sha256 takes 64 hexadecimal digits, got {sha256[:80]!r}")
    if share is not None:
        place = share if _SCHEME.match(share) else str(Path(share).absolute())
        return Source(scheme="share", text=f"share:{place}#{text}", sha256=sha256)
    # A drive, as in C:\bundles, is one letter.
    match = _SCHEME.fullmatch(text)
    if match is None:
        return Source(scheme="path", text=str(Path(text).absolute()), sha256=sha256)
    return Source(scheme=match[1].lower(), text=text, sha256=sha256)
