"""ONNX network read as data: weights in other files, and operators that are not ONNX's own.

Only the parts that matter are read, by the layout of the protocol buffer, so that neither onnx nor
a runtime is needed.

Reference:
    https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from medseg._text import printable
from medseg.bundles.judgement.files.entry_names import name_problem
from medseg.bundles.judgement.files.finding import Finding

__all__ = ["onnx_findings"]

_MOST_PARTS = 2_000_000
_MOST_DEPTH = 64
_OWN_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
# By kind of message, the numbers of the fields that hold another message, and its kind.
_PARTS: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {
        **{5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
        **{22: "sparse", 23: "sparse"},
    },
    "sparse": {1: "tensor", 2: "tensor"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "tensor": {13: "external"},
    "external": {},
}
# The same for texts: name and domain of a function, operator and domain of a node, key and value.
_TEXTS: Mapping[str, tuple[int, int]] = {"function": (1, 10), "node": (4, 7), "external": (1, 2)}

Texts = tuple[str, str]


@dataclass
class _Seen:
    functions: set[Texts] = field(default_factory=set[Texts])
    operators: set[Texts] = field(default_factory=set[Texts])
    external: dict[str, None] = field(default_factory=dict[str, None])


def onnx_findings(content: bytes) -> Iterator[Finding]:
    """What keeps an ONNX network from being weights and ONNX's own operators alone.

    Args:
        content: All of the file.
    """
    seen = _Seen()
    try:
        _walk(memoryview(content), seen)
    except (ValueError, IndexError, UnicodeDecodeError):
        yield Finding("refused", "is no ONNX network, or a damaged one")
        return
    if not seen.operators:
        yield Finding("refused", "is no ONNX network: it has no operators")
    for location in seen.external:
        leaves = name_problem(location)
        yield Finding(
            "refused" if leaves else "needs trust",
            f"reads weights from another file, {printable(location)[:80]!r}"
            + (f": {leaves}" if leaves else ""),
        )
    foreign = {node for node in seen.operators if node[1] not in _OWN_DOMAINS} - seen.functions
    if foreign:
        operator, domain = min(foreign)
        shown = printable(f"{domain}.{operator}")[:80]
        yield Finding("needs trust", f"uses the operator {shown}, which a library has to add")


def _walk(content: memoryview, seen: _Seen) -> None:
    waiting = [(content, "model", 0)]
    parts = 0
    while waiting:
        message, kind, depth = waiting.pop()
        texts: dict[int, str] = {}
        for number, value in _fields(message):
            parts += 1
            if parts > _MOST_PARTS or depth > _MOST_DEPTH:
                raise ValueError
            if number in _PARTS[kind]:
                waiting.append((value, _PARTS[kind][number], depth + 1))
            elif number in _TEXTS.get(kind, ()):
                texts[number] = str(value, "utf-8")
        if kind in _TEXTS:
            first, second = _TEXTS[kind]
            _note(seen, kind, (texts.get(first, ""), texts.get(second, "")))


def _note(seen: _Seen, kind: str, texts: Texts) -> None:
    if kind == "external":
        if texts[0] == "location":
            seen.external[texts[1]] = None
        return
    (seen.functions if kind == "function" else seen.operators).add(texts)


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Number and bytes of each field of a message; numbers' bytes are left out."""
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        number, form = tag >> 3, tag & 7
        if form == 2:
            length, at = _varint(message, at)
            if at + length > end:
                raise ValueError
            yield number, message[at : at + length]
            at += length
        elif form == 0:
            _, at = _varint(message, at)
        elif form in (1, 5):
            at += 8 if form == 1 else 4
        else:
            raise ValueError
    if at != end:
        raise ValueError


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError
