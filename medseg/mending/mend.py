"""Mending of a data set into a new folder: every change recorded, nothing changed in place."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from medseg._locks import LOCK, locked
from medseg.data.datasets.facts import CaseReport
from medseg.data.manifest import Case, Manifest, save_manifest
from medseg.mending.case import DataSet, Mended, mend_case, values_of
from medseg.mending.change import CaseFix
from medseg.mending.folder import bring_case
from medseg.mending.record import begin, write_record

__all__ = ["MANIFEST", "mend_dataset", "plan_mending"]

MANIFEST = "manifest.json"

Cases = Iterator[tuple[Case, Mended]]
Progress = Callable[[Cases], Cases]


def plan_mending(data: DataSet, progress: Progress = iter) -> list[CaseFix]:
    """What would be done for each case, without writing anything.

    Args:
        data: The data set, as checked.
        progress: Wraps the iteration over cases.
    """
    return [mended.fix for _, mended in progress(_mended(data))]


def mend_dataset(data: DataSet, target: Path, progress: Progress = iter) -> list[CaseFix]:
    """Mend a data set into a new folder, with a manifest and a record of each change.

    A run that was interrupted is continued by the same call; what is there already is kept, or
    written again with the same bytes.

    Args:
        data: The data set, as checked.
        target: The new folder: new, empty, or begun before for the same manifest.
        progress: Wraps the iteration over cases.

    Returns:
        What was done for each case; those with errors are left out of the new folder.

    Raises:
        UsageError: See `begin`.
    """
    begin(target, data.folder, data.manifest)
    fixes: list[CaseFix] = []
    kept: dict[str, Case] = {}
    ways: set[str] = set()
    taken = {path for case in data.manifest.cases for path in (*case.images, case.label) if path}
    with locked(target / LOCK, what=str(target)):
        for case, mended in progress(_mended(data)):
            fixes.append(mended.fix)
            if not mended.fix.left:
                kept[case.case], came = bring_case(case, mended, data.folder, target, taken)
                ways |= came
            write_record(target, data.manifest, fixes, ways)
        save_manifest(_manifest(data, kept), target / MANIFEST)
    return fixes


def _manifest(data: DataSet, kept: Mapping[str, Case]) -> Manifest:
    """The manifest of the new folder: the cases that are in it."""
    training, test = (
        tuple(kept[case.case] for case in cases if case.case in kept)
        for cases in (data.manifest.training, data.manifest.test)
    )
    changes: dict[str, object] = {"training": training, "test": test}
    if data.clinic_labels == "nifti":
        changes["rois"] = {}
    return data.manifest.model_copy(update=changes)


def _mended(data: DataSet) -> Cases:
    values = values_of(data)
    reports: list[CaseReport] = list(data.report.cases)
    for case, report in zip(data.manifest.cases, reports, strict=True):
        yield case, mend_case(data, case, report, values)
