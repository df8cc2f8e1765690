"""Forecast of a cross-validation: minutes of a fold, from folds that are done or a short trial."""

import csv
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from medseg.bundles.run import run_bundle
from medseg.planning.crossvalidation.plan import CrossPlan
from medseg.planning.crossvalidation.progress import fold_progress

__all__ = ["Forecast", "forecast"]

# Batches of the one epoch of a quick pass.
_QUICK_STEPS = 5


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What one fold's training will take at most; it may stop earlier.

    Attributes:
        minutes: Of one fold.
        known_by: `epochs` that were trained before, or a `trial` of five batches.
    """

    minutes: float
    known_by: Literal["epochs", "trial"]


def forecast(plan: CrossPlan) -> Forecast:
    """Forecast one fold's training.

    Raises:
        MedsegError: If it cannot be trained at all.
    """
    known = [one for fold in plan.folds if (one := fold_progress(plan, fold.fold)) is not None]
    if known:
        seconds = sum(one.seconds for one in known) / sum(one.epoch for one in known)
        return Forecast(minutes=_limited(plan, seconds * plan.epochs / 60), known_by="epochs")
    return Forecast(minutes=_trial(plan), known_by="trial")


def _limited(plan: CrossPlan, minutes: float) -> float:
    return minutes if plan.minutes is None else min(plan.minutes, minutes)


def _trial(plan: CrossPlan) -> float:
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        run_bundle(
            plan.bundle,
            configs=["train"],
            run_id="training",
            overrides={
                **plan.folds[0].train,
                "dataset_dir": str(plan.dataset_dir),
                "output_dir": folder,
                "ckpt_dir": folder,
                "quick": True,
            },
            log="quiet",
        )
        trial = (time.monotonic() - started) / 60
        # A quick pass writes into a folder of its own.
        with next(Path(folder).rglob("metrics.csv")).open(encoding="utf-8", newline="") as stream:
            row = next(csv.DictReader(stream))
    steps = plan.epochs * plan.iterations
    return _limited(plan, trial + steps * float(row["seconds"]) / _QUICK_STEPS / 60)
