"""Writing the manifest of a user's own folder.

Everything a manifest must know is found in the files where it can be: which image goes with
which label (`medseg.data.datasets.pairs`), which values the labels hold, what the files' digests
are. What no file tells (names, licence, who the patient is) the user says.
"""

import glob
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from medseg.data.datasets.folds import deal_folds, shuffled_patients
from medseg.data.datasets.intake import count_values, label_problems
from medseg.data.datasets.pairs import Side, label_files, pair_files
from medseg.data.digest import path_sha256
from medseg.data.images.picture import read_image
from medseg.data.label_kind import LabelKind, as_classes
from medseg.data.manifest import Case, Channel, Label, Manifest, Modality, first_problem
from medseg.data.problems import Problem, refusal
from medseg.errors import DataError, UsageError

__all__ = ["DatasetInfo", "SplitPlan", "collect_manifest", "find_files"]

UNITS: dict[Modality, str] = {"CT": "HU", "PT": "SUV"}


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """What no file tells; see `Manifest` for the fields.

    Attributes:
        name: None takes the folder's name.
        modality: What made the images.
        label_names: Of all values, background first; empty invents them.
        label_kind: What the label files hold.
        description: One sentence.
        source: Where the data came from.
        licence: Under which conditions.
        citation: What to cite.
    """

    name: str | None = None
    modality: Modality
    label_names: tuple[str, ...] = ()
    label_kind: LabelKind = "classes"
    description: str = "not stated"
    source: str = "not stated"
    licence: str = "not stated"
    citation: str = "not stated"


@dataclass(frozen=True, kw_only=True)
class SplitPlan:
    """How the cases are dealt.

    Attributes:
        folds: Number of folds.
        test_patients: Patients that are set aside as test cases before the folds are dealt.
        patient_regex: Searched in the case's name; its first group is the patient. None: every
            case is a patient of its own.
        group_regex: Searched in the image's path, as the manifest has it; its first group is the
            case's `group`. None: cases have none.
        seed: Another seed deals otherwise.
    """

    folds: int = 5
    test_patients: int = 0
    patient_regex: str | None = None
    group_regex: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class _Labelled:
    """A case that is being written down."""

    case: str
    image: Path
    label: Path


def find_files(pattern: str, *, option: str) -> list[Path]:
    """Files and folders that match a pattern, absolute and sorted.

    Args:
        pattern: With `*`, `?`, `[...]`, and `**` for any number of folders.
        option: The command-line option it comes from, for the error.

    Raises:
        DataError: If nothing matches.
    """
    # Path.glob takes no absolute pattern.
    found = glob.glob(str(Path(pattern).expanduser()), recursive=True)  # noqa: PTH207 - see above
    if not found:
        raise DataError(
            f"{option} {pattern}: matches no file; check the folder, and quote the pattern"
        )
    # Folders are resolved so that a common one can be found; a file that is a link keeps its name.
    return sorted(Path(name).parent.resolve() / Path(name).name for name in found)


def collect_manifest(
    images: Sequence[Path], labels: Sequence[Path], info: DatasetInfo, plan: SplitPlan
) -> tuple[Manifest, Path]:
    """Pair files, deal folds, read the labels' values, and hash everything.

    Args:
        images: Absolute paths; those that are also in `labels` are left out, so that a pattern
            for images may match the labels beside them.
        labels: Absolute paths.
        info: What no file tells.
        plan: How cases are dealt.

    Returns:
        The manifest, and the folder its paths are relative to: the deepest one that holds
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
    return [
        _Labelled(_identifier(pair.case), pair.path, pair.partner)
        for pair in pair_files(*sides)
        if pair.partner is not None
    ]


def _identifier(text: str) -> str:
    """What a manifest accepts as a case: letters, digits and `. _ -`, no sign first."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", text).lstrip("._-") or "case"


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
        training=tuple(case for case in cases if case.fold is not None),
        test=tuple(case for case in cases if case.fold is None),
    )


def _patient(case: str, pattern: str | None) -> str:
    return case if pattern is None else _found("patient", pattern, f"case {case!r}", case)


def _found(what: str, pattern: str, where: str, text: str) -> str:
    """What the parentheses of a pattern find."""
    try:
        found = re.search(pattern, text)
    except re.error as error:
        raise UsageError(f"--{what}-regex {pattern}: {error}; mend the pattern") from error
    if found is None or not found.groups() or not found[1]:
        raise UsageError(
            f"--{what}-regex {pattern}: finds no {what} in {where}; "
            f"put the part that names the {what} in parentheses"
        )
    return found[1]


def _label_names(info: DatasetInfo, pairs: Sequence[_Labelled]) -> tuple[str, ...]:
    """One name a value, 0 first; invented where none are given."""
    given, holder = info.label_names, _holders(pairs, info.label_kind)
    highest = max(holder)
    if min(holder) < 0 or (len(holder) == 2 and highest > 1):
        stranger = min(holder) if min(holder) < 0 else highest
        what = f"holds {stranger}, but label values count up from 0"
        remedy = f"map {stranger} to 1" + (", or give --label-kind mask" if stranger == 255 else "")
        raise refusal(holder[stranger], Problem("error", "label", what, remedy))
    if given and len(given) <= highest:
        raise UsageError(
            f"--label-names: {len(given)} names, but {holder[highest]} holds {highest}; "
            "name every value from 0 (background) up"
        )
    gap = next((value for value in range(highest) if value not in holder), None)
    if gap is not None and not given:
        raise DataError(
            f"labels: none holds {gap}, but {holder[highest]} holds {highest}; "
            "renumber them, name all values from 0 up with --label-names, or give --label-kind "
            "instances if they number objects"
        )
    if highest == 0 and not given:
        raise DataError("labels: all are background; check --labels, or give --label-names")
    return given or ("background", *(f"label_{value}" for value in range(1, highest + 1)))


def _holders(pairs: Sequence[_Labelled], kind: LabelKind) -> dict[int, Path]:
    """For each value that occurs, the first label that holds it."""
    holder: dict[int, Path] = {}
    for pair in pairs:
        label = as_classes(read_image(pair.label, where="label").array, kind)
        counts = count_values(label)
        for problem in label_problems(counts, [int(v) for v in counts if math.isfinite(v)]):
            if problem.severity == "error":
                raise refusal(pair.label, problem)
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
