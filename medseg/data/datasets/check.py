"""Check of a whole data set: every case is read, every problem reported with a remedy.

A check does not stop at the first bad case. It returns facts and problems as plain values, for the
command line's table, for `--json`, and for tests.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from medseg.data.datalists import case_label, image_paths
from medseg.data.datasets.expected import expected_by
from medseg.data.datasets.facts import (
    CaseReport,
    DatasetReport,
    LabelFacts,
    image_facts,
    label_facts,
)
from medseg.data.datasets.intake import image_problems, judge_label
from medseg.data.datasets.neighbours import sketch_of
from medseg.data.datasets.whole_set import cohort_problems
from medseg.data.digest import path_sha256
from medseg.data.images.channels import read_channels
from medseg.data.images.picture import Picture, read_label
from medseg.data.images.volume import Volume
from medseg.data.label_source import LabelSource
from medseg.data.manifest import Case, Manifest, Part
from medseg.data.problems import InputError, Problem
from medseg.errors import DataError

__all__ = ["check_dataset"]

Progress = Callable[[Iterator[CaseReport]], Iterator[CaseReport]]


def check_dataset(
    manifest: Manifest, dataset_dir: str | Path, progress: Progress = iter
) -> DatasetReport:
    """Check every case of a data set, and the data set as a whole.

    Args:
        manifest: The data set.
        dataset_dir: Folder of its files.
        progress: Wraps the iteration over cases, e.g. to show a progress bar.

    Raises:
        DataError: If the folder is missing or empty.
    """
    cases = tuple(progress(_check_cases(manifest, dataset_dir)))
    problems = cohort_problems(manifest, dataset_dir, cases)
    return DatasetReport(name=manifest.name, cases=cases, problems=problems)


def _check_cases(manifest: Manifest, dataset_dir: str | Path) -> Iterator[CaseReport]:
    """Yield the check of each case, training first, in the manifest's order.

    Raises:
        DataError: If the folder is missing or empty.
    """
    folder = Path(dataset_dir)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; use the one that holds {manifest.name}")
    if not any(folder.iterdir()):
        raise DataError(f"{folder}: the folder is empty; give the one that holds {manifest.name}")
    for case in manifest.training:
        place = "training" if case.fold is None else f"fold {case.fold}"
        yield _check_case(case, manifest, folder, place)
    for case in manifest.test:
        yield _check_case(case, manifest, folder, "test")


def _check_case(case: Case, manifest: Manifest, folder: Path, place: str) -> CaseReport:
    problems = _digest_problems(case, folder)
    paths = image_paths(case, folder, len(manifest.channels))
    image = _or_problem(lambda: read_channels(paths), problems)
    if image is not None:
        problems += image_problems(image, expected_by(manifest))
    facts: tuple[LabelFacts, ...] = ()
    label = case_label(case, folder, manifest)
    if label is not None:
        facts = _check_label(label, manifest, image, problems)
    elif place != "test":
        remedy = "give it a label, list it under test, or leave it out"
        problems.append(Problem("error", "case", "a training case has no label", remedy))
    return CaseReport(
        case=case.case,
        patient=case.patient,
        place=place,
        image=None if image is None else image_facts(image),
        labels=facts,
        problems=tuple(problems),
        sketch=None if image is None else sketch_of(image.array),
    )


def _digest_problems(case: Case, folder: Path) -> list[Problem]:
    problems: list[Problem] = []
    listed: dict[Part, tuple[str | None, ...]] = {"image": case.images, "label": (case.label,)}
    each: list[tuple[Part, str | None, str]] = [
        (key, name, digest)
        for key, digests in case.sha256.items()
        for name, digest in zip(
            listed[key], [digests] if isinstance(digests, str) else digests, strict=False
        )
    ]
    for key, name, expected in each:
        # Of neither is what is missing or a pipe, which reading tells.
        if name is None or not ((folder / name).is_file() or (folder / name).is_dir()):
            continue
        if path_sha256(folder / name) != expected:
            which = f"{name}: " if key == "image" and len(case.images) > 1 else ""
            what = "its SHA-256 differs from the manifest's, so it is another or a damaged file"
            remedy = "fetch it again, or write a new manifest if you changed it on purpose"
            problems.append(Problem("error", key, which + what, remedy))
    return problems


def _check_label(
    path: LabelSource | Path,
    manifest: Manifest,
    image: Volume | Picture | None,
    problems: list[Problem],
) -> tuple[LabelFacts, ...]:
    label = _or_problem(lambda: read_label(path), problems)
    if label is None:
        return ()
    values = [label.value for label in manifest.labels]
    judged = judge_label(label, image, values, manifest.label_kind)
    problems += judged.problems
    return label_facts(judged.counts, manifest.labels, label.spacing_mm)


def _or_problem(
    read: Callable[[], Volume | Picture], problems: list[Problem]
) -> Volume | Picture | None:
    try:
        return read()
    except InputError as error:
        problems.append(error.problem)
        return None
