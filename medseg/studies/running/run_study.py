"""Study run: every run that has no result yet, each a job, and then all results."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal

from medseg.executor.job import Ended, Job
from medseg.studies.results import RunResult, StudyResults
from medseg.studies.running.plan import PlannedRun, StudyPlan
from medseg.studies.running.run_folder import LOG, RESULT, RunSpec, read_result

__all__ = ["collect_results", "missing_runs", "run_missing", "run_name"]

WORKER = "medseg.studies.running.worker"
Runner = Callable[[Iterable[Job]], Iterator[Ended]]


def missing_runs(
    plan: StudyPlan, store: Path, *, failed: Literal["kept", "again"] = "kept"
) -> list[PlannedRun]:
    """Runs without a result in the store, each digest once, in the order of the plan.

    Args:
        plan: The study.
        store: Folder of all runs, of other studies too.
        failed: Whether a run that failed is run again.

    Raises:
        MedsegError: For a result that another version has made, or that cannot be read.
    """
    missing: dict[str, PlannedRun] = {}
    for run in plan.runs:
        result = _result(store, run)
        if result is None or (result.reason and failed == "again"):
            missing.setdefault(run.digest, run)
    return list(missing.values())


def run_missing(
    plan: StudyPlan,
    store: Path,
    missing: Iterable[PlannedRun],
    runner: Runner,
    told: Callable[[PlannedRun, Ended], None],
    *,
    gpus: float = 0.0,
) -> None:
    """Run what has no result.

    Args:
        plan: The study.
        store: Folder of all runs.
        missing: What is run, as `missing_runs` returns it.
        runner: Runs jobs, here or elsewhere.
        told: Called as each run ends.
        gpus: GPUs of each run; a part of one if runs share it.
    """
    runs = {run.digest: run for run in missing}

    def jobs() -> Iterator[Job]:
        for run in runs.values():
            # Only what failed: it may have been done elsewhere since it was found missing.
            earlier = _result(store, run)
            if earlier is not None and earlier.reason:
                (store / run.digest / RESULT).unlink()
            yield _job(plan, store / run.digest, run, gpus)

    for ended in runner(jobs()):
        told(runs[ended.job.log.parent.name], ended)


def run_name(run: PlannedRun) -> str:
    """Of a run, for messages."""
    return f"{run.row}, seed {run.seed}, fold {run.fold}"


def collect_results(plan: StudyPlan, store: Path) -> StudyResults:
    """Results of all runs that are there; those that are not yet are left out."""
    found = (_result(store, run) for run in plan.runs)
    study = plan.study
    return StudyResults(
        title=study.title,
        score=study.score,
        rows=tuple(plan.rows),
        overrides=plan.rows,
        published={row: (one.effect, one.note) for row, one in study.published.items()},
        runs=tuple(one for one in found if isinstance(one, RunResult)),
    )


def _result(store: Path, run: PlannedRun) -> RunResult | None:
    return read_result(store / run.digest, row=run.row, seed=run.seed, fold=run.fold)


def _job(plan: StudyPlan, folder: Path, run: PlannedRun, gpus: float) -> Job:
    _spec(plan, run).write(folder)
    return Job(
        name=run_name(run),
        module=WORKER,
        arguments=(str(folder.resolve()),),
        log=folder / LOG,
        result=folder / RESULT,
        cpus=plan.study.threads,
        gpus=gpus,
    )


def _spec(plan: StudyPlan, run: PlannedRun) -> RunSpec:
    return RunSpec(
        bundle=str(plan.bundle.resolve()),
        dataset_dir=str(plan.dataset_dir.resolve()),
        train=run.train,
        evaluate=run.evaluate,
        manifest=None if run.manifest is None else run.manifest.model_dump(mode="json"),
        losses=plan.study.losses,
        threads=plan.study.threads,
    )
