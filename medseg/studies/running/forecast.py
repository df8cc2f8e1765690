"""Forecast of a study: hours and disk of its runs, from earlier runs or from five batches."""

import csv
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from medseg.bundles.run import run_bundle
from medseg.errors import MedsegError
from medseg.studies.running.plan import PlannedRun, StudyPlan
from medseg.studies.running.run_folder import read_result

__all__ = ["Forecast", "forecast"]

_MEGABYTE = 1e6
# Batches of the one epoch of a quick pass.
_QUICK_STEPS = 5


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What the runs of a study that are left will take, if all cost what the known ones do.

    Attributes:
        runs: Number of runs that are left.
        minutes: Of one run.
        megabytes: Of one run's folder.
        known_by: `runs` that were done before, or a `trial` of five batches of the baseline.
    """

    runs: int
    minutes: float
    megabytes: float
    known_by: Literal["runs", "trial"]


def forecast(plan: StudyPlan, store: Path, missing: Sequence[PlannedRun]) -> Forecast:
    """Forecast of the runs that are left.

    Args:
        plan: The study.
        store: Folder of all runs.
        missing: Those without a result.

    Raises:
        MedsegError: If the baseline cannot be trained at all.
    """
    left = {run.digest for run in missing}
    known = [
        (done.cost.minutes, _megabytes(done.folder))
        for run in plan.runs
        if run.digest not in left
        and (done := _result(store / run.digest, run)) is not None
        and done.cost is not None
    ]
    if known or not missing:
        minutes, megabytes = zip(*known, strict=True) if known else ((0.0,), (0.0,))
        return Forecast(
            runs=len(missing),
            minutes=statistics.mean(minutes),
            megabytes=statistics.mean(megabytes),
            known_by="runs",
        )
    minutes, megabytes = _trial(plan, missing[0])
    return Forecast(runs=len(missing), minutes=minutes, megabytes=megabytes, known_by="trial")


def _result(folder: Path, run: PlannedRun) -> Any:
    try:
        return read_result(folder, row=run.row, seed=run.seed, fold=run.fold)
    except MedsegError:
        return None


def _trial(plan: StudyPlan, run: PlannedRun) -> tuple[float, float]:
    """Minutes and megabytes, from a quick pass of one run."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        places = {"dataset_dir": str(plan.dataset_dir), "output_dir": folder, "ckpt_dir": folder}
        run_bundle(
            plan.bundle,
            configs=["train"],
            run_id="training",
            overrides={**run.train, **places, "quick": True},
            log="quiet",
        )
        trial = (time.monotonic() - started) / 60
        with next(Path(folder).rglob("metrics.csv")).open(encoding="utf-8", newline="") as stream:
            row = next(csv.DictReader(stream))
        megabytes = _megabytes(Path(folder))
    if plan.study.minutes is not None:
        return plan.study.minutes + trial, megabytes
    return trial + run.iterations * float(row["seconds"]) / _QUICK_STEPS / 60, megabytes


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / _MEGABYTE
