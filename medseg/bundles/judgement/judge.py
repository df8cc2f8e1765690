"""Judgement of a bundle: the verdict on its configs and files, with each place that it is for."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from medseg.bundles.judgement.configs.config_files import config_paths
from medseg.bundles.judgement.configs.config_places import config_places
from medseg.bundles.judgement.configs.value_places import value_places
from medseg.bundles.judgement.files.file_places import file_places
from medseg.bundles.judgement.snapshot import working_tree
from medseg.bundles.judgement.tree import BundleTree
from medseg.bundles.judgement.verdict import Judgement, Place
from medseg.errors import DataError

__all__ = ["judge_folder", "judge_tree", "judge_values"]

# Files beyond this are hashed by their size alone: they are refused, so no trust is given to them.
_MOST_BYTES = 16 * 2**30


def judge_folder(folder: str | Path) -> Judgement:
    """Judge the bundle in a folder, as `judge_tree` does, without what its runs have written.

    Raises:
        DataError: If it is no folder, or cannot be read.
    """
    return judge_tree(working_tree(Path(folder)))


def judge_tree(tree: BundleTree) -> Judgement:
    """Judge a bundle: nothing of it is executed, imported or unpacked.

    Raises:
        DataError: If a folder of it cannot be listed.
    """
    places = sorted([*config_places(tree), *file_places(tree)], key=_order)
    return Judgement(places=tuple(places), digest=_digest(tree, places))


def judge_values(
    values: Mapping[str, Any], where: str, tree: BundleTree | None = None
) -> tuple[Place, ...]:
    """Judge values that override a config's, such as those of a command line.

    Args:
        values: By path of the key, with `#` or `::`.
        where: What the places name as their file, e.g. `command line`.
        tree: The bundle whose configs they change. Without it, a value that refers to the bundle's
            or changes a part of it is a place, since what becomes of it cannot be told.

    Returns:
        Expressions, components and macros that are not on the list, and parts of the bundle that
        are no longer on it with these values. Paths, and words such as `overwrite: replace`, are
        the user's business.
    """
    return tuple(sorted(value_places(values, where, tree), key=_order))


def _order(place: Place) -> tuple[str, int, str, str]:
    return place.file, place.line or 0, place.key, place.reason


def _digest(tree: BundleTree, places: Iterable[Place]) -> str:
    """SHA-256 over name, size and bytes of the configs and of the files that places are about."""
    paths = {place.file for place in places} | set(config_paths(tree))
    total = hashlib.sha256(b"medseg.judgement/1\n")
    for path in sorted(paths & set(tree.entries)):
        entry = tree.entries[path]
        name = path.encode("utf-8", "surrogateescape")
        total.update(b"%d %s %d %s\n" % (len(name), name, entry.size, entry.kind.encode()))
        total.update(_content_digest(tree, path))
    return total.hexdigest()


def _content_digest(tree: BundleTree, path: str) -> bytes:
    if tree.entries[path].kind != "file":
        return b"-"
    if tree.entries[path].size > _MOST_BYTES:
        return b"too large"
    content = hashlib.sha256()
    try:
        for chunk in tree.chunks(path):
            content.update(chunk)
        return content.digest()
    except DataError as error:
        # Told as a place; a digest that says so is nobody else's.
        return f"unread: {error}".encode()
