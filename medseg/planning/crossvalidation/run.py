"""Cross-validation run: every fold that has no result yet, each a job, and their weights placed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import medseg
from medseg._files import write_atomically
from medseg.errors import UsageError
from medseg.executor.job import Ended, Job
from medseg.networks.members import fold_file, with_fold
from medseg.networks.weights_file import DIGEST, read_weights_file
from medseg.planning.crossvalidation.fold_folder import (
    LOG,
    RESULT,
    WEIGHTS,
    FoldSpec,
    require_same,
)
from medseg.planning.crossvalidation.plan import CrossPlan, FoldPlan

__all__ = ["ENSEMBLE", "missing_folds", "place_weights", "predict_by_all", "run_folds"]

WORKER = "medseg.planning.crossvalidation.worker"
# Folder of all folds together.
ENSEMBLE = "ensemble"
Runner = Callable[[Iterable[Job]], Iterator[Ended]]


def missing_folds(plan: CrossPlan, only: Sequence[int] | None = None) -> list[FoldPlan]:
    """Folds without a result.

    Args:
        plan: The cross-validation.
        only: Folds that are wanted; None for all.

    Raises:
        UsageError: For a fold that is not there, one that was begun with another config or version,
            or weights in the way.
    """
    numbers = [fold.fold for fold in plan.folds]
    unknown = [fold for fold in only or () if fold not in numbers]
    if unknown:
        raise UsageError(
            f"--fold {unknown[0]}: {plan.manifest.name} has folds {', '.join(map(str, numbers))}"
        )
    for fold in plan.folds:
        require_same(plan.folder_of(fold.fold), _spec(plan, fold))
        _require_free(plan, fold.fold)
    wanted = [fold for fold in plan.folds if only is None or fold.fold in only]
    return [fold for fold in wanted if not (plan.folder_of(fold.fold) / RESULT).exists()]


def run_folds(
    plan: CrossPlan,
    missing: Sequence[FoldPlan],
    runner: Runner,
    told: Callable[[Ended], None],
    *,
    cpus: int,
    gpus: float,
) -> list[Ended]:
    """Train what has no result.

    Args:
        plan: The cross-validation.
        missing: Folds, as `missing_folds` returns them.
        runner: Runs jobs.
        told: Called as each fold ends.
        cpus: Cores of each.
        gpus: GPUs of each.

    Returns:
        Those that failed.
    """
    specs = {plan.folder_of(fold.fold): _spec(plan, fold) for fold in missing}
    jobs = [_job(folder, spec, cpus=cpus, gpus=gpus) for folder, spec in specs.items()]
    failed: list[Ended] = []
    for ended in runner(jobs):
        told(ended)
        if ended.code != 0:
            failed.append(ended)
    return failed


def place_weights(plan: CrossPlan) -> None:
    """Copy the weights of all folds to where predictions look for them.

    Raises:
        UsageError: If other weights are in the way.
    """
    for fold in plan.folds:
        _require_free(plan, fold.fold)
    for fold in plan.folds:
        source, target = _weights(plan, fold.fold), fold_file(plan.weights_dir, fold.fold)
        content = with_fold(source, fold.fold, len(plan.folds))
        write_atomically(target, lambda path, content=content: path.write_bytes(content))


def predict_by_all(
    plan: CrossPlan, runner: Runner, told: Callable[[Ended], None], *, cpus: int, gpus: float
) -> list[Ended]:
    """Predict the test cases by all folds together, unless that is done; returns what failed."""
    first = plan.folds[0]
    spec = replace(
        _spec(plan, first),
        fold=None,
        weights=str((plan.weights_dir / WEIGHTS).resolve()),
        digest=" ".join(fold.digest for fold in plan.folds),
        config={},
    )
    folder = plan.folder / ENSEMBLE
    require_same(folder, spec)
    if not plan.manifest.test or (folder / RESULT).exists():
        return []
    job = _job(folder, spec, cpus=cpus, gpus=gpus)
    failed: list[Ended] = []
    for ended in runner([job]):
        told(ended)
        if ended.code != 0:
            failed.append(ended)
    return failed


def _weights(plan: CrossPlan, fold: int) -> Path:
    return plan.folder_of(fold) / WEIGHTS


def _require_free(plan: CrossPlan, fold: int) -> None:
    """Refuse to replace weights that are of something else."""
    there, own = fold_file(plan.weights_dir, fold), _weights(plan, fold)
    if not there.exists():
        return
    if not (plan.folder_of(fold) / RESULT).exists() or _digest(there) != _digest(own):
        raise UsageError(
            f"{there}: is there, and of another training than {plan.folder_of(fold)}; move it "
            "away, or add -o DIR for results and weights"
        )


def _digest(path: Path) -> str:
    return read_weights_file(path)[0].texts[DIGEST]


def _spec(plan: CrossPlan, fold: FoldPlan) -> FoldSpec:
    return FoldSpec(
        fold=fold.fold,
        bundle=str(plan.bundle.resolve()),
        dataset_dir=str(plan.dataset_dir.resolve()),
        train=fold.train,
        evaluate=fold.evaluate,
        weights=str(_weights(plan, fold.fold).resolve()),
        test=bool(plan.manifest.test),
        digest=fold.digest,
        config=fold.config,
        medseg=medseg.__version__,
    )


def _job(folder: Path, spec: FoldSpec, *, cpus: int, gpus: float) -> Job:
    spec.write(folder)
    return Job(
        name="all folds" if spec.fold is None else f"fold {spec.fold}",
        module=WORKER,
        arguments=(str(folder.resolve()),),
        log=folder / LOG,
        result=folder / RESULT,
        cpus=cpus,
        gpus=gpus,
    )
