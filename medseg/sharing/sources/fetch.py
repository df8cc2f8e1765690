"""Schemes of sources: how each is found and fetched.

A new kind of source is a row in one table or both:

- `_FIND` follows what may change, as a share's newest version, to what is fixed: a source of
  another scheme, with the digest of its zip where that is known. An update asks it again.
- `_FETCH` brings a fixed source to this machine: `fetch(source, folder)` returns the path of a zip
  or a bundle's folder. What it makes in `folder`, which outlives the process, has a name of its
  own for each source; a killed download is continued from it, and it is removed when the bundle
  is installed.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from medseg.errors import UsageError
from medseg.sharing.sources.https import fetch_https, find_https
from medseg.sharing.sources.hub import fetch_hub, find_hub
from medseg.sharing.sources.oci import fetch_oci, find_oci
from medseg.sharing.sources.path import fetch_path
from medseg.sharing.sources.share import find_in_share
from medseg.sharing.sources.source import Source

__all__ = ["fetch", "find"]

_FIND: Mapping[str, Callable[[Source], Source]] = {
    "share": find_in_share,
    "https": find_https,
    "http": find_https,
    "oci": find_oci,
    "hf": find_hub,
}
_FETCH: Mapping[str, Callable[[Source, Path], Path]] = {
    "path": fetch_path,
    "https": fetch_https,
    "http": fetch_https,
    "oci": fetch_oci,
    "hf": fetch_hub,
}
_KNOWN = (
    "a path, https://HOST/FILE.zip, share:PLACE#NAME, oci://HOST/REPOSITORY:TAG or "
    "hf://OWNER/NAME@REVISION"
)


def find(source: Source) -> Source:
    """Follow a source to what is fixed.

    Raises:
        MedsegError: If its scheme is unknown, or it leads nowhere; in one line.
    """
    if source.scheme not in _FIND and source.scheme not in _FETCH:
        raise UsageError(f"{source.text}: unknown scheme {source.scheme}; use {_KNOWN}")
    follow = _FIND.get(source.scheme)
    return source if follow is None else follow(source)


def fetch(source: Source, folder: Path) -> Path:
    """Bring a found source to this machine, checked against its digest if it has one.

    Args:
        source: As `find` returns it.
        folder: For downloads; created if needed.

    Returns:
        A zip, or a bundle's folder.

    Raises:
        MedsegError: If it cannot be had, in one line.
    """
    return _FETCH[source.scheme](source, folder)
