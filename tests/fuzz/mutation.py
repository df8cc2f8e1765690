"""Mutations of bytes and of text, for every target."""

import re
import struct
from random import Random

__all__ = ["NUMBERS", "mutate_bytes", "mutate_text", "odd_number"]

# Where counters, signs, widths and floats end.
NUMBERS = (
    0, 1, -1, 2, 3, 7, 8, 16, 127, 128, 255, 256, 32767, 32768, 65535, 65536,
    2**31 - 1, -(2**31), 2**31, 2**32 - 1, 2**32, 2**40, 2**63 - 1, -(2**63), 2**64 - 1,
)  # fmt: skip
_FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-30, 1e30, 1e308, float("nan"), float("inf"), -float("inf"))
_TEXTS = (
    "nan", "-inf", "1e999", "1e-320", "0x10", "", " ", "null", "true", "[]", "{}", "-", "1,5",
    "9" * 400, "\0", "ü", "\u202e", "\U0001f600", "../../../etc/passwd", "/etc/passwd", "a" * 5000,
)  # fmt: skip


def odd_number(rng: Random) -> int:
    """A number at which something ends, or near it."""
    return rng.choice(NUMBERS) + rng.choice((0, 0, 0, 1, -1))


def mutate_bytes(rng: Random, data: bytes, *, head: int = 512) -> bytes:
    """Change one to three places; two in three of them lie in the first `head` bytes."""
    for _ in range(rng.randint(1, 3)):
        data = _change(rng, bytearray(data), head)
    return data


def _change(rng: Random, data: bytearray, head: int) -> bytes:
    if not data:
        return b"\0"
    end = min(head, len(data)) if rng.random() < 0.67 else len(data)
    at = rng.randrange(end)
    kind = rng.randrange(8)
    if kind == 0:
        data[at] ^= 1 << rng.randrange(8)
    elif kind == 1:
        data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    elif kind == 2:
        size = rng.choice((2, 4, 8))
        number = odd_number(rng) % 256**size
        data[at : at + size] = number.to_bytes(size, rng.choice(("little", "big")))
    elif kind == 3:
        code = rng.choice(("<f", ">f", "<d"))
        value = rng.choice(_FLOATS)
        packed = struct.pack(code, max(min(value, 3e38), -3e38) if value == value else value)
        data[at : at + len(packed)] = packed
    elif kind == 4:
        del data[at:]
    elif kind == 5:
        del data[at : at + rng.randint(1, 16)]
    elif kind == 6:
        data[at:at] = data[at : at + rng.randint(1, 64)]
    else:
        data += bytes(rng.randrange(256) for _ in range(rng.randint(1, 64)))
    return bytes(data)


def mutate_text(rng: Random, data: bytes, *, words: tuple[str, ...] = ()) -> bytes:
    """Change numbers, words and lines of a text, or its bytes."""
    if rng.random() < 0.2:
        return mutate_bytes(rng, data, head=len(data) or 1)
    text = data.decode("latin-1")
    for _ in range(rng.randint(1, 2)):
        text = _change_text(rng, text, words)
    return (
        text.encode("latin-1", errors="ignore")
        if text.isascii()
        else text.encode("utf-8", "replace")
    )


def _change_text(rng: Random, text: str, words: tuple[str, ...]) -> str:
    kind = rng.randrange(5)
    numbers = list(re.finditer(r"-?\d+(\.\d+)?", text))
    if kind <= 1 and numbers:
        found = rng.choice(numbers)
        new = rng.choice((str(odd_number(rng)), str(rng.choice(_FLOATS)), rng.choice(_TEXTS)))
        return text[: found.start()] + new + text[found.end() :]
    tokens = list(re.finditer(r"[A-Za-z_][\w-]*", text))
    if kind == 2 and tokens:
        found = rng.choice(tokens)
        new = rng.choice((*words, *_TEXTS, rng.choice(tokens).group()))
        return text[: found.start()] + new + text[found.end() :]
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    if kind == 3:
        other = rng.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    elif rng.random() < 0.5:
        lines.insert(at, rng.choice(lines))
    else:
        del lines[at]
    return "\n".join(lines)
