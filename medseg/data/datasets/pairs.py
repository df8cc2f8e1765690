"""Pairing of files by name: images with labels, or references with predictions.

Names are compared below the folder that all files of a side share, without their suffix, cut
before each `_ - . /` and blank. Files of a side usually end alike (`_ct`, `_0000`, `/image`;
`_labels`, `/mask`): the ending that all of them share may be taken off, or known words at the end
of each. Of all ways, the one that leaves most names of the two sides equal is right; of equally
good ones, the one that takes off least. So `imagesTr/case_001_0000.nii.gz` finds
`labelsTr/case_001.nii.gz`. A folder that all files of a side are in, at any depth, says nothing
of the case either: `polyp/image/a.png` finds `polyp/label/a.png`.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal
from unicodedata import normalize

from medseg._checks import first_few
from medseg._text import safe_name
from medseg.data.images.naming import image_stem
from medseg.data.patterns import natural_key
from medseg.errors import DataError

__all__ = ["PAIRING_RULE", "Pair", "Side", "label_files", "pair_files", "without_words"]

LABEL_WORDS = ("seg", "pred", "labels", "label", "mask", "gt")
IMAGE_WORDS = ("ct", "mr", "image", "0000")
WORDS = LABEL_WORDS + IMAGE_WORDS
SHOWN = 3
_DICOM = ".dcm"

PAIRING_RULE = (
    "Two files are one case if their names are equal once the ending that all files of their side "
    "share is off, or these at the end of each: "
    f"{', '.join(f'_{word}' for word in WORDS)}. case_001_ct.nii.gz goes with "
    "case_001_labels.nii.gz, imagesTr/case_001_0000.nii.gz with labelsTr/case_001.nii.gz, "
    "p01/ct.nii.gz with p01/mask.nii.gz. Where labels are mixed with images, the files whose names "
    "end like a label are the labels."
)

Name = tuple[str, ...]

# End of an output's name that was cut already.
_CUT = re.compile(r"~[0-9a-f]{8}(_[a-z]+)?$")


@dataclass(frozen=True)
class Pair:
    """One case: its name, its file, and the matching file of the other side, if any."""

    case: str
    path: Path
    partner: Path | None


@dataclass(frozen=True)
class Side:
    """Files to be paired with those of another side.

    Attributes:
        paths: Files, or folders of DICOM slices; absolute, at least one.
        called: What errors call them, e.g. `images`.
        remedy: What errors advise if two belong to one case.
    """

    paths: Sequence[Path]
    called: str
    remedy: str


@dataclass(frozen=True)
class _Way:
    """Shortened names, the largest number of pieces taken off, and the digits among them."""

    names: list[Name]
    taken: int
    digits: tuple[str, ...] = ()


def pair_files(
    side: Side, other: Side, *, without_partner: Literal["refuse", "keep"] = "refuse"
) -> list[Pair]:
    """Pair every file of a side with one of the other, sorted by case.

    Args:
        side: Each becomes a case.
        other: Those without a partner are left out.
        without_partner: What to do about a file of the first side that has none.

    Raises:
        DataError: If a file has no partner and `refuse` says so, or two files are one case.
    """
    mine, theirs = _names(side.paths), _names(other.paths)
    way, other_way = _best_ways(mine, theirs)
    path_of, partner_of = _unique(way.names, side), _unique(other_way.names, other)
    _refuse_doubles(other, theirs, [path for name, path in partner_of.items() if name in path_of])
    lonely = ["/".join(path.parts[-2:]) for n, path in path_of.items() if n not in partner_of]
    if lonely and without_partner == "refuse":
        one = other.called.removesuffix("s")
        raise DataError(
            f"{len(lonely)} of {len(side.paths)} {side.called} have no {one}: "
            f"{first_few(lonely, SHOWN)}; "
            f"name {side.called.removesuffix('s')} and {one} alike up to a common ending, "
            f"or narrow --{side.called}"
        )
    cases = _case_names(list(path_of))
    pairs = (Pair(cases[name], path, partner_of.get(name)) for name, path in path_of.items())
    return sorted(pairs, key=lambda pair: natural_key(pair.case))


def label_files(paths: Sequence[Path]) -> list[Path]:
    """The labels among files that may include images: those with a label's ending, or else all."""
    ends = [(path, _pieces(path.name)[-1][1:].lower()) for path in paths]
    return [path for path, end in ends if end in LABEL_WORDS] or list(paths)


