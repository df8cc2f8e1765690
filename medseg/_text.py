"""Text from outside, such as file names, made safe for terminals, file names and tables.

A name may hold line breaks, escape sequences that move the cursor or change a terminal's title,
marks that turn the direction of writing, and bytes that are not UTF-8, which Python keeps as lone
surrogates and no file in UTF-8 can hold.
"""

import codecs
import hashlib
import re
from unicodedata import category

__all__ = ["is_control", "json_bytes", "printable", "safe_name"]

# Marks, embeddings, overrides and isolates of the direction of writing, and the byte order mark.
_INVISIBLE = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
# Python's surrogates of the bytes 0x80 to 0xff that are not UTF-8 (PEP 383).
_BYTES = range(0xDC80, 0xDD00)
# What Windows refuses in names, and the separator of other systems.
_REFUSED = frozenset('<>:"/\\|?*')
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])", re.IGNORECASE)
# Of 255 bytes that file systems allow, what the longest ending of an output leaves.
_MOST_BYTES = 230
_DIGEST_DIGITS = 8


def json_bytes(content: bytes) -> bytes:
    """JSON as UTF-8 without a mark, whatever editor saved it: Notepad adds one, or takes UTF-16."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        # Half a letter becomes a mark that is no JSON, and is refused by whoever reads it.
        return content.decode("utf-16", errors="replace").encode()
    return content.removeprefix(codecs.BOM_UTF8)


def is_control(letter: str) -> bool:
    """Whether a character changes what is around it: controls, line ends, lone surrogates."""
    return letter in _INVISIBLE or category(letter) in ("Cc", "Cs", "Zl", "Zp")


def printable(text: str) -> str:
    r"""Escape control characters, such as `\n` and `\x1b`, and what UTF-8 cannot hold.

    All other text is returned as it is. A byte that is not UTF-8 is shown as that byte, `\xfc`.
    """
    if text.isprintable():
        return text
    return "".join(_escaped(letter) if is_control(letter) else letter for letter in text)


def safe_name(text: str) -> str:
    """Base name of a file that every system accepts, made from any text.

    Names that are safe already, which are nearly all, are kept. Characters that Windows refuses
    and control characters become `_`, bytes that are not UTF-8 become `%FC`; names of devices,
    such as `nul`, and names that begin or end with a dot or a space get a `_`. What is longer than
    230 bytes is cut, and ends in a digest of the whole. Two texts may become one name, and names
    may differ in upper and lower case alone, so the caller has to look for clashes.
    """
    name = "".join(map(_safe_letter, text))
    if name[:1] in (".", " "):
        name = f"_{name[1:]}"
    if not name or name[-1] in (".", " "):
        name = f"{name[:-1]}_"
    device, dot, rest = name.partition(".")
    if _DEVICES.fullmatch(device.rstrip()):
        name = f"{device}_{dot}{rest}"
    return name if len(name.encode()) <= _MOST_BYTES else _cut(name, text)


def _escaped(letter: str) -> str:
    byte = ord(letter)
    return f"\\x{byte - 0xDC00:02x}" if byte in _BYTES else ascii(letter)[1:-1]


def _safe_letter(letter: str) -> str:
    if ord(letter) in _BYTES:
        return f"%{ord(letter) - 0xDC00:02X}"
    return "_" if letter in _REFUSED or is_control(letter) else letter


def _cut(name: str, text: str) -> str:
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:_DIGEST_DIGITS]
    room = _MOST_BYTES - len(digest) - 1
    return f"{name.encode()[:room].decode(errors='ignore').rstrip()}~{digest}"
