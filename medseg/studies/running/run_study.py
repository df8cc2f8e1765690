"""Study run: every run that has no result yet, each a job, and then all results."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from medseg.executor.job import Ended, Job
from medseg.studies.results import RunResult, StudyResults
from medseg.studies.running.plan import PlannedRun, StudyPlan
from medseg.studies.running.run_folder import LOG, RESULT, RunSpec, read_result

__all__ = ["collect_results", "missing_runs", "run_missing"]

WORKER = "medseg.studies.running.worker"
Runner = Callable[[Iterable[Job]], Iterator[Ended]]


def missing_runs(plan: StudyPlan, store: Path) -> list[PlannedRun]:
    """Runs without a result in the store, each digest once, in the order of the plan."""
    unique = {run.digest: run for run in reversed(plan.runs)}
    ordered = [run for run in plan.runs if unique.get(run.digest) is run]
    return [run for run in ordered if not (store / run.digest / RESULT).exists()]


def run_missing(
    plan: StudyPlan, store: Path, runner: Runner, told: Callable[[PlannedRun, Ended], None]
) -> None:
    """Run what has no result.

    Args:
        plan: The study.
        store: Folder of all runs, of other studies too.
        runner: Runs jobs, here or elsewhere.
        told: Called as each run ends.
    """
    runs = {run.digest: run for run in missing_runs(plan, store)}

    def jobs() -> Iterator[Job]:
        for run in runs.values():
            folder = store / run.digest
            _spec(plan, run).write(folder)
            yield Job(
                name=run_name(run),
                module=WORKER,
                arguments=(str(folder.resolve()),),
                log=folder / LOG,
                cpus=plan.study.threads,
            )

    for ended in runner(jobs()):
        told(runs[ended.job.log.parent.name], ended)


def run_name(run: PlannedRun) -> str:
    """Of a run, for messages."""
    return f"{run.row}, seed {run.seed}, fold {run.fold}"


def collect_results(plan: StudyPlan, store: Path) -> StudyResults:
    """Results of all runs that are there; those that are not yet are left out."""
    found = (
        read_result(store / run.digest, row=run.row, seed=run.seed, fold=run.fold)
        for run in plan.runs
    )
    study = plan.study
    return StudyResults(
        title=study.title,
        score=study.score,
        rows=tuple(plan.rows),
        overrides=plan.rows,
        published={row: (one.effect, one.note) for row, one in study.published.items()},
        runs=tuple(one for one in found if isinstance(one, RunResult)),
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