def without_words(stem: str) -> str:
    """Remove known words from the end of a name."""
    return "".join(_without_words(_pieces(stem)))


def _names(paths: Sequence[Path]) -> list[Name]:
    root = Path(os.path.commonpath([path.parent for path in paths]))
    below = [path.relative_to(root) for path in paths]
    shared = set(below[0].parent.parts)
    for path in below:
        shared.intersection_update(path.parent.parts)
    return [_pieces(_without(path, shared)) for path in below]


def _without(path: Path, folders: set[str]) -> str:
    kept = [part for part in path.parent.parts if part not in folders]
    return "/".join([*kept, path.name])


def _pieces(name: str) -> Name:
    folder, slash, file = name.rpartition("/")
    stem = image_stem(file)
    stem = stem[: -len(_DICOM)] if stem.lower().endswith(_DICOM) else stem
    # A prediction is called by the safe form of its image's name.
    safe = stem if _CUT.search(stem) else safe_name(stem)
    return tuple(re.split(r"(?=[_\-./ ])", normalize("NFC", folder + slash + safe)))


def _without_words(name: Name) -> Name:
    """At least the first piece stays."""
    while len(name) > 1 and name[-1][1:].lower() in WORDS:
        name = name[:-1]
    return name


def _best_ways(mine: list[Name], theirs: list[Name]) -> tuple[_Way, _Way]:
    def quality(ways: tuple[_Way, _Way]) -> tuple[int, int]:
        one, other = ways
        # Endings with different numbers belong to different visits or parts, not to one case.
        if one.digits and other.digits and one.digits != other.digits:
            return -1, 0
        return len({*one.names} & {*other.names}), -one.taken - other.taken

    return max(product(_ways(mine), _ways(theirs)), key=quality)


def _ways(names: list[Name]) -> Iterator[_Way]:
    """Yield names unchanged, without common endings of rising length, and without known words."""
    for size in range(_common_ending(names) + 1):
        ending = names[0][len(names[0]) - size :]
        digits = tuple(re.findall(r"\d+", "".join(ending)))
        yield _Way([name[: len(name) - size] for name in names], size, digits)
    plain = [_without_words(name) for name in names]
    yield _Way(plain, max(len(n) - len(p) for n, p in zip(names, plain, strict=True)))


def _common_ending(names: list[Name]) -> int:
    """Number of last pieces that all names share; the first piece always stays."""
    # A single name shares everything with itself, which means nothing.
    shortest = min(len(name) for name in names) - 1 if len(names) > 1 else 0
    for size in range(shortest, 0, -1):
        if len({name[-size:] for name in names}) == 1:
            return size
    return 0


def _unique(names: list[Name], side: Side) -> dict[Name, Path]:
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        same = [path for name, path in zip(names, side.paths, strict=True) if name == doubled[0]]
        raise _double("".join(doubled[0]), same, side)
    return dict(zip(names, side.paths, strict=True))


def _refuse_doubles(side: Side, names: list[Name], used: Sequence[Path]) -> None:
    """Refuse an unused file that belongs to the same case as a used one."""
    cases = {path: _without_words(name) for path, name in zip(side.paths, names, strict=True)}
    taken = {cases[path]: path for path in used}
    for path, case in cases.items():
        if path not in used and case in taken:
            raise _double("".join(case), [taken[case], path], side)


def _double(case: str, same: Sequence[Path], side: Side) -> DataError:
    which = first_few(same, SHOWN)
    return DataError(f"{len(same)} {side.called} could be case {case!r}: {which}; {side.remedy}")


def _case_names(names: list[Name]) -> dict[Name, str]:
    """File names if they are unique, else names with their folders."""
    whole = {name: "".join(name) for name in names}
    short = {name: text.rpartition("/")[2] for name, text in whole.items()}
    return short if len(set(short.values())) == len(names) else whole
