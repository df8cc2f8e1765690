"""Create the manifest of a user's own folder.

What can be determined is read from the files: which label belongs to which image
(`medseg.data.datasets.pairs`), which values the labels hold, the files' digests. The user supplies
the rest: names, licence, patients.
"""

import math
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from medseg._text import printable
from medseg.data.datasets.case_names import case_names
from medseg.data.datasets.clinic_labels import dicom_classes, pairs_by_series
from medseg.data.datasets.folds import deal_folds, shuffled_patients
from medseg.data.datasets.intake import refuse_errors
from medseg.data.datasets.label_values import count_values, label_problems
from medseg.data.datasets.pairs import Side, label_files, pair_files
from medseg.data.digest import path_sha256
from medseg.data.images.picture import read_label
from medseg.data.label_kind import MASK_THRESHOLD, LabelKind, as_classes
from medseg.data.label_source import label_source
from medseg.data.manifest import Case, Channel, Label, Manifest, Modality, first_problem
from medseg.data.patterns import expand, natural_key
from medseg.errors import DataError, UsageError

__all__ = ["DatasetInfo", "LabelValues", "SplitPlan", "collect_manifest", "find_files"]

LabelValues = Literal["check", "mend"]
UNITS: dict[Modality, str] = {"CT": "HU", "PT": "SUV"}


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """Description of the data set, supplied by the user; see `Manifest` for the fields.

    Attributes:
        name: None takes the folder's name.
        modality: Modality of the images.
        label_names: Names of all values, background first; empty generates them.
        label_kind: Kind of the label files.
        label_values: `check` that every value has a name, or leave it to be mended later.
        rois: Of labels in DICOM, by pattern of names the class; in the order of painting.
        description: One sentence.
        source: Where the data came from.
        licence: Terms of use.
        citation: What to cite.
    """

    name: str | None = None
    modality: Modality
    label_names: tuple[str, ...] = ()
    label_kind: LabelKind = "classes"
    label_values: LabelValues = "check"
    rois: Mapping[str, str] = field(default_factory=dict[str, str])
    description: str = "not stated"
    source: str = "not stated"
    licence: str = "not stated"
    citation: str = "not stated"


@dataclass(frozen=True, kw_only=True)
class SplitPlan:
    """How the cases are split.

    Attributes:
        folds: Number of folds.
        test_patients: Number of patients set aside as test cases before the folds are assigned.
        patient_regex: Searched in the case's name; its first group is the patient. None: every
            case is a patient of its own.
        group_regex: Searched in the image's path, as written in the manifest; its first group is
            the case's `group`. None: cases have no group.
        seed: Random seed for assigning patients to folds.
    """

    folds: int = 5
    test_patients: int = 0
    patient_regex: str | None = None
    group_regex: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class _Labelled:
    """A case to be written to the manifest."""

    case: str
    image: Path
    label: Path


def find_files(pattern: str, *, option: str) -> list[Path]:
    """Files and folders that match a glob pattern, absolute and sorted.

    Args:
        pattern: With `*`, `?`, `[...]`, and `**` for any number of folders.
        option: The command-line option of the pattern, for the error.

    Raises:
        DataError: If nothing matches.
    """
    matches = expand(pattern)
    if not matches:
        raise DataError(
            f"{option} {pattern}: matches no file; check the folder, and quote the pattern"
        )
    paths = sorted(map(_absolute, matches), key=lambda path: natural_key(str(path)))
    for path in paths:
        if printable(str(path)) != str(path):
            raise DataError(
                f"{printable(str(path))}: holds control characters or bytes that are not UTF-8, "
                "which a manifest cannot name; rename it"
            )
    return paths


def _absolute(path: Path) -> Path:
    """An absolute path without `..`; links stay as they are, so that they are below the folder."""
    return path.absolute() if ".." not in path.parts else path.parent.resolve() / path.name


def collect_manifest(
    images: Sequence[Path], labels: Sequence[Path], info: DatasetInfo, plan: SplitPlan
) -> tuple[Manifest, Path]:
    """Pair the files, assign folds, read the labels' values, and hash all files.

    Args:
        images: Absolute paths; those that are also in `labels` are ignored, so that a pattern for
            images may also match labels in the same folder.
        labels: Absolute paths.
        info: Description supplied by the user.
        plan: How the cases are split.

    Returns:
        The manifest, and the folder that its paths are relative to: the deepest one that contains
        all files.

    Raises:
        DataError: If files do not pair or a label cannot be used.
        UsageError: If names, folds or the patient pattern do not fit the data.
    """
    if set(images) <= set(labels):
        labels = label_files(labels)
    only_images = sorted(set(images) - set(labels))
    if not only_images:
        raise DataError("--images matches no file that --labels does not; narrow --labels")
    pairs = _pairs(only_images, labels)
    root = Path(os.path.commonpath([path.parent for p in pairs for path in (p.image, p.label)]))
    patients = {pair.case: _patient(pair.case, plan.patient_regex) for pair in pairs}
    order = shuffled_patients(patients.values(), seed=plan.seed)
    folds = deal_folds(order[plan.test_patients :], plan.folds, seed=plan.seed)
    info = replace(info, label_names=dicom_classes(labels, info.label_names, info.rois))
    names = _label_names(info, pairs)
    try:
        cases = [
            _case(p, root, patients[p.case], folds.get(patients[p.case]), plan.group_regex)
            for p in pairs
        ]
        return _manifest(cases, names, info, root.name), root
    except ValidationError as error:
        raise UsageError(f"the manifest would break a rule: {first_problem(error)}") from error


