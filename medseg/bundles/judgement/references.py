"""References in a config's text, put in their place exactly as MONAI does it.

MONAI replaces `@id` by text before Python reads an expression, within quotes too, so what is judged
is the text after that.
"""

import re

__all__ = ["LOCAL", "expression_text", "is_relative", "macro_target", "reference_id", "resolved"]

# The name by which an expression reaches what it refers to.
LOCAL = "__local_refs"
_ID = re.compile(r"@(?:\w*)(?:::\w*)*")
_RELATIVE = re.compile(r"(?:@|%)(?:::)+")
_FILE = re.compile(r"(.*\.(json|yaml|yml)(?=(?:::.*)|$))", re.IGNORECASE)


def is_relative(text: str) -> bool:
    """Whether a text has an id that is counted from where it stands, such as `@##a`."""
    return _RELATIVE.search(text.replace("#", "::")) is not None


def resolved(text: str, path: tuple[str, ...]) -> str | None:
    """A text with `::` for `#` and with absolute ids.

    Args:
        text: A config's.
        path: Keys to where it stands.

    Returns:
        None if an id leads above the config.
    """
    text = text.replace("#", "::")
    for prefix in sorted(set(_RELATIVE.findall(text)), reverse=True):
        length = prefix[1:].count("::")
        if length > len(path):
            return None
        above = "".join(f"{part}::" for part in path[:-length])
        text = text.replace(prefix, prefix[0] + above)
    return text


def reference_id(text: str) -> str | None:
    """The id of a text that is one reference and nothing else, `@a::b`."""
    match = _ID.fullmatch(text)
    return match[0][1:] if match and _ID.findall(text) == [text] else None


def expression_text(text: str) -> str:
    """The text that Python reads of an expression `$...` with absolute ids."""
    found = sorted(_ID.findall(text), key=len, reverse=True)
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
