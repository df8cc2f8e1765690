"""`medseg crossvalidate`: train all folds, and keep them as an ensemble with its scores."""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medseg.cli.say import say

if TYPE_CHECKING:
    from medseg.executor.job import Ended, Job
    from medseg.planning.crossvalidation.plan import CrossPlan, FoldPlan

__all__ = ["crossvalidate"]

_LOCK = ".crossvalidation.lock"
_POLL_SECONDS = 2.0
# Lines of one fold are at least so far apart.
_QUIET_SECONDS = 60.0


def crossvalidate(  # noqa: PLR0913 - the options of a command
    bundle: Annotated[
        Path, typer.Argument(help="The bundle's folder, or the name of an installed one.")
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Override keys of the training of all folds."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder for results and weights (default: results in the bundle's eval, weights "
            "and postprocessing in the bundle).",
        ),
    ] = None,
    fold: Annotated[
        list[int] | None,
        typer.Option(help="Train this fold alone, and join later; repeat the option for several."),
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, help="Folds at a time.")] = 1,
    gpus: Annotated[
        float | None,
        typer.Option(min=0, help="GPUs of a fold (default: 1 if there is one, else 0)."),
    ] = None,
    dry_run: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--dry-run", help="Check, and say folds and hours; keep nothing.")
    ] = False,
) -> None:
    """Train all folds of a bundle; score every case by the network that had not seen it.

    medseg crossvalidate mytask

    Interrupted, it goes on where it was when it is started again.
    """
    from medseg._locks import locked
    from medseg.planning.crossvalidation.plan import plan_crossvalidation
    from medseg.planning.crossvalidation.run import missing_folds
    from medseg.sharing.store.bundle_path import given_bundle

    given = given_bundle(bundle)
    plan = plan_crossvalidation(given.path, overrides or [], out=out, kept=given.kept)
    missing = missing_folds(plan, fold)
    if dry_run:
        _tell_forecast(plan, missing, parallel)
        return
    # Machines that share the folder may train a fold each; each fold is locked by itself.
    _run(plan, missing, parallel, gpus)
    left = missing_folds(plan)
    if left:
        numbers = ", ".join(str(one.fold) for one in left)
        say(f"left to train: fold {numbers}; start it again without --fold to join them")
        return
    with locked(plan.folder / _LOCK, what=str(plan.folder)):
        _join(plan, gpus)


def _run(
    plan: "CrossPlan", missing: "Sequence[FoldPlan]", parallel: int, gpus: float | None
) -> None:
    from medseg.planning.crossvalidation.fold_folder import LOG
    from medseg.planning.crossvalidation.run import run_folds

    say(_plan_line(plan, missing), to="errors")
    if not missing:
        return
    say(f"log of each: {plan.folder}/fold_*/{LOG}", to="errors")
    cpus, gpus = _share(parallel, gpus)
    runner = _runner(plan, parallel)
    with _watching(plan, missing, parallel):
        failed = run_folds(plan, missing, runner, _told, cpus=cpus, gpus=gpus)
    if failed:
        _raise(failed[0])


def _join(plan: "CrossPlan", gpus: float | None) -> None:
    from medseg.planning.crossvalidation.run import place_weights, predict_by_all

    place_weights(plan)
    cpus, gpus = _share(1, gpus)
    failed = predict_by_all(plan, _runner(plan, 1), _told, cpus=cpus, gpus=gpus)
    if failed:
        _raise(failed[0])
    _report(plan)


def _report(plan: "CrossPlan") -> None:
    from rich.console import Console

    from medseg.planning.crossvalidation.chosen_config import chosen_lines, write_choice
    from medseg.planning.crossvalidation.outcome import read_outcome
    from medseg.planning.crossvalidation.report import finding_line, unseen_line, write_report
    from medseg.reports.tables import print_scores

    say("scoring all folds", to="errors")
    outcome = read_outcome(plan)
    rules = {one.name: one.rule for one in outcome.findings if one.rule is not None}
    without = write_choice(plan.bundle, rules) if plan.writes == "bundle" else []
    in_bundle = plan.writes == "bundle" and not without
    page = write_report(plan, outcome, "in the bundle" if in_bundle else "reported")
    print_scores(outcome.scores, Console(highlight=False, markup=False, emoji=False))
    for finding in outcome.findings:
        say(finding_line(finding, "px" if outcome.scores.unit == "px" else "ml"))
    if outcome.compared is not None:
        say(unseen_line(outcome.compared))
    for name in without if rules else ():
        say(f"{name} has no key kept_parts; to use what was chosen, see {page}", to="errors")
    if rules and plan.writes == "folder":
        say("to use what was chosen, append to inference.yaml and evaluate.yaml:")
        for line in chosen_lines(rules):
            say(f"  {line}")
    say(page)
    say(_how_to_predict(plan))


