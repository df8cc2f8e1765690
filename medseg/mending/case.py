"""A case mended: what is wrong with it, what of that can be mended, and the mended label."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import nibabel
import numpy as np

from medseg.data.datalists import case_label, image_paths
from medseg.data.datasets.expected import expected_by
from medseg.data.datasets.facts import CaseReport, DatasetReport
from medseg.data.datasets.intake import image_problems, judge_label
from medseg.data.datasets.label_values import count_values
from medseg.data.images.channels import read_channels
from medseg.data.images.naming import is_nifti
from medseg.data.images.picture import read_label
from medseg.data.label_kind import as_classes
from medseg.data.label_source import LabelSource
from medseg.data.manifest import Case, Manifest
from medseg.data.problems import InputError, Problem
from medseg.mending.change import CaseFix, Change
from medseg.mending.label import Label, MendedLabel, mend_label
from medseg.mending.three_axes import extra_axes
from medseg.mending.values import ValueMap, value_map

__all__ = ["ClinicLabels", "DataSet", "Mended", "mend_case", "values_of"]

ClinicLabels = Literal["keep", "nifti"]


@dataclass(frozen=True)
class DataSet:
    """What is mended: the manifest, its files, what the check found, and what values become.

    Attributes:
        manifest: The data set.
        folder: Of its files.
        report: Of `check_dataset`.
        clinic_labels: Whether labels in DICOM stay as they are, or become NIfTI.
    """

    manifest: Manifest
    folder: Path
    report: DatasetReport
    clinic_labels: ClinicLabels = "keep"


@dataclass(frozen=True, eq=False)
class Mended:
    """A case mended: what was done, and the label to be written; None if its file is kept."""

    fix: CaseFix
    label: MendedLabel | None = None


def values_of(data: DataSet) -> ValueMap:
    """What the values of all labels become; nothing unless they are classes."""
    if data.manifest.label_kind != "classes":
        return ValueMap()
    found: list[Collection[int]] = []
    for case, report in _with_reports(data):
        if not _errors(report, "label"):
            found.append([label.value for label in report.labels if label.voxels])
            continue
        values = _stored_values(data, case)
        if values is not None:
            found.append(values)
    return value_map(found, len(data.manifest.labels))


def _with_reports(data: DataSet) -> Sequence[tuple[Case, CaseReport]]:
    pairs = list(zip(data.manifest.cases, data.report.cases, strict=True))
    return [(case, report) for case, report in pairs if case.label is not None]


def _stored_values(data: DataSet, case: Case) -> list[int] | None:
    """Values of a label that has errors; None if it is no label of whole numbers."""
    try:
        label = read_label(_label_of(data, case))
    except InputError:
        return None
    counts = count_values(as_classes(label.array, "classes"))
    whole = all(value >= 0 and float(value).is_integer() for value in counts)
    return [int(value) for value in counts] if whole else None


def _label_of(data: DataSet, case: Case) -> LabelSource | Path:
    return case_label(case, data.folder, data.manifest) or data.folder / case.images[0]


def mend_case(data: DataSet, case: Case, report: CaseReport, values: ValueMap) -> Mended:
    """Mend one case as far as that is safe.

    Args:
        data: The data set.
        case: Of its manifest.
        report: What the check found about the case.
        values: See `values_of`.
    """
    left = [*_errors(report, "image"), *_errors(report, "case"), *_digest_errors(report)]
    if left:
        return Mended(CaseFix(case.case, left=tuple(left)))
    changes = [
        change for name in case.images for change in _axes_change(data.folder / name, "image")
    ]
    if case.label is None:
        return Mended(CaseFix(case.case, tuple(changes)))
    label = _label_of(data, case)
    if not _needs_mending(data, label, report):
        if not isinstance(label, LabelSource):
            changes += _axes_change(label, "label")
        return Mended(CaseFix(case.case, tuple(changes)))
    try:
        mended = _mended(data, case, label, values)
    except InputError as error:
        return Mended(CaseFix(case.case, left=(error.problem,)))
    if isinstance(mended, Problem):
        return Mended(CaseFix(case.case, left=(mended,)))
    changes += mended.changes
    return Mended(CaseFix(case.case, tuple(changes)), mended if mended.changes else None)


def _needs_mending(data: DataSet, label: LabelSource | Path, report: CaseReport) -> bool:
    if isinstance(label, LabelSource):
        return data.clinic_labels == "nifti" or bool(_errors(report, "label"))
    return bool(_errors(report, "label")) or _is_float(label)


def _mended(
    data: DataSet, case: Case, path: LabelSource | Path, values: ValueMap
) -> MendedLabel | Problem:
    image = read_channels(image_paths(case, data.folder, len(data.manifest.channels)))
    label = read_label(path)
    kind = data.manifest.label_kind
    mended = mend_label(label, image, values, kind)
    if isinstance(mended, Problem):
        return mended
    named = [one.value for one in data.manifest.labels]
    judged = judge_label(_as_read(label, mended), image, named, kind)
    errors = [one for one in judged.problems if one.severity == "error"]
    errors += [one for one in image_problems(image, expected_by(data.manifest)) if _is_error(one)]
    if errors:
        return errors[0]
    if isinstance(path, LabelSource):
        what = "label in DICOM written as NIfTI, in the image's grid"
        change = Change("label", "nifti", what, "the same voxels, for programs that read NIfTI")
        mended = replace(mended, changes=(*mended.changes, change))
    return mended


def _as_read(label: Label, mended: MendedLabel) -> Label:
    if hasattr(label, "spacing_mm") and label.spacing_mm is not None:
        i, j, k = (float(step) for step in np.linalg.norm(mended.affine[:3, :3], axis=0))
        return replace(label, array=mended.array, affine=mended.affine, spacing_mm=(i, j, k))
    return replace(label, array=mended.array)


def _is_error(problem: Problem) -> bool:
    return problem.severity == "error"


def _errors(report: CaseReport, where: str) -> list[Problem]:
    return [one for one in report.problems if _is_error(one) and one.where == where]


def _digest_errors(report: CaseReport) -> list[Problem]:
    """Errors of a label that is not the file of the manifest: it may belong to another case."""
    return [one for one in _errors(report, "label") if one.what.startswith("its SHA-256 differs")]


def _axes_change(path: Path, where: Literal["image", "label"]) -> Sequence[Change]:
    shape = extra_axes(path)
    if shape is None:
        return ()
    what = f"{len(shape)} axes {'x'.join(map(str, shape))}, now three"
    why = "it holds one volume; only its header changes, in a copy"
    return (Change(where, "three axes", what, why),)


def _is_float(path: Path) -> bool:
    """Whether a label's file holds floating point, by its header; of NIfTI alone."""
    if not is_nifti(path):
        return False
    header = cast("Any", nibabel).load(path).header
    slope, inter = header.get_slope_inter()
    return header.get_data_dtype().kind == "f" or (slope, inter) not in ((None, None), (1, 0))
