"""List of large files: weights that MONAI's `download_large_files` fetches into the bundle.

medseg fetches none of them. Whoever does has to be sure that what comes is what the author meant.
"""

import re
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlsplit

from medseg._text import printable
from medseg.bundles.judgement.configs.config_files import parse_text
from medseg.bundles.judgement.files.entry_names import name_problem
from medseg.bundles.judgement.files.finding import Finding
from medseg.bundles.judgement.verdict import Grade
from medseg.errors import MedsegError

__all__ = ["is_list_of_large_files", "large_file_findings"]

_NAMES = ("large_files.yml", "large_files.yaml", "large_files.json")
_WEIGHTS = re.compile(r"models/[^/]+\.(safetensors|pt|pth|ckpt)")
_SURE = ("sha256", "sha512")


def is_list_of_large_files(path: str) -> bool:
    """Whether this file of a bundle is such a list."""
    return path.lower() in _NAMES


def large_file_findings(path: str, text: str) -> Iterator[Finding]:
    """What keeps a list of large files from naming weights that can be checked.

    Args:
        path: Of the list, in the bundle.
        text: All of the file; what is no plain data is told with the configs.
    """
    try:
        config = parse_text(path, text)
    except MedsegError:
        return
    content = config.content
    entries = cast("Any", content).get("large_files") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        yield Finding("needs trust", "is no list of large files as MONAI reads it")
        return
    for number, entry in enumerate(cast("list[Any]", entries)):
        line = config.line(("large_files", str(number)))
        for grade, reason in _entry_findings(entry):
            yield Finding(grade, reason, line=line, key=f"large_files#{number}")


def _entry_findings(entry: Any) -> Iterator[tuple[Grade, str]]:
    facts = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
    path, url = str(facts.get("path")), str(facts.get("url"))
    shown = printable(path)[:80]
    if name_problem(path):
        yield "refused", f"fetches a file to {shown!r}: {name_problem(path)}"
        return
    host = printable(urlsplit(url).hostname or url)[:80] if "[" not in url else "?"
    fetched = f"{shown}, which MONAI fetches from {host},"
    if not url.startswith("https://"):
        yield "needs trust", f"{fetched} comes by no https address"
    elif path.lower().endswith(".ts"):
        yield "needs trust", f"{fetched} is a program (TorchScript)"
    elif not _WEIGHTS.fullmatch(path):
        yield "needs trust", f"{fetched} is no weights file in models/"
    elif facts.get("hash_type") not in _SURE or not facts.get("hash_val"):
        kind = printable(str(facts.get("hash_type") or "no digest"))[:20]
        yield "needs trust", f"{fetched} cannot be checked ({kind}, not SHA-256)"
