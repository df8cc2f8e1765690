"""Places among the files of a bundle: whatever is not plain data that is on the list.

A file is on the list by its name's ending and by its content together: a pickle that is called
`.txt`, a program that is called `.png` and weights that are none are places as well. Configs are
judged by themselves.
"""

from collections.abc import Iterator
from contextlib import closing

from medseg._text import printable
from medseg.bundles.judgement.configs.config_files import config_paths
from medseg.bundles.judgement.files.code_files import code_finding
from medseg.bundles.judgement.files.data_findings import HARMLESS_HIDDEN, data_findings, entry_text
from medseg.bundles.judgement.files.entry_names import name_clashes, name_problem
from medseg.bundles.judgement.files.finding import Finding
from medseg.bundles.judgement.files.large_files import is_list_of_large_files, large_file_findings
from medseg.bundles.judgement.tree import BundleTree
from medseg.bundles.judgement.verdict import Grade, Place
from medseg.errors import DataError

__all__ = ["file_places"]

_LARGEST = 2**34
_HEAD = 4096
_MOST_FINDINGS = 100


def file_places(tree: BundleTree) -> list[Place]:
    """Judge every file of a bundle; nothing is executed, imported or unpacked to the disk.

    Returns:
        What keeps it from being safe, apart from what its configs say.
    """
    places = list(_name_places(tree))
    configs = frozenset(config_paths(tree))
    for path, entry in tree.entries.items():
        if entry.kind != "file":
            what = (
                "a link to somewhere else" if entry.kind == "link" else "a device, pipe or the like"
            )
            places.append(_place(path, Finding("refused", f"is {what}, and no regular file")))
            continue
        try:
            findings = _first(_findings(tree, path, is_config=path in configs))
        except DataError as error:
            findings = [Finding("refused", _told(error, path))]
        places.extend(_place(path, found) for found in findings)
    return places


def _first(findings: Iterator[Finding]) -> list[Finding]:
    """The first of each grade: a file may have more places than anybody reads."""
    kept: dict[Grade, list[Finding]] = {"refused": [], "needs trust": []}
    for found in findings:
        if len(kept[found.grade]) < _MOST_FINDINGS:
            kept[found.grade].append(found)
    return [*kept["refused"], *kept["needs trust"]]


def _place(path: str, found: Finding) -> Place:
    return Place(file=path, line=found.line, key=found.key, grade=found.grade, reason=found.reason)


def _told(error: DataError, path: str) -> str:
    reason = printable(str(error).rpartition(f"{path}: ")[2])
    return reason if reason.startswith("cannot be read") else f"cannot be read: {reason}"


def _name_places(tree: BundleTree) -> Iterator[Place]:
    for path in tree.entries:
        problem = name_problem(path)
        if problem:
            yield _place(path, Finding("refused", problem))
    clashes = {
        pair for one, other in name_clashes(tree.entries) for pair in ((one, other), (other, one))
    }
    for path, other in sorted(clashes):
        if path in tree.entries:
            reason = f"is the same file as {ascii(other)[:100]} on some systems"
            yield _place(path, Finding("refused", reason))


def _findings(tree: BundleTree, path: str, *, is_config: bool) -> Iterator[Finding]:
    with closing(tree.chunks(path)) as chunks:
        head = next(chunks, b"")[:_HEAD]
    if _is_hidden(path):
        yield Finding("needs trust", "is hidden, where nobody looks for it")
    if tree.entries[path].size > _LARGEST:
        # No digest is made of so much, and without one there is no trust.
        yield Finding("refused", f"has more than {_LARGEST >> 30} GiB")
    code = code_finding(path, head)
    if code is not None:
        yield code
    elif is_list_of_large_files(path):
        yield from large_file_findings(path, entry_text(tree, path) or "")
    elif not is_config:
        yield from data_findings(tree, path, head)


def _is_hidden(path: str) -> bool:
    *folders, name = path.lower().split("/")
    return any(folder.startswith(".") for folder in folders) or (
        name.startswith(".") and name not in HARMLESS_HIDDEN
    )
