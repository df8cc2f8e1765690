"""Share as the source of a bundle: a folder or a web server with an index of its zips."""

import re
from pathlib import Path
from urllib.parse import urljoin

from medseg.errors import DataError, UsageError
from medseg.sharing.publishing.share_index import INDEX, MOST_INDEX_BYTES, choose_entry, read_index
from medseg.sharing.sources.address import is_address, require_address
from medseg.sharing.sources.source import Source
from medseg.sharing.sources.web import read_small
from medseg.sharing.store.names import require_wanted

__all__ = ["find_in_share"]


def find_in_share(source: Source) -> Source:
    """The zip of a bundle in a share, by the share's index as it is now.

    Args:
        source: `share:PLACE#NAME`, `NAME` as `parse_wanted` takes it; if it has a digest, the zip
            must have that one.

    Raises:
        UsageError: If the share has no such bundle.
        DataError: If it has no index that can be read, or another digest than the one asked for.
        MachineError: If it cannot be reached.
    """
    place, hash_sign, name = source.text.removeprefix("share:").rpartition("#")
    if not hash_sign:
        raise UsageError(f"{source.text}: names no bundle; write share:PLACE#NAME")
    wanted = require_wanted(name)
    base = _base(place)
    entry = choose_entry(read_index(_content(base), place), wanted, place)
    if source.sha256 not in (None, entry.sha256):
        what = f"{entry.file} has SHA-256 {entry.sha256}, not {source.sha256}"
        raise DataError(f"{place}: {what}; it is another file")
    scheme, text = (
        (base.partition(":")[0].lower(), urljoin(base, entry.file))
        if is_address(base)
        else ("path", str(Path(base) / entry.file))
    )
    return Source(scheme=scheme, text=text, sha256=entry.sha256, size=entry.size)


def _base(place: str) -> str:
    """A share's folder or address, with `/` at its end; that of its page is taken as well."""
    if not is_address(place):
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", place):
            raise UsageError(f"{place}: a share is a folder or an https:// address")
        return place
    require_address(place)
    return re.sub(r"/(index\.(html|json))?$", "", place) + "/"


def _content(base: str) -> bytes:
    if is_address(base):
        return read_small(urljoin(base, INDEX), at_most=MOST_INDEX_BYTES)
    path = Path(base) / INDEX
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_INDEX_BYTES + 1)
    except OSError as error:
        what = f"no share there: {error.strerror}"
        raise DataError(f"{path}: {what}; write its index by medseg bundle index") from error
    if len(content) > MOST_INDEX_BYTES:
        raise DataError(f"{path}: is larger than {MOST_INDEX_BYTES:,} bytes")
    return content
