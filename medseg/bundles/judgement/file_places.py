"""Places among the files of a bundle: whatever is not plain data that is on the list.

A file is on the list by its name's ending and by its content together: a pickle that is called
`.txt`, a program that is called `.png` and weights that are none are places as well. Configs are
judged by themselves.
"""

import codecs
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

from medseg._text import printable
from medseg.bundles.judgement.code_files import code_finding
from medseg.bundles.judgement.config_files import config_paths
from medseg.bundles.judgement.entry_names import name_clashes, name_problem
from medseg.bundles.judgement.file_kinds import ARCHIVES, BEGINNINGS, TEXTS, content_kind, suffix_of
from medseg.bundles.judgement.finding import Finding
from medseg.bundles.judgement.large_files import is_list_of_large_files, large_file_findings
from medseg.bundles.judgement.logging_conf import logging_findings
from medseg.bundles.judgement.onnx_file import onnx_findings
from medseg.bundles.judgement.page_text import card_findings, page_findings
from medseg.bundles.judgement.pickles import pickle_findings
from medseg.bundles.judgement.requirements_text import is_requirements, requirement_findings
from medseg.bundles.judgement.torch_files import npy_findings, npz_findings, torch_findings
from medseg.bundles.judgement.tree import BundleTree
from medseg.bundles.judgement.verdict import Grade, Place
from medseg.bundles.judgement.weights_entry import weights_findings
from medseg.bundles.judgement.word_list import words
from medseg.errors import DataError

__all__ = ["file_places"]

# Files that are looked into as a whole, and texts of which all lines are.
_MOST_LOOKED_INTO = 2**29
_MOST_TEXT = 2**22
_LARGEST = 2**34
_HEAD = 4096
_HARMLESS_HIDDEN = frozenset({".gitattributes", ".gitignore", ".gitkeep", ".ds_store"})
_BARE_TEXTS = words("license licence notice copying authors citation readme version")
_PAGES = {"html": "a page", "htm": "a page", "xhtml": "a page", "svg": "a drawing", "pdf": "a PDF"}
_EVENTS = "events.out.tfevents."
_PICKLES = ("pkl", "pickle", "joblib", "dill", "p")
_WHOLE: Mapping[str, Callable[[bytes], Iterator[Finding]]] = {
    **dict.fromkeys(("pt", "pth", "ckpt", "bin", "ts", "pt2"), torch_findings),
    **dict.fromkeys(_PICKLES, pickle_findings),
    "npy": npy_findings,
    "npz": npz_findings,
    "onnx": onnx_findings,
}


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
            findings = list(_findings(tree, path, is_config=path in configs))
        except DataError as error:
            findings = [Finding("refused", f"cannot be read: {_told(error, path)}")]
        places.extend(_place(path, found) for found in findings)
    return places


def _place(path: str, found: Finding) -> Place:
    return Place(file=path, line=found.line, key=found.key, grade=found.grade, reason=found.reason)


def _told(error: DataError, path: str) -> str:
    return printable(str(error).rpartition(f"{path}: ")[2])


def _name_places(tree: BundleTree) -> Iterator[Place]:
    for path in tree.entries:
        problem = name_problem(path)
        if problem:
            yield _place(path, Finding("refused", problem))
    for path, other in name_clashes(tree.entries):
        reason = f"is the same file as {ascii(other)[:100]} on some systems"
        yield _place(path, Finding("refused", reason))


def _findings(tree: BundleTree, path: str, *, is_config: bool) -> Iterator[Finding]:
    with closing(tree.chunks(path)) as chunks:
        head = next(chunks, b"")[:_HEAD]
    if _is_hidden(path):
        yield Finding("needs trust", "is hidden, where nobody looks for it")
    if tree.entries[path].size > _LARGEST:
        yield Finding("needs trust", f"has more than {_LARGEST >> 30} GiB")
    code = code_finding(path, head)
    if code is not None:
        yield code
    elif is_list_of_large_files(path):
        yield from large_file_findings(path, _text(tree, path) or "")
    elif not is_config:
        yield from _data_findings(tree, path, head)


def _is_hidden(path: str) -> bool:
    *folders, name = path.lower().split("/")
    return any(folder.startswith(".") for folder in folders) or (
        name.startswith(".") and name not in _HARMLESS_HIDDEN
    )


def _data_findings(tree: BundleTree, path: str, head: bytes) -> Iterator[Finding]:
    suffix = suffix_of(path)
    name = path.lower().rpartition("/")[2]
    if suffix == "safetensors":
        yield from weights_findings(tree, path)
    elif suffix in _WHOLE:
        yield from _whole_findings(tree, path, suffix)
    elif suffix in BEGINNINGS:
        if not head.startswith(BEGINNINGS[suffix]):
            yield Finding("refused", f"is not what its name says, but {_content(head)}")
    elif name == "logging.conf" or suffix in TEXTS or suffix in _PAGES or _is_bare_text(name):
        yield from _text_findings(tree, path, head)
    elif suffix in ARCHIVES:
        yield Finding("needs trust", "is an archive within the bundle, which nobody looked into")
    elif not name.startswith(_EVENTS) and name not in _HARMLESS_HIDDEN:
        yield Finding("needs trust", f"is of no kind that the rules list, {_content(head)}")


def _whole_findings(tree: BundleTree, path: str, suffix: str) -> Iterator[Finding]:
    if suffix in _PICKLES:
        yield Finding("needs trust", "is a pickle, which runs code in whatever loads it")
    if tree.entries[path].size > _MOST_LOOKED_INTO:
        yield Finding("needs trust", f"is larger than {_MOST_LOOKED_INTO >> 20} MiB, and unread")
        return
    yield from _WHOLE[suffix](tree.read(path, _MOST_LOOKED_INTO))


def _is_bare_text(name: str) -> bool:
    return name.partition(".")[0] in _BARE_TEXTS and "." not in name


def _content(head: bytes) -> str:
    return content_kind(head) or "unknown content"


def _text_findings(tree: BundleTree, path: str, head: bytes) -> Iterator[Finding]:
    suffix, name = suffix_of(path), path.lower().rpartition("/")[2]
    if suffix == "pdf":
        yield Finding("needs trust", "is a PDF, which can hold scripts and open connections")
        return
    text = _text(tree, path)
    if text is None:
        grade: Grade = "refused" if content_kind(head) or b"\0" in head else "needs trust"
        yield Finding(grade, f"is no text in UTF-8, as its name says, but {_content(head)}")
    elif name == "logging.conf":
        yield from logging_findings(text)
    elif is_requirements(path):
        yield from requirement_findings(text)
    elif suffix in _PAGES:
        yield from page_findings(text, _PAGES[suffix])
    elif suffix == "md":
        yield from card_findings(text)


def _text(tree: BundleTree, path: str) -> str | None:
    """A file's text, or its beginning if it is long; None if it is no text in UTF-8."""
    content = b""
    with closing(tree.chunks(path)) as chunks:
        for chunk in chunks:
            content += chunk
            if len(content) > _MOST_TEXT:
                break
    cut = len(content) < tree.entries[path].size
    try:
        # A letter may be cut in two at the end of what was read.
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(content, final=not cut)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