def _pairs(images: Sequence[Path], labels: Sequence[Path]) -> list[_Labelled]:
    sides = [
        Side(paths, called, f"narrow --{called} to one file a case")
        for paths, called in ((images, "images"), (labels, "labels"))
    ]
    pairs = pairs_by_series(images, labels) or pair_files(*sides)
    names = case_names(pair.case for pair in pairs)
    return [
        _Labelled(names[pair.case], pair.path, pair.partner)
        for pair in sorted(pairs, key=lambda pair: natural_key(pair.case))
        if pair.partner is not None
    ]


def _manifest(
    cases: Sequence[Case], label_names: Sequence[str], info: DatasetInfo, folder_name: str
) -> Manifest:
    return Manifest(
        name=info.name or _slug(folder_name),
        description=info.description,
        source=info.source,
        licence=info.licence,
        citation=info.citation,
        modality=info.modality,
        channels=(Channel(name=info.modality, unit=UNITS.get(info.modality, "arbitrary")),),
        labels=tuple(Label(value=value, name=name) for value, name in enumerate(label_names)),
        label_kind=info.label_kind,
        rois=dict(info.rois),
        training=tuple(case for case in cases if case.fold is not None),
        test=tuple(case for case in cases if case.fold is None),
    )


def _patient(case: str, pattern: str | None) -> str:
    return case if pattern is None else _found("patient", pattern, f"case {case!r}", case)


def _found(what: str, pattern: str, where: str, text: str) -> str:
    """The first group of a regular expression's match."""
    try:
        match = re.search(pattern, text)
    except re.error as error:
        raise UsageError(f"--{what}-regex {pattern}: {error}; correct the pattern") from error
    if match is None or not match.groups() or not match[1]:
        raise UsageError(
            f"--{what}-regex {pattern}: finds no {what} in {where}; "
            f"put the part that names the {what} in parentheses"
        )
    return match[1]


def _label_names(info: DatasetInfo, pairs: Sequence[_Labelled]) -> tuple[str, ...]:
    """One name per value, 0 first; generated if none are given."""
    if info.label_values == "mend":
        if len(info.label_names) < 2:
            raise UsageError("--label-values mend needs --label-names, the background's first")
        return info.label_names
    given, holder = info.label_names, _holders(pairs, info)
    highest = max(holder)
    odd = min(holder) if min(holder) < 0 else highest
    marked = [value for value in holder if value > 0]
    is_mask = len(given) in (0, 2) and min(marked, default=0) > MASK_THRESHOLD
    if odd < 0 or is_mask:
        named = range(max(highest, 1) + 1) if odd < 0 else range(2)
        refuse_errors(holder[odd], label_problems(dict.fromkeys(holder, 1), named))
    if given and len(given) <= highest:
        raise UsageError(
            f"--label-names: {len(given)} names, but {holder[highest]} holds {highest}; "
            f"name every value from 0, the background, up{_instead(given, highest)}"
        )
    gap = next((value for value in range(highest) if value not in holder), None)
    if gap is not None and not given:
        raise DataError(
            f"labels: none holds {gap}, but {holder[highest]} holds {highest}; "
            "renumber them, name all values from 0 up with --label-names, or use --label-kind "
            "instances if they number objects"
        )
    if highest == 0 and not given:
        raise DataError("labels: all are background; check --labels, or use --label-names")
    return given or ("background", *(f"label_{value}" for value in range(1, highest + 1)))


def _instead(given: Sequence[str], highest: int) -> str:
    """The option to paste if only the background's name is missing, or if there are no classes."""
    if len(given) == highest and "background" not in given:
        return f": --label-names {shlex.quote(','.join(['background', *given]))}"
    mend = "; or use --label-values mend, and then medseg data check --fix"
    if len(given) == 2:
        return f", or use --label-kind mask (grey pictures) or instances (numbered objects){mend}"
    return mend


def _holders(pairs: Sequence[_Labelled], info: DatasetInfo) -> dict[int, Path]:
    """The first label file with each value that occurs."""
    holder: dict[int, Path] = {}
    for pair in pairs:
        source = label_source(pair.label, pair.image, info.label_names, info.rois)
        label = as_classes(read_label(source).array, info.label_kind)
        counts = count_values(label)
        own = [int(value) for value in counts if math.isfinite(value)]
        refuse_errors(pair.label, label_problems(counts, own))
        for value in counts:
            holder.setdefault(int(value), pair.label)
    return holder


def _case(
    pair: _Labelled, root: Path, patient: str, fold: int | None, group_regex: str | None
) -> Case:
    image = pair.image.relative_to(root).as_posix()
    group = group_regex and _found("group", group_regex, f"image {image!r}", image)
    files: dict[Literal["image", "label"], Path] = {"image": pair.image, "label": pair.label}
    return Case(
        case=pair.case,
        patient=patient,
        image=image,
        label=pair.label.relative_to(root).as_posix(),
        fold=fold,
        group=group,
        sha256={key: path_sha256(path) for key, path in files.items()},
    )


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "dataset"
