"""Cohort: every case of a data set read once, in several processes if that pays."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from medseg.data.datasets.facts import CaseReport
from medseg.data.datasets.whole_set import cohort_problems
from medseg.data.manifest import Case, Manifest
from medseg.data.problems import Problem
from medseg.planning.fingerprint.case_facts import CaseFacts
from medseg.planning.fingerprint.read_case import ReadCase, read_case
from medseg.planning.fingerprint.store import Store

__all__ = ["Cohort", "read_cohort"]

Progress = Callable[[int, int], None]
# A process takes a second to import what reading needs.
_WORTH_A_PROCESS = 40_000_000


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """What was read of a data set.

    Attributes:
        facts: Of the cases that can be used, in the manifest's order.
        reports: Of all cases.
        problems: Of the data set as a whole.
        read: Number of cases that were read now; the others were known.
    """

    facts: tuple[CaseFacts, ...]
    reports: tuple[CaseReport, ...]
    problems: tuple[Problem, ...]
    read: int


def read_cohort(
    manifest: Manifest, folder: Path, progress: Progress = lambda done, all_: None
) -> Cohort:
    """Read every case of a data set that has a label, once.

    Args:
        manifest: The data set, with digests of its files if it is to remember them.
        folder: Of its files.
        progress: Called with the number of cases read, and of those to be read.
    """
    store = Store(manifest)
    found = {case.case: store.get(case) for case in manifest.cases}
    missing = [case for case in manifest.cases if found[case.case] is None]
    for done, (case, read) in enumerate(_read_all(missing, manifest, folder), 1):
        store.put(case, read)
        found[case.case] = read
        progress(done, len(missing))
    reads = [read for case in manifest.cases if (read := found[case.case]) is not None]
    reports = tuple(read.report for read in reads)
    return Cohort(
        facts=tuple(read.facts for read in reads if read.facts is not None),
        reports=reports,
        problems=cohort_problems(manifest, folder, reports),
        read=len(missing),
    )


def _read_all(
    cases: Sequence[Case], manifest: Manifest, folder: Path
) -> Iterator[tuple[Case, ReadCase]]:
    processes = min(_cores(), len(cases))
    if processes < 2 or _bytes(cases, folder) < _WORTH_A_PROCESS:
        for case in cases:
            yield case, read_case(case, manifest, folder)
        return
    # Threads of libraries do not survive a fork.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        # A process that reads a case needs none of the others.
        alone = manifest.model_copy(update={"training": (), "test": ()})
        tasks: dict[Future[ReadCase], Case] = {
            pool.submit(read_case, case, alone, folder): case for case in cases
        }
        try:
            for task in as_completed(tasks):
                yield tasks[task], task.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _bytes(cases: Iterable[Case], folder: Path) -> int:
    paths = [folder / name for case in cases for name in (*case.images, case.label) if name]
    return sum(path.stat().st_size for path in paths if path.is_file())