def _how_to_predict(plan: "CrossPlan") -> str:
    if plan.writes == "bundle":
        return (
            f"predict by all {len(plan.folds)} folds: medseg predict {plan.bundle} IMAGE -o labels"
        )
    return (
        f"predict by all {len(plan.folds)} folds: medseg predict {plan.bundle} IMAGE -o labels "
        f"--weights {plan.weights_dir}"
    )


def _plan_line(plan: "CrossPlan", missing: "Sequence[FoldPlan]") -> str:
    held = "; ".join(
        f"fold {one.fold}: {one.cases} cases of {one.patients} patients" for one in plan.folds
    )
    return f"{len(plan.folds)} folds, {len(missing)} to train ({held}); results in {plan.folder}"


def _tell_forecast(plan: "CrossPlan", missing: "Sequence[FoldPlan]", parallel: int) -> None:
    from medseg.planning.crossvalidation.forecast import forecast

    say(_plan_line(plan, missing))
    if missing:
        known = forecast(plan)
        source = "as epochs so far" if known.known_by == "epochs" else "by a trial"
        rounds = -(-len(missing) // parallel)
        say(
            f"up to {known.minutes:.1f} min a fold ({source}): {known.minutes * rounds / 60:.1f} h "
            f"with {parallel} at a time"
        )


def _share(parallel: int, gpus: float | None) -> tuple[int, float]:
    """Cores and GPUs of one fold."""
    from medseg.executor.places import count_cores, count_gpus

    return max(1, count_cores() // parallel), float(count_gpus() > 0) if gpus is None else gpus


def _runner(plan: "CrossPlan", parallel: int) -> "Callable[[Iterable[Job]], Iterator[Ended]]":
    from medseg.executor.run import run_jobs

    def runner(jobs: "Iterable[Job]") -> "Iterator[Ended]":
        return run_jobs(jobs, folder=plan.folder, parallel=parallel)

    return runner


def _told(ended: "Ended") -> None:
    state = "done" if ended.code == 0 else f"failed: {ended.reason} (its log: {ended.job.log})"
    say(f"{ended.job.name}: {state}", to="errors")


def _raise(ended: "Ended") -> None:
    from medseg.errors import error_of_code

    raise error_of_code(ended.code)(
        f"{ended.job.name}: {ended.reason.removeprefix('medseg: ')}; what is done is kept"
    )


@contextmanager
def _watching(plan: "CrossPlan", missing: "Sequence[FoldPlan]", parallel: int) -> Generator[None]:
    """Say how far folds are while they are trained."""
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(plan, missing, parallel, over), daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


def _watch(
    plan: "CrossPlan", missing: "Sequence[FoldPlan]", parallel: int, over: threading.Event
) -> None:
    from medseg.planning.crossvalidation.progress import fold_progress, minutes_left

    folds = [one.fold for one in missing]
    told = {fold: getattr(fold_progress(plan, fold), "epoch", 0) for fold in folds}
    when = dict.fromkeys(folds, float("-inf"))
    while not over.wait(_POLL_SECONDS):
        for fold in folds:
            known = fold_progress(plan, fold)
            now = time.monotonic()
            if known is None or known.epoch == told[fold] or now - when[fold] < _QUIET_SECONDS:
                continue
            told[fold], when[fold] = known.epoch, now
            score = "" if known.score is None else f", DSC {known.score:.3f}, best {known.best:.3f}"
            left = minutes_left(plan, folds, parallel)
            eta = "" if left is None else f"; at most {left:.0f} min left for all"
            say(f"fold {fold}: epoch {known.epoch}/{plan.epochs}{score}{eta}", to="errors")
