"""Pairing of images with labels by file name.

Names are compared below the folder that all images, or all labels, share, without their
suffix, cut before each `_ - . /` and blank. Images usually end alike (`_ct`, `_0000`,
`/image`), labels too (`_labels`, `/mask`). Of all ways to take off a common ending of the
images and one of the labels, the one that leaves most names equal is right; of equally good
ones, the one that takes off least. So `imagesTr/case_001_0000.nii.gz` finds
`labelsTr/case_001.nii.gz` with no list of known words. A folder that all images are in, at any
depth, says nothing of the case either: `polyp/image/a.png` finds `polyp/label/a.png`.
"""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from medseg.data.images.naming import image_stem
from medseg.errors import DataError

__all__ = ["Pair", "pair_files"]

SHOWN = 3
Name = tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """One case: its name, and where its two files are."""

    case: str
    image: Path
    label: Path


def pair_files(images: Sequence[Path], labels: Sequence[Path]) -> list[Pair]:
    """Pair every image with its label, sorted by case.

    Args:
        images: Files, or folders of DICOM slices; absolute, at least one.
        labels: Likewise; labels without an image are left out.

    Raises:
        DataError: If an image has no label, or names are not unique.
    """
    image_names, label_names = _names(images), _names(labels)
    cut_image, cut_label = _best_cuts(image_names, label_names)
    image_of = _unique([_cut(name, cut_image) for name in image_names], images, "images")
    label_of = _unique([_cut(name, cut_label) for name in label_names], labels, "labels")
    lonely = ["/".join(image_of[name].parts[-2:]) for name in image_of if name not in label_of]
    if lonely:
        raise DataError(
            f"{len(lonely)} of {len(images)} images have no label: {_listed(lonely)}; "
            "name image and label alike up to a common ending, or narrow --images"
        )
    cases = _case_names(list(image_of))
    pairs = (Pair(cases[name], image, label_of[name]) for name, image in image_of.items())
    return sorted(pairs, key=lambda pair: pair.case)


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
    return tuple(re.split(r"(?=[_\-./ ])", folder + slash + image_stem(file)))


def _best_cuts(images: list[Name], labels: list[Name]) -> tuple[int, int]:
    cuts = product(range(_common_ending(images) + 1), range(_common_ending(labels) + 1))

    def quality(cut: tuple[int, int]) -> tuple[int, int]:
        shared = {_cut(name, cut[0]) for name in images} & {_cut(name, cut[1]) for name in labels}
        return len(shared), -sum(cut)

    return max(cuts, key=quality)


def _common_ending(names: list[Name]) -> int:
    """Number of last pieces that all names share; the first piece always stays."""
    shortest = min(len(name) for name in names) - 1
    for size in range(shortest, 0, -1):
        if len({name[-size:] for name in names}) == 1:
            return size
    return 0


def _cut(name: Name, size: int) -> Name:
    return name[: len(name) - size]


def _unique(names: list[Name], paths: Sequence[Path], kind: str) -> dict[Name, Path]:
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        same = [str(path) for name, path in zip(names, paths, strict=True) if name == doubled[0]]
        raise DataError(
            f"{len(same)} {kind} could be case {''.join(doubled[0])!r}: {_listed(same)}; "
            f"narrow --{kind} to one file a case"
        )
    return dict(zip(names, paths, strict=True))


def _case_names(names: list[Name]) -> dict[Name, str]:
    """File names where they are unique, else names with their folders."""
    whole = {name: "".join(name) for name in names}
    short = {name: text.rpartition("/")[2] for name, text in whole.items()}
    chosen = short if len(set(short.values())) == len(names) else whole
    return {name: _identifier(text) for name, text in chosen.items()}


def _identifier(text: str) -> str:
    """What a manifest accepts as a case: letters, digits and `. _ -`, no sign first."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", text).lstrip("._-") or "case"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
