"""Contents of a bundle: name, version, digest, and whether its files are as packed and signed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from medseg._text import json_bytes, printable
from medseg.bundles.judgement.tree import BundleTree
from medseg.errors import DataError
from medseg.sharing.layout import DIGESTS, UNLISTED
from medseg.sharing.signing.file_digests import content_sha256
from medseg.sharing.signing.signature import Signature
from medseg.sharing.signing.verify import Verification, verify_tree
from medseg.sharing.store.installed import Listed
from medseg.sharing.store.names import require_name, require_version

__all__ = ["Contents", "all_digests", "read_contents", "read_metadata_tree"]

_METADATA = "configs/metadata.json"
_MOST_BYTES = 16 << 20
_MOST_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a bundle is by its files.

    Attributes:
        name: Of the bundle.
        version: Of the bundle.
        sha256: Of the bundle, see `Record`.
        size: Of all its files in bytes.
        listed: Whether it has a list of digests, which every file then agrees with.
        signature: Who signed it, and whether that counts; never a wrong one.
    """

    name: str
    version: str
    sha256: str
    size: int
    listed: Listed
    signature: Signature

    @property
    def signed_by(self) -> str | None:
        """Name of the trusted key that signed the bundle; None if none did."""
        return self.signature.signer if self.signature.state == "known" else None


def read_contents(tree: BundleTree, *, name: str, where: str) -> Contents:
    """Read what a bundle is, and hold its files to its list of digests if it has one.

    Args:
        tree: Of the bundle's files.
        name: Of the bundle if it has no list.
        where: Its source, for errors.

    Raises:
        DataError: If it is no bundle, its files are not those that were listed or signed, or its
            signature is a wrong one.
    """
    if _METADATA not in tree.entries:
        raise DataError(f"{where}: not a bundle (no {_METADATA})")
    version = require_version(str(read_metadata_tree(tree, where).get("version", "")), where)
    size = sum(entry.size for entry in tree.entries.values())
    if DIGESTS not in tree.entries:
        return Contents(
            name=require_name(name, where),
            version=version,
            sha256=_digest(all_digests(tree)),
            size=size,
            listed="no list of digests",
            signature=Signature(state="none"),
        )
    found = verify_tree(tree, None)
    _require_intact(found, where)
    if found.version != version:
        what = f"{DIGESTS} says version {found.version}, {_METADATA} {version}"
        raise DataError(f"{where}: {what}; pack it again")
    return Contents(
        name=require_name(found.name, where),
        version=version,
        sha256=found.sha256,
        size=size,
        listed="complete",
        signature=found.signature,
    )


def read_metadata_tree(tree: BundleTree, where: str) -> Mapping[str, Any]:
    """A bundle's metadata as plain data, not held to any schema.

    Raises:
        DataError: If it cannot be read, or is no mapping.
    """
    try:
        metadata: Any = json.loads(json_bytes(tree.read(_METADATA, _MOST_BYTES)))
    except (ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{where}: {_METADATA} is no JSON; correct it") from error
    if not isinstance(metadata, dict):
        raise DataError(f"{where}: {_METADATA} holds no keys and values; correct it")
    return cast("Mapping[str, Any]", metadata)


def all_digests(tree: BundleTree) -> dict[str, str]:
    """SHA-256 in hexadecimal of each file that a list of digests holds, by path.

    Raises:
        DataError: If one is no regular file.
    """
    return {path: content_sha256(tree, path) for path in tree.entries if path not in UNLISTED}


def _digest(files: Mapping[str, str]) -> str:
    """Digest of a bundle without a list: that of its files' paths and digests."""
    text = json.dumps(files, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _require_intact(found: Verification, where: str) -> None:
    differences = {"changed": found.changed, "missing": found.missing, "added": found.added}
    words = [f"{what}: {_few(paths)}" for what, paths in differences.items() if paths]
    if words:
        what = "incomplete, its files are not those that were packed"
        raise DataError(f"{where}: {what} ({'; '.join(words)})")
    if not found.intact:
        raise DataError(f"{where}: {found.signature}; get it again from its author")


def _few(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return ", ".join(printable(path[:100]) for path in paths[:_MOST_NAMED]) + more
