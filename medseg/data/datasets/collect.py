"""Create the manifest of a user's own folder.

What can be determined is read from the files: which label belongs to which image
(`medseg.data.datasets.pairs`), which values the labels hold, the files' digests. The user supplies
the rest: names, licence, patients.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from medseg.data.datasets.case_names import case_names
from medseg.data.datasets.clinic_labels import dicom_classes, pairs_by_series
from medseg.data.datasets.found_files import find_files
from medseg.data.datasets.pairs import Side, label_files, pair_files
from medseg.data.datasets.split import Owner, SplitPlan, owners_of, split_patients
from medseg.data.datasets.value_names import value_names
from medseg.data.digest import path_sha256
from medseg.data.label_kind import LabelKind
from medseg.data.label_source import label_source
from medseg.data.manifest import Case, Channel, Label, Manifest, Modality, Part, first_problem
from medseg.data.patterns import natural_key
from medseg.errors import DataError, UsageError

__all__ = [
    "DatasetInfo",
    "LabelValues",
    "Labelled",
    "SplitPlan",
    "collect_manifest",
    "collect_pairs",
    "find_files",
]

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


@dataclass(frozen=True)
class Labelled:
    """A case to be written to the manifest: a file, or one for each channel, and its label.

    One without a label is a test case.
    """

    case: str
    images: tuple[Path, ...]
    label: Path | None


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
    channel = Channel(name=info.modality, unit=UNITS.get(info.modality, "arbitrary"))
    return collect_pairs(_pairs(only_images, labels), (channel,), info, plan)


def collect_pairs(
    pairs: Sequence[Labelled], channels: Sequence[Channel], info: DatasetInfo, plan: SplitPlan
) -> tuple[Manifest, Path]:
    """Assign folds to cases, read the labels' values, and hash all files.

    Args:
        pairs: The cases.
        channels: Of their images.
        info: Description supplied by the user.
        plan: How the cases are split.

    Returns:
        The manifest, and the folder that its paths are relative to.

    Raises:
        DataError: If a label cannot be used.
        UsageError: If names, folds or the patient pattern do not fit the data.
    """
    files = [path for p in pairs for path in (*p.images, p.label) if path is not None]
    root = Path(os.path.commonpath([path.parent for path in files]))
    owners = owners_of({pair.case: _below(root, pair.images[0]) for pair in pairs}, plan)
    labelled = [pair for pair in pairs if pair.label is not None]
    tested, folds = split_patients([owners[pair.case] for pair in labelled], plan)
    of_dicom = [pair.label for pair in labelled if pair.label is not None]
    info = replace(info, label_names=dicom_classes(of_dicom, info.label_names, info.rois))
    names = _label_names(info, labelled)
    try:
        cases = [_case(p, root, owners[p.case], folds.get(owners[p.case].patient)) for p in pairs]
        return _manifest(cases, names, channels, info, root.name, tested), root
    except ValidationError as error:
        raise UsageError(f"the manifest would break a rule: {first_problem(error)}") from error


def _pairs(images: Sequence[Path], labels: Sequence[Path]) -> list[Labelled]:
    sides = [
        Side(paths, called, f"narrow --{called} to one file a case")
        for paths, called in ((images, "images"), (labels, "labels"))
    ]
    pairs = pairs_by_series(images, labels) or pair_files(*sides)
    names = case_names(pair.case for pair in pairs)
    return [
        Labelled(names[pair.case], (pair.path,), pair.partner)
        for pair in sorted(pairs, key=lambda pair: natural_key(pair.case))
        if pair.partner is not None
    ]


def _held_back(case: Case, tested: frozenset[str]) -> bool:
    """Without a label there is nothing to learn from."""
    return case.label is None or case.patient in tested


def _manifest(
    cases: Sequence[Case],
    label_names: Sequence[str],
    channels: Sequence[Channel],
    info: DatasetInfo,
    folder_name: str,
    tested: frozenset[str],
) -> Manifest:
    return Manifest(
        name=info.name or _slug(folder_name),
        description=info.description,
        source=info.source,
        licence=info.licence,
        citation=info.citation,
        modality=info.modality,
        channels=tuple(channels),
        labels=tuple(Label(value=value, name=name) for value, name in enumerate(label_names)),
        label_kind=info.label_kind,
        rois=dict(info.rois),
        training=tuple(case for case in cases if not _held_back(case, tested)),
        test=tuple(case for case in cases if _held_back(case, tested)),
    )


def _label_names(info: DatasetInfo, pairs: Sequence[Labelled]) -> tuple[str, ...]:
    if info.label_values == "mend":
        if len(info.label_names) < 2:
            raise UsageError("--label-values mend needs --label-names, the background's first")
        return info.label_names
    sources = [
        label_source(pair.label, pair.images[0], info.label_names, info.rois)
        for pair in pairs
        if pair.label is not None
    ]
    return value_names(sources, info.label_names, info.label_kind)


def _case(pair: Labelled, root: Path, owner: Owner, fold: int | None) -> Case:
    images = [_below(root, path) for path in pair.images]
    digests = [path_sha256(path) for path in pair.images]
    of_label: dict[Part, str] = {} if pair.label is None else {"label": path_sha256(pair.label)}
    several = len(images) > 1
    return Case(
        case=pair.case,
        patient=owner.patient,
        image=tuple(images) if several else images[0],
        label=None if pair.label is None else _below(root, pair.label),
        fold=fold if pair.label is not None else None,
        group=owner.group,
        sha256={"image": tuple(digests) if several else digests[0], **of_label},
    )


def _below(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "dataset"
