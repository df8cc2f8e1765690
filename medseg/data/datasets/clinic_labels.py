"""Labels in DICOM of a user's own folder: their images by UID, their names by patterns.

A SEG or an RTSTRUCT states the series that it belongs to, so files of any name are paired. The
patterns are held against the names in all files before one is read, so that a misspelt one is
found at once.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from medseg._checks import first_few
from medseg._text import printable
from medseg.data.datasets.pairs import Pair
from medseg.data.dicom.find import find_dicom_series
from medseg.data.dicom.labels.label_file import label_file
from medseg.data.dicom.labels.naming import near_name, plain_name
from medseg.data.dicom.labels.segments import read_segmentation
from medseg.data.dicom.labels.structures import read_structures
from medseg.data.label_source import may_be_dicom
from medseg.data.patterns import natural_key
from medseg.errors import DataError, UsageError

__all__ = ["dicom_classes", "pairs_by_series"]

_SHOWN = 8


def pairs_by_series(images: Sequence[Path], labels: Sequence[Path]) -> list[Pair] | None:
    """Pair DICOM labels with the DICOM series that they state.

    Args:
        images: Folders or files, absolute.
        labels: SEG or RTSTRUCT files, or folders with one.

    Returns:
        One pair a label, sorted by case; None if one of them is not DICOM, states no series among
        the images, or shares its image with another, so that names have to say it.
    """
    if not all(map(may_be_dicom, (*labels, *images))):
        return None
    stated = [_stated_series(path) for path in labels]
    if not all(stated):
        return None
    homes: defaultdict[str, set[Path]] = defaultdict(set)
    for image in images:
        for series in find_dicom_series(image):
            if series.kind == "volume":
                homes[series.uid].add(image)
    found = [{home for uid in uids for home in homes[uid]} for uids in stated]
    if any(len(one) != 1 for one in found):
        return None
    image_of = {label: next(iter(one)) for label, one in zip(labels, found, strict=True)}
    if max(Counter(image_of.values()).values()) > 1:
        return None
    names = _names(list(image_of.values()))
    pairs = [Pair(names[image], image, label) for label, image in image_of.items()]
    return sorted(pairs, key=lambda pair: natural_key(pair.case))


def _stated_series(path: Path) -> frozenset[str]:
    found = label_file(path)
    if found is None:
        return frozenset()
    file, kind = found
    read = read_segmentation(file) if kind == "SEG" else read_structures(file)
    return read.series_uids - {""}


def _names(images: Sequence[Path]) -> dict[Path, str]:
    """A name for each image: the folders in which it differs from the others."""
    root = Path(os.path.commonpath([path.parent for path in images]))
    below = {path: path.relative_to(root).parts for path in images}
    shared = {part for parts in below.values() for part in parts}
    shared = {part for part in shared if all(part in parts for parts in below.values())}
    kept = {path: [part for part in parts if part not in shared] for path, parts in below.items()}
    return {path: "/".join(parts) or path.name for path, parts in kept.items()}


def dicom_classes(
    labels: Sequence[Path], given: tuple[str, ...], rois: Mapping[str, str]
) -> tuple[str, ...]:
    """Class names, the background's first: those given, or what patterns or segments say.

    Args:
        labels: Of the data set, in DICOM or not.
        given: Names given by the user; empty if none are.
        rois: By pattern of names, the class.

    Returns:
        Empty if none are given and no label is DICOM.

    Raises:
        DataError: If contours have no pattern to say what they are.
        UsageError: If a pattern matches nothing, or stands for a class that is not named.
    """
    if not rois:
        return given or _class_names_of(labels)
    _require_rois(labels, rois)
    names = given or ("background", *dict.fromkeys(rois.values()))
    unknown = [name for name in rois.values() if name not in names[1:]]
    if unknown:
        raise UsageError(
            f"--rois: {unknown[0]!r} is none of --label-names {','.join(names)}; name it there, "
            "after the background"
        )
    return names


def _class_names_of(labels: Sequence[Path]) -> tuple[str, ...]:
    """Class names from the segments of SEGs, the background's first; empty without any SEG.

    Raises:
        DataError: If there are contours, whose names are no classes until `--rois` says so.
    """
    found = _names_in(labels)
    contours = {file: names for file, (kind, names) in found.items() if kind == "RTSTRUCT"}
    if contours:
        file, names = next(iter(contours.items()))
        example = printable(names[0]) if names else "GTV*"
        raise DataError(
            f"{file}: say which ROI is which class: --rois '{example}=tumour' (repeatable); it "
            f"holds {_listed(names)}"
        )
    segments = dict.fromkeys(name for _, names in found.values() for name in names)
    by_plain = {plain_name(name): name for name in segments if name}
    return ("background", *by_plain.values()) if by_plain else ()


def _require_rois(labels: Sequence[Path], rois: Mapping[str, str]) -> None:
    """Hold patterns against the names in all files.

    Raises:
        UsageError: If one matches no name of any file, or no file is DICOM.
    """
    found = _names_in(labels)
    if not found:
        raise UsageError("--rois is for labels in DICOM (SEG, RTSTRUCT), and none of these is one")
    names = list(dict.fromkeys(name for _, own in found.values() for name in own))
    plain = [plain_name(name) for name in names]
    for pattern, meant in rois.items():
        wanted = plain_name(pattern)
        if any(fnmatchcase(name, wanted) for name in plain):
            continue
        near = near_name(pattern, names)
        hint = f"did you mean --rois '{printable(near)}={meant}'? " if near else ""
        raise UsageError(
            f"--rois '{pattern}={meant}': no ROI or segment of {len(found)} files is called so; "
            f"{hint}they hold {_listed(names)}"
        )


def _names_in(labels: Sequence[Path]) -> dict[Path, tuple[str, list[str]]]:
    """By file in DICOM, its kind and the names of its ROIs or segments."""
    names: dict[Path, tuple[str, list[str]]] = {}
    for path in filter(may_be_dicom, labels):
        found = label_file(path)
        if found is None:
            continue
        file, kind = found
        if kind == "SEG":
            names[file] = kind, list(read_segmentation(file).segments.values())
        else:
            names[file] = kind, [roi.name for roi in read_structures(file).rois.values()]
    return names


def _listed(names: Sequence[str]) -> str:
    return first_few((printable(name) or "(no name)" for name in names), _SHOWN)
