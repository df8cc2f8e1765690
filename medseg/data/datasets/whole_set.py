"""Problems of a data set as a whole: duplicates, leaks, unused labels, stray files."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from medseg._checks import first_few
from medseg.data.datasets.facts import CaseReport
from medseg.data.datasets.neighbours import one_stack_problems
from medseg.data.images.naming import PICTURE_SUFFIXES, VOLUME_SUFFIXES
from medseg.data.manifest import Manifest
from medseg.data.problems import Problem
from medseg.data.walk import walk_tree

__all__ = ["cohort_problems"]

IMAGE_SUFFIXES = (*VOLUME_SUFFIXES, ".dcm", *PICTURE_SUFFIXES)
SHOWN = 3


def cohort_problems(
    manifest: Manifest, dataset_dir: str | Path, cases: Sequence[CaseReport]
) -> tuple[Problem, ...]:
    """Problems that no single case shows.

    Args:
        manifest: The data set.
        dataset_dir: Folder of its files.
        cases: Reports of all cases.
    """
    return (
        *_no_cases(manifest),
        *_copies(cases),
        *_copied_labels(manifest, cases),
        *one_stack_problems(cases),
        *_one_fold(manifest),
        *_unused_labels(cases),
        *_stray_files(manifest, Path(dataset_dir)),
    )


def _no_cases(manifest: Manifest) -> Iterator[Problem]:
    if not manifest.cases:
        remedy = "add cases, or create it again with `medseg data manifest`"
        yield Problem("error", "data set", "the manifest lists no cases", remedy)


def _copies(cases: Sequence[CaseReport]) -> Iterator[Problem]:
    """Duplicate images: a leak if they are in different folds or splits."""
    copies: defaultdict[str, list[CaseReport]] = defaultdict(list)
    for case in cases:
        if case.image is not None:
            for number, one in enumerate((case.image, *case.image.others)):
                copies[f"{number} {one.voxels_sha256}"].append(case)
    for same in copies.values():
        names = first_few((case.case for case in same), SHOWN)
        if len({case.place for case in same}) > 1:
            places = ", ".join(sorted({case.place for case in same}))
            what = f"{names} hold the same image and are in {places}, which is a leak"
            remedy = "keep one of them, or assign them to one patient and one fold"
            yield Problem("error", "data set", what, remedy)
        elif len(same) > 1:
            what = f"{names} hold the same image"
            yield Problem("warning", "data set", what, "keep one of them")


def _copied_labels(manifest: Manifest, cases: Sequence[CaseReport]) -> Iterator[Problem]:
    """One label file for different images: copied to the wrong name, most likely."""
    marked = {
        case.case: case.image.voxels_sha256
        for case in cases
        if case.image is not None and any(label.value and label.voxels for label in case.labels)
    }
    copies: defaultdict[str, list[str]] = defaultdict(list)
    for case in manifest.cases:
        if case.case in marked and "label" in case.sha256:
            copies[str(case.sha256["label"])].append(case.case)
    for same in copies.values():
        if len({marked[case] for case in same}) > 1:
            what = f"{first_few(same, SHOWN)} have the same label file, and different images"
            remedy = "check which of them it belongs to; an atlas' label is fine"
            yield Problem("warning", "data set", what, remedy)


def _one_fold(manifest: Manifest) -> Iterator[Problem]:
    folds = {case.fold for case in manifest.training}
    if len(folds) == 1 and None not in folds:
        what = f"all training cases are in fold {folds.pop()}, so none is left to train on"
        yield Problem("warning", "data set", what, "distribute them over at least two folds")


def _unused_labels(cases: Sequence[CaseReport]) -> Iterator[Problem]:
    voxels: defaultdict[str, int] = defaultdict(int)
    for case in cases:
        for label in case.labels:
            voxels[f"{label.value} ({label.name})"] += label.voxels
    unused = [label for label, count in voxels.items() if count == 0]
    if unused:
        what = f"no case has a voxel of label {first_few(unused, SHOWN)}"
        yield Problem("warning", "data set", what, "check the labels' values and names")


def _stray_files(manifest: Manifest, folder: Path) -> Iterator[Problem]:
    listed = {
        folder / name for case in manifest.cases for name in (*case.images, case.label) if name
    }
    strays = sorted(
        str(path.relative_to(folder))
        for path in walk_tree(folder).files
        if path.name.lower().endswith(IMAGE_SUFFIXES)
        # Files in a listed folder, such as DICOM slices, count as listed.
        and listed.isdisjoint({path, *path.parents})
    )
    if strays:
        names = first_few(strays, SHOWN)
        what = f"image files that the manifest does not list, {len(strays)} in all: {names}"
        remedy = "nothing if they are left out on purpose; else create the manifest again"
        yield Problem("warning", "data set", what, remedy)
