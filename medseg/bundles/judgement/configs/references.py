"""References in a config's text, put in their place exactly as MONAI does it.

MONAI replaces `@id` by text before Python reads an expression, within quotes too, so what is judged
is the text after that.
"""

import re

__all__ = [
    "LOCAL",
    "changed_parts",
    "expression_text",
    "is_plain_part",
    "is_relative",
    "macro_target",
    "reference_id",
    "resolved",
]

# The name by which an expression reaches what it refers to.
LOCAL = "__local_refs"
_ID = re.compile(r"@(?:\w*)(?:::\w*)*")
_PART = re.compile(r"[^\W\d]\w*|0|[1-9][0-9]*")
# A relative id grows by the keys above it, which may be long.
_LONGEST = 4_000
_RELATIVE = re.compile(r"(?:@|%)(?:::)+")
_FILE = re.compile(r"(.*\.(json|yaml|yml)(?=(?:::.*)|$))", re.IGNORECASE)


def is_plain_part(part: str) -> bool:
    """Whether a part of an id is taken as it is written: a name, or a position without a sign.

    Where MONAI looks an id up in a config, for a macro or for a key with `#`, `::` or `+`, it drops
    blanks around each part, takes an empty one for the whole config, and reads positions by `int`,
    to which ` 0`, `00` and `-1` are positions as well.
    """
    return _PART.fullmatch(part) is not None


def changed_parts(key: str) -> list[str]:
    """Parts of the id that a key at the top of a config changes (`a#b`, `+a`); none of others."""
    parts = key.removeprefix("+").replace("#", "::").split("::")
    return parts if len(parts) > 1 or key.startswith("+") else []


def is_relative(text: str) -> bool:
    """Whether a text has an id that is counted from where it stands, such as `@##a`."""
    return _RELATIVE.search(text.replace("#", "::")) is not None


def resolved(text: str, path: tuple[str, ...]) -> str | None:
    """A text with `::` for `#` and with absolute ids.

    Args:
        text: A config's.
        path: Keys to where it stands.

    Returns:
        None if an id leads above the config, or becomes far too long.
    """
    text = text.replace("#", "::")
    for prefix in sorted(set(_RELATIVE.findall(text)), reverse=True):
        length = prefix[1:].count("::")
        if length > len(path):
            return None
        above = "".join(f"{part}::" for part in path[:-length])
        if len(text) + text.count(prefix) * len(above) > _LONGEST:
            return None
        text = text.replace(prefix, prefix[0] + above)
    return text


def reference_id(text: str) -> str | None:
    """The id of a text that is one reference and nothing else, `@a::b`."""
    match = _ID.fullmatch(text)
    return match[0][1:] if match and _ID.findall(text) == [text] else None


def expression_text(text: str) -> str:
    """The text that Python reads of an expression `$...` with absolute ids."""
    found = sorted(dict.fromkeys(_ID.findall(text)), key=len, reverse=True)
    for item in found:
        text = text.replace(item, f"{LOCAL}['{item[1:]}']")
    return text[1:]


def macro_target(text: str) -> tuple[str, str]:
    """File and id of a macro `%file::id` with absolute ids; the file is empty if it names none."""
    source = text[1:]
    match = _FILE.search(source)
    if match is None:
        return "", source
    after = source.rsplit(match[1], 1)[1]
    return match[1], after.removeprefix("::")
