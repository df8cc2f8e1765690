"""Zip at an https address, with its digest, as the source of a bundle."""

import hashlib
from pathlib import Path

from medseg.errors import UsageError
from medseg.sharing.sources.address import require_address
from medseg.sharing.sources.download import download
from medseg.sharing.sources.source import Source

__all__ = ["fetch_https", "find_https"]


def find_https(source: Source) -> Source:
    """The same source, which must name its digest.

    Raises:
        UsageError: If it does not, or is no address that may be opened.
    """
    require_address(source.text)
    if source.sha256 is None:
        hint = "add --sha256 HEX, as its sender tells it; of a share, NAME --from ADDRESS"
        raise UsageError(f"{source.text}: is taken only with the SHA-256 of its file: {hint}")
    return source


def fetch_https(source: Source, folder: Path) -> Path:
    """Download the zip into `folder`; see `download` for errors."""
    if source.sha256 is None:
        raise UsageError(f"{source.text}: an address is taken only with the SHA-256 of its file")
    name = hashlib.sha256(f"{source.text} {source.sha256}".encode()).hexdigest()[:16]
    path = folder / f"{name}.zip"
    download(source.text, path, sha256=source.sha256, size=source.size)
    return path
