"""Names of a bundle's files: those that mean the same on every system, and no other file.

A name may leave the folder, hide in a listing, be another file's on a system that folds case or
Unicode forms, or be a device's.
"""

import re
from collections.abc import Iterable, Iterator
from unicodedata import category, normalize

__all__ = ["name_clashes", "name_problem"]

_MOST_PATH = 240
_MOST_PART = 150
_MOST_DEPTH = 16
# What Windows refuses, or takes for a drive, a stream or a pattern.
_REFUSED = frozenset('<>:"|?*')
_DEVICE = re.compile(
    r"(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?", re.IGNORECASE
)
# The short name that Windows makes of a long one, and by which that is opened too.
_SHORT = re.compile(r"[^.]{1,6}~[0-9]+(\.[^.]{0,3})?")


def name_problem(path: str) -> str | None:
    """What is wrong with the path of a bundle's file, in words; None if nothing is."""
    if not path or path.startswith("/"):
        return "its path is absolute or empty"
    if "\\" in path:
        return "its name has a backslash, which separates folders elsewhere"
    parts = path.split("/")
    if len(path.encode(errors="replace")) > _MOST_PATH or len(parts) > _MOST_DEPTH:
        return f"its path is longer than {_MOST_PATH} bytes or {_MOST_DEPTH} folders"
    return next(filter(None, map(_part_problem, parts)), None)


def name_clashes(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Files or folders that are one on some systems: the later path, and what it clashes with.

    Names that differ in case or in Unicode form alone are one on macOS and Windows; a path twice,
    and a file that is also a folder, are so everywhere.
    """
    folders: dict[str, str] = {}
    files: dict[str, str] = {}
    for path in paths:
        key = _folded(path)
        if key in files or key in folders:
            yield path, files.get(key) or folders[key]
        files.setdefault(key, path)
        for folder in _folders(path):
            key = _folded(folder)
            if key in files or folders.setdefault(key, folder) != folder:
                yield path, files.get(key) or folders[key]


def _part_problem(part: str) -> str | None:
    if part in ("", ".", ".."):
        return "its path has a part that is empty, '.' or '..'"
    if any(category(letter)[0] == "C" or category(letter) in ("Zl", "Zp") for letter in part):
        return "its name has a control character, or one that is not seen"
    if any(category(letter) == "Zs" and letter != " " for letter in part):
        return "its name has a space that is none of the keyboard's"
    if _REFUSED.intersection(part) or part[0] == " " or part[-1] in ". ":
        return 'its name begins with a space, ends in a dot or a space, or has one of <>:"|?*'
    if _DEVICE.fullmatch(part) or _SHORT.fullmatch(part):
        return "its name is that of a device, or of another file's short form, on Windows"
    if len(part.encode()) > _MOST_PART:
        return f"its name is longer than {_MOST_PART} bytes"
    return _form_problem(part)


def _form_problem(part: str) -> str | None:
    # Letters that look like a separator, a dot or another letter become it in some systems.
    if normalize("NFC", part) != part:
        return "its name is in a Unicode form that systems replace by another (not NFC)"
    plain = normalize("NFKC", part)
    if set(plain) & {"/", "\\", ":"} or (plain != part and set(plain) <= {"."}):
        return "its name becomes another path in another Unicode form"
    return None


def _folders(path: str) -> Iterator[str]:
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)


def _folded(path: str) -> str:
    return normalize("NFKC", normalize("NFKC", path).casefold())
