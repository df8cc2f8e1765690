"""Leaks of a bundle: absolute paths, and names, numbers and dates of patients, in its texts."""

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from medseg.sharing.packing.identifiers import looks_like_a_patient, traces

__all__ = ["header_values", "identifier_leaks", "prose_leaks", "value_leaks"]

_ABSOLUTE = re.compile(r"/(?!/).+|~.*|[A-Za-z]:[\\/].*|\\\\.+", re.DOTALL)
_ADVICE = "remove it"


def value_leaks(file: str, content: Any) -> Iterator[str]:
    """Leaks in the values of a config, of metadata, or of a weights' header.

    Args:
        file: What the lines begin with.
        content: Plain data; keys are looked at, too.
    """
    for key, value in _leaves(content, ""):
        where = f"{file}: {key}" if key else file
        for text in _texts(value):
            if _ABSOLUTE.fullmatch(text):
                yield f"{where}: is the absolute path {text!r:.80}; make it relative"
            else:
                yield from (
                    f"{where}: holds {trace}; {_ADVICE}" for trace in traces(text, "config")
                )


def prose_leaks(file: str, content: bytes) -> Iterator[str]:
    """Leaks in a card, a licence or the comments of a config, by line.

    Args:
        file: What the lines begin with.
        content: Of the file, UTF-8.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        yield f"{file}: is no text in UTF-8; save it as such"
        return
    for number, line in enumerate(text.splitlines(), 1):
        yield from (f"{file}:{number}: holds {trace}; {_ADVICE}" for trace in traces(line, "prose"))


def identifier_leaks(files: Mapping[str, bytes], identifiers: Iterable[str]) -> Iterator[str]:
    """Patients of the bundle's manifests whose identifiers stand in what would be packed.

    Only those that look like a name, a number of a hospital, a date or a UID: a card may well speak
    of `case_07`.

    Args:
        files: Text files by their path.
        identifiers: Of cases and patients.
    """
    suspects = sorted({name for name in identifiers if looks_like_a_patient(name)})
    if not suspects:
        return
    pattern = re.compile(r"(?<!\w)(" + "|".join(map(re.escape, suspects)) + r")(?!\w)")
    for file, content in files.items():
        for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
            if pattern.search(line):
                # Not repeated here: the terminal's log may be shared as well.
                yield f"{file}:{number}: names a patient of the manifest; {_ADVICE}"


def _leaves(content: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(content, Mapping):
        for name, child in cast("Mapping[Any, Any]", content).items():
            path = f"{key}#{name}" if key else str(name)
            yield path, str(name)
            yield from _leaves(child, path)
    elif isinstance(content, list):
        for position, child in enumerate(cast("list[Any]", content)):
            yield from _leaves(child, f"{key}#{position}")
    elif isinstance(content, str):
        yield key, content


def _texts(value: str) -> Iterator[str]:
    """A value, or the texts in an expression; what is joined to something before it is no path."""
    if not value.startswith("$"):
        yield value
        return
    source = re.sub(r"[@%]", "_", value[1:])
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return
    joined = {id(node.right) for node in ast.walk(tree) if isinstance(node, ast.BinOp)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.lstrip("/") if id(node) in joined else node.value


def header_values(texts: Mapping[str, str]) -> dict[str, Any]:
    """The texts of a weights' header, with what is JSON in them as data."""
    found: dict[str, Any] = {}
    for name, text in texts.items():
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found
