"""Findings about files that are no code by their name: whether they are the plain data they say."""

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

from medseg._locks import LOCK
from medseg.bundles.judgement.files.file_kinds import (
    ARCHIVES,
    BEGINNINGS,
    PICTURES,
    TEXTS,
    content_kind,
    suffix_of,
)
from medseg.bundles.judgement.files.finding import Finding
from medseg.bundles.judgement.files.image_headers import HEADERS, header_findings
from medseg.bundles.judgement.files.logging_conf import logging_findings
from medseg.bundles.judgement.files.onnx_file import onnx_findings
from medseg.bundles.judgement.files.page_text import card_findings, page_findings
from medseg.bundles.judgement.files.pickles import pickle_findings
from medseg.bundles.judgement.files.requirements_text import is_requirements, requirement_findings
from medseg.bundles.judgement.files.table_text import table_findings
from medseg.bundles.judgement.files.torch_files import (
    npy_findings,
    npz_findings,
    script_findings,
    torch_findings,
)
from medseg.bundles.judgement.files.weights_entry import weights_findings
from medseg.bundles.judgement.files.word_list import words
from medseg.bundles.judgement.tree import BundleTree
from medseg.bundles.judgement.verdict import Grade
from medseg.bundles.judgement.zips.zip_end import has_zip_at_end

__all__ = ["HARMLESS_HIDDEN", "data_findings", "entry_text"]

# A lock stays where a training had its weights; what it says is for a message alone.
HARMLESS_HIDDEN = frozenset({".gitattributes", ".gitignore", ".gitkeep", ".ds_store", LOCK})
# Files that are looked into as a whole, and texts of which all lines are.
_MOST_LOOKED_INTO = 2**29
_MOST_TEXT = 2**22
_MOST_END = 2**17
_LOGGING = "logging.conf"
_BARE_TEXTS = words("license licence notice copying authors citation readme version")
_PAGES = {"html": "a page", "htm": "a page", "xhtml": "a page", "svg": "a drawing"}
# As TensorBoard names them: seconds, host, process, number.
_EVENTS = re.compile(r"events\.out\.tfevents\.[0-9]+\.[\w.-]+\.[0-9]+\.[0-9]+(\.v2)?")
_PICKLES = ("pkl", "pickle", "joblib", "dill", "p")
_WHOLE: Mapping[str, Callable[[bytes], Iterator[Finding]]] = {
    **dict.fromkeys(("pt", "pth", "ckpt", "bin"), torch_findings),
    **dict.fromkeys(("ts", "pt2"), script_findings),
    **dict.fromkeys(_PICKLES, pickle_findings),
    "npy": npy_findings,
    "npz": npz_findings,
    "onnx": onnx_findings,
}


def data_findings(tree: BundleTree, path: str, head: bytes) -> Iterator[Finding]:
    """What keeps a file from being plain data that is on the list.

    Args:
        tree: Of the bundle.
        path: Of the file.
        head: Its first bytes.

    Raises:
        DataError: If it cannot be read.
    """
    suffix, name = suffix_of(path), _name(path)
    if suffix == "safetensors":
        yield from weights_findings(tree, path)
    elif suffix in _WHOLE:
        yield from _whole_findings(tree, path, suffix)
    elif suffix in BEGINNINGS:
        yield from _beginning_findings(tree, path, head)
    elif _is_text(name, suffix):
        yield from _text_findings(tree, path, head)
    elif not _EVENTS.fullmatch(name) and name not in HARMLESS_HIDDEN:
        yield Finding("needs trust", _unknown(suffix, head))


def entry_text(tree: BundleTree, path: str) -> str | None:
    """A file's text, or its beginning if it is long; None if it is no text in UTF-8.

    Raises:
        DataError: If it cannot be read.
    """
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


def _name(path: str) -> str:
    return path.rpartition("/")[2].lower()


def _is_text(name: str, suffix: str) -> bool:
    return name == _LOGGING or suffix in TEXTS or suffix in _PAGES or name in _BARE_TEXTS


def _unknown(suffix: str, head: bytes) -> str:
    if suffix == "pdf":
        return "is a PDF, which can hold scripts and open connections"
    if suffix in ARCHIVES:
        return "is an archive within the bundle, which nobody looked into"
    return f"is of no kind that the rules list, {_content(head)}"


def _content(head: bytes) -> str:
    return content_kind(head) or "unknown content"


def _whole_findings(tree: BundleTree, path: str, suffix: str) -> Iterator[Finding]:
    if suffix in _PICKLES:
        yield Finding("needs trust", "is a pickle, which runs code in whatever loads it")
    if tree.entries[path].size > _MOST_LOOKED_INTO:
        yield Finding("needs trust", f"is larger than {_MOST_LOOKED_INTO >> 20} MiB, and unread")
        return
    yield from _WHOLE[suffix](tree.read(path, _MOST_LOOKED_INTO))


def _beginning_findings(tree: BundleTree, path: str, head: bytes) -> Iterator[Finding]:
    suffix = suffix_of(path)
    if not head.startswith(BEGINNINGS[suffix]):
        yield Finding("refused", f"is not what its name says, but {_content(head)}")
    elif suffix in HEADERS:
        yield from header_findings(suffix, head)
    elif suffix in PICTURES and has_zip_at_end(_end(tree, path)):
        yield Finding("needs trust", "is a picture and a zip at once")


def _end(tree: BundleTree, path: str) -> bytes:
    end = b""
    with closing(tree.chunks(path)) as chunks:
        for chunk in chunks:
            end = (end + chunk)[-_MOST_END:]
    return end


def _text_findings(tree: BundleTree, path: str, head: bytes) -> Iterator[Finding]:
    suffix = suffix_of(path)
    text = entry_text(tree, path)
    if text is None:
        grade: Grade = "refused" if content_kind(head) or b"\0" in head else "needs trust"
        yield Finding(grade, f"is no text in UTF-8, as its name says, but {_content(head)}")
    elif _name(path) == _LOGGING:
        yield from logging_findings(text)
    elif is_requirements(path):
        yield from requirement_findings(text)
    elif suffix in _PAGES:
        yield from page_findings(text, _PAGES[suffix])
    elif suffix == "md":
        yield from card_findings(text)
    elif suffix in ("csv", "tsv"):
        yield from table_findings(text)
