"""Names of ROIs and segments, and the class values that they stand for.

A clinic's names are its own, `GTVp_1` or `gtv left`. Patterns say which class they are; without
any, a name has to be a class's own, as in what medseg writes. Upper and lower case, `_` and blanks
are not told apart.
"""

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from medseg._checks import first_few
from medseg._text import printable
from medseg.data.label_source import LabelSource
from medseg.data.problems import Problem, refusal

__all__ = ["Painted", "near_name", "painted", "plain_name"]

_SHOWN = 6
# Share of letters that a name and a pattern have in common, to be taken for a slip.
_LIKE = 0.6


@dataclass(frozen=True)
class Painted:
    """What is painted, in this order, and what is to be said of the names.

    Attributes:
        values: By number of the ROI or segment, its class value; later ones cover earlier ones.
        doubts: Warnings.
    """

    values: Mapping[int, int]
    doubts: tuple[Problem, ...] = ()


def painted(source: LabelSource, found: Mapping[int, str], kind: str) -> Painted:
    """Decide which of the names in a file are which class.

    Args:
        source: The file, its classes and its patterns.
        found: By number, the name of each ROI or segment, in the order of the file.
        kind: What they are called: `ROI` or `segment`.

    Raises:
        InputError: If no name stands for a class.
    """
    if not source.class_names:
        if source.rois or kind == "ROI":
            raise _refusal(source, _nameless(found, kind), "name the classes, as --label-names")
        return Painted({number: number for number in found})
    wanted = source.rois or tuple((name, name) for name in source.class_names[1:])
    values: dict[int, int] = {}
    for pattern, name in wanted:
        value = source.class_names.index(name)
        matching = (number for number, own in found.items() if _matches(own, pattern, source))
        values.update((number, value) for number in matching if number not in values)
    if not values:
        raise _none_matches(source, found, kind, wanted)
    return Painted(values, tuple(_doubts(source, found, values, kind)))


def _matches(name: str, pattern: str, source: LabelSource) -> bool:
    own, wanted = plain_name(name), plain_name(pattern)
    return fnmatchcase(own, wanted) if source.rois else own == wanted


def plain_name(name: str) -> str:
    """A name as it is compared: in lower case, with blanks for `_`, each once."""
    return " ".join(name.casefold().replace("_", " ").split())


def _doubts(
    source: LabelSource, found: Mapping[int, str], values: Mapping[int, int], kind: str
) -> list[Problem]:
    absent = [n for v, n in enumerate(source.class_names) if v and v not in values.values()]
    wanted = [name for _, name in source.rois] or source.class_names
    absent = [name for name in absent if name in wanted]
    doubts: list[Problem] = []
    if absent:
        what = f"no {kind} of it is {first_few(absent)}; it holds {_listed(found.values())}"
        remedy = "fine if this patient has none; else name it: " + _example(absent[0], found)
        doubts.append(Problem("warning", "label", what, remedy))
    rest = [name for number, name in found.items() if number not in values]
    if rest:
        what = f"{kind}s that no class is named for are left out: {_listed(rest)}"
        kinds = f"{kind}s that no class is named for are left out"
        doubts.append(Problem("warning", "label", what, "nothing, if that is meant", kinds))
    return doubts


def _none_matches(
    source: LabelSource,
    found: Mapping[int, str],
    kind: str,
    wanted: Sequence[tuple[str, str]],
) -> Exception:
    patterns = first_few((pattern for pattern, _ in wanted), _SHOWN)
    if not found:
        return _refusal(source, f"holds no {kind}", "export it again with its structures")
    what = f"no {kind} is called {patterns}; it holds {_listed(found.values())}"
    for pattern, meant in wanted:
        near = near_name(pattern, found.values())
        if near is not None:
            return _refusal(source, what, f"did you mean --rois '{printable(near)}={meant}'?")
    return _refusal(source, what, "say which class it is: " + _example(wanted[0][1], found))


def near_name(pattern: str, names: Iterable[str]) -> str | None:
    """The name that a pattern without a match may have meant; None if none is like it."""
    bare = plain_name(pattern).strip("*? ")

    def likeness(name: str) -> float:
        plain = plain_name(name)
        if bare and bare in plain:
            return 1.0
        # A pattern may be the beginning of a name.
        ways = (plain, plain[: len(bare)])
        return max(difflib.SequenceMatcher(None, bare, way).ratio() for way in ways)

    best = max(names, key=likeness, default=None)
    return best if best is not None and likeness(best) >= _LIKE else None


def _example(name: str, found: Mapping[int, str]) -> str:
    first = next(iter(found.values()), "NAME")
    return f"--rois '{printable(first)}={name}', or rois in the manifest"


def _nameless(found: Mapping[int, str], kind: str) -> str:
    return f"holds {kind}s without class values: {_listed(found.values())}"


def _listed(names: Collection[str]) -> str:
    return first_few((printable(name) or "(no name)" for name in names), _SHOWN)


def _refusal(source: LabelSource, what: str, remedy: str) -> Exception:
    return refusal(source.path, Problem("error", "label", what, remedy))
