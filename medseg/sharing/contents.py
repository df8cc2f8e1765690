"""Contents of a bundle: name, version, digest, and the check of its files against their list."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from medseg._text import json_bytes, printable
from medseg.bundles.judgement.tree import BundleTree
from medseg.errors import DataError
from medseg.sharing.digests import Digests, FileDigest, read_digests
from medseg.sharing.installed import Listed
from medseg.sharing.layout import DIGESTS, UNLISTED
from medseg.sharing.names import require_name, require_version

__all__ = ["Contents", "file_digests", "read_contents"]

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
    """

    name: str
    version: str
    sha256: str
    size: int
    listed: Listed


def read_contents(tree: BundleTree, *, name: str, where: str) -> Contents:
    """Read what a bundle is, and hold its files to its list of digests if it has one.

    Args:
        tree: Of the bundle's files.
        name: Of the bundle if it has no list.
        where: Its source, for errors.

    Raises:
        DataError: If it is no bundle, or its files are not those of the list.
    """
    if _METADATA not in tree.entries:
        raise DataError(f"{where}: not a bundle (no {_METADATA})")
    version = _version(tree, where)
    files = file_digests(tree)
    size = sum(entry.size for entry in tree.entries.values())
    if DIGESTS not in tree.entries:
        return Contents(
            name=require_name(name, where),
            version=version,
            sha256=_digest(name, version, files),
            size=size,
            listed="no list of digests",
        )
    listed = read_digests(tree.read(DIGESTS, _MOST_BYTES), where)
    _require_listed(files, listed, where)
    if listed.version != version:
        what = f"{DIGESTS} says version {listed.version}, {_METADATA} {version}"
        raise DataError(f"{where}: {what}; pack it again")
    return Contents(
        name=require_name(listed.name, where),
        version=version,
        sha256=listed.bundle_sha256,
        size=size,
        listed="complete",
    )


def file_digests(tree: BundleTree) -> dict[str, FileDigest]:
    """Size and digest of each file that a list of digests holds.

    Raises:
        DataError: If one is no regular file.
    """
    return {path: _file_digest(tree, path) for path in tree.entries if path not in UNLISTED}


def _file_digest(tree: BundleTree, path: str) -> FileDigest:
    total = hashlib.sha256()
    size = 0
    for chunk in tree.chunks(path):
        total.update(chunk)
        size += len(chunk)
    return FileDigest(size=size, sha256=total.hexdigest())


def _version(tree: BundleTree, where: str) -> str:
    try:
        metadata: Any = json.loads(json_bytes(tree.read(_METADATA, _MOST_BYTES)))
        version = cast("Mapping[str, Any]", metadata)["version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{where}: {_METADATA} states no version; correct it") from error
    return require_version(str(version), where)


def _digest(name: str, version: str, files: Mapping[str, FileDigest]) -> str:
    """Digest of a bundle without a list: as if it had one, of no packer."""
    # Its name may be one that a list does not take, as those of the model zoo.
    listed = Digests.model_construct(name=name, version=version, packed_with="", files=files)
    return listed.bundle_sha256


def _require_listed(files: Mapping[str, FileDigest], listed: Digests, where: str) -> None:
    changed = [path for path in files if listed.files.get(path, files[path]) != files[path]]
    missing = sorted(set(listed.files) - set(files))
    added = sorted(set(files) - set(listed.files))
    found = {"changed": changed, "missing": missing, "added": added}
    if any(found.values()):
        words = "; ".join(f"{what}: {_few(paths)}" for what, paths in found.items() if paths)
        raise DataError(f"{where}: incomplete, its files are not those of {DIGESTS} ({words})")


def _few(paths: list[str]) -> str:
    more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return ", ".join(printable(path[:100]) for path in paths[:_MOST_NAMED]) + more
