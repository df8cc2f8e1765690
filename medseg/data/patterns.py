"""Patterns of file names, expanded where no shell does it, and the order of numbered names.

Windows has no expanding shell, and a pattern may be quoted. A path that exists is always taken as
it is: names may hold brackets, as in `[2021] study`, and only what follows the folders that exist
is a pattern.
"""

import glob
import re
from collections.abc import Iterable
from pathlib import Path
from unicodedata import normalize

from medseg.data.source import Source, parse_source

__all__ = [
    "captured",
    "expand",
    "expand_captured",
    "expand_sources",
    "literal_letters",
    "name_key",
    "natural_key",
]

NaturalKey = tuple[tuple[tuple[str, int], ...], str]


def expand(pattern: str | Path) -> list[Path]:
    """Files and folders that a path or a pattern names, each once, in natural order.

    Args:
        pattern: A path, or one with `*`, `?`, `[...]`, and `**` for any number of folders; `~` is
            the home folder. Hidden files are found only by a pattern that begins with a dot.

    Returns:
        The path alone if it exists; empty if nothing matches.
    """
    path = Path(pattern).expanduser()
    if path.exists() or path.is_symlink():
        return [path]
    base, rest = _existing(path)
    if not glob.has_magic(str(rest)):
        return []
    found = {base / name for name in glob.glob(str(rest), root_dir=base, recursive=True)}  # noqa: PTH207 - as in a shell, * leaves out hidden files
    return sorted(found, key=lambda one: natural_key(str(one)))


def expand_captured(pattern: str | Path) -> dict[Path, tuple[str, ...]]:
    """Files and folders that a pattern names, with what its wildcards stand for in each.

    Args:
        pattern: See `expand`.
    """
    base, rest = _existing(Path(pattern).expanduser())
    names = {path: path.relative_to(base).as_posix() for path in expand(pattern)}
    return {path: captured(rest.as_posix(), name) or () for path, name in names.items()}


def expand_sources(texts: Iterable[object]) -> tuple[Source, ...]:
    """Sources that the words of a command line name, each once, in the order given.

    Args:
        texts: Paths, `PATH#UID`, and patterns; a pattern without a match stays as it is, so that
            whoever opens it says that it is not there.
    """
    sources: list[Source] = []
    for text in texts:
        source = parse_source(text)
        if source.series_uid is None:
            sources += [Source(path) for path in expand(source.path)] or [source]
        else:
            sources.append(source)
    return tuple(dict.fromkeys(sources))


def captured(pattern: str, path: str) -> tuple[str, ...] | None:
    """What each wildcard of a pattern stands for in a path that it matches; None if it does not.

    Args:
        pattern: With `*`, `?`, `[...]`, and `**` for any number of folders; `/` between folders.
        path: Likewise with `/`.
    """
    match = re.fullmatch("".join(_regex(piece) for piece in _pieces(pattern)), path)
    return None if match is None else tuple(group or "" for group in match.groups())


def literal_letters(pattern: str) -> int:
    """Letters of a pattern that stand for themselves: of two that match a file, more is nearer."""
    return sum(len(piece) for piece in _pieces(pattern) if _regex(piece) == re.escape(piece))


def _pieces(pattern: str) -> list[str]:
    return [piece for piece in re.split(r"(\*\*/|\*|\?|\[[^\]/]+\])", pattern) if piece]


def _regex(piece: str) -> str:
    if piece.startswith("[") and piece.endswith("]") and len(piece) > 2:
        inside = piece[1:-1].replace("\\", "\\\\")
        return f"([{'^' + inside[1:] if inside.startswith('!') else inside}])"
    return {"**/": "((?:[^/]+/)*)", "*": "([^/]*)", "?": "([^/])"}.get(piece, re.escape(piece))


def natural_key(text: str) -> NaturalKey:
    """Key that sorts numbers in names by value: `slice_2` before `slice_10`."""
    pieces = re.split(r"([0-9]+)", text)
    numbers = [int(piece[:4000]) for piece in pieces[1::2]]
    return tuple(zip(pieces[::2], [*numbers, -1], strict=True)), text


def name_key(name: str) -> str:
    """Key that is equal for names that some file system does not tell apart.

    Windows and macOS ignore upper and lower case, macOS also how an accent is encoded.
    """
    return normalize("NFC", normalize("NFC", name).casefold())


def _existing(path: Path) -> tuple[Path, Path]:
    """The longest part of a path that exists as a folder, and the rest."""
    base = Path(path.anchor)
    parts = path.parts[1:] if path.anchor else path.parts
    for number, part in enumerate(parts):
        if not (base / part).is_dir():
            return base, Path(*parts[number:])
        base /= part
    return base, Path()
