"""Prediction run: a request's cases from its inputs to an exit code.

torch and MONAI take seconds to import, and are imported only if there is a case to predict: a run
with nothing left to do, or with wrong options, needs neither.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import medseg
from medseg.bundles.channels import are_colours, bundle_channels
from medseg.bundles.foreign.fit import is_foreign
from medseg.bundles.foreign.weights import bundle_weights
from medseg.bundles.monai_import import collector_paused, import_monai_for
from medseg.bundles.opened import OpenedConfigs, open_configs
from medseg.errors import ExitCode, UsageError
from medseg.prediction.case_names import distinct_names
from medseg.prediction.cases import CohortCase, share
from medseg.prediction.channel_cases import find_channels, find_in_folders, find_listed
from medseg.prediction.cohort import Cohort
from medseg.prediction.elsewhere import predict_elsewhere
from medseg.prediction.key_file import check_key_file, write_key_file
from medseg.prediction.ledger import Ledger
from medseg.prediction.listener import Listener
from medseg.prediction.naming import identifying_line, read_name_words
from medseg.prediction.outputs import case_files, read_formats, refuse_clashes
from medseg.prediction.plan import plan_cohort, read_settings
from medseg.prediction.remarks import Remarks
from medseg.prediction.request import Request, expected_of, modality_of, options_of
from medseg.prediction.search import Found, Search, find_cases
from medseg.prediction.tables import RunningTable, refuse_foreign_tables

if TYPE_CHECKING:
    from medseg.bundles.predictor import Predictor
    from medseg.prediction.steps import CaseSteps

__all__ = ["run_prediction"]


def run_prediction(
    request: Request,
    listen: Callable[[int], AbstractContextManager[Listener]],
    others: Callable[[], None] | None = None,
) -> ExitCode:
    """Predict, or only forecast, all cases of a request.

    Args:
        request: The options.
        listen: Opens the listener that reports progress, given the number of cases.
        others: Has other processes predict the cases into the output folder; what they leave is
            done here.

    Raises:
        MedsegError: For an error that stops all cases, in one line.
    """
    # Before anything is looked at, and before MONAI is imported.
    opened = open_configs(request.bundle, ["inference"])
    formats = read_formats(request.formats, request.maps)
    weights = request.weights or bundle_weights(opened)
    settings = read_settings(
        request.bundle, weights, options_of(request), version=medseg.__version__
    )
    search = _search(request)
    found = _find(request, search, opened)
    cases, refused = distinct_names(found.cases), found.refused
    files = {case: case_files(request.output, case, formats) for case in cases}
    refuse_clashes(files)
    ledger = _ledger(request)
    mine = share(cases, request.shard)
    plan = plan_cohort(
        mine,
        ledger,
        settings,
        outputs=lambda case: files[case].paths,
        existing=request.existing,
    )
    todo = _from_turn(plan.todo, request.turn)
    shared = others if todo and request.work == "predict" else None
    predictor = None if shared else _open_for(todo, request, weights, opened)
    if request.key_file is not None and request.work == "predict":
        write_key_file(request.key_file, mine)
    with listen(len(mine) + len(refused)) as listener:
        run = Cohort(
            settings=settings,
            ledger=ledger,
            files=files,
            listener=listener,
            refused=refused,
            left_out=found.left_out,
            work=request.work,
            existing=request.existing,
            remarks=Remarks(listener.warning),
        )
        _report_first(run, (identifying_line(search.name_by), *found.told), plan.done)
        if shared is not None:
            todo = predict_elsewhere(run, todo, shared)
            predictor = _open_for(todo, request, weights, opened)
        if predictor is not None:
            run.predict(_steps(request, predictor, run), todo)
        if run.reported and settings.provenance.trained_on == "phantoms":
            listener.warning(f"these weights are for {settings.provenance.caution}")
        run.close()
    if not run.failed:
        return ExitCode.DONE
    return ExitCode.SOME_CASES_FAILED if run.reported else ExitCode.DATA


def _report_first(run: Cohort, lines: Iterable[str | None], done: list[CohortCase]) -> None:
    for line in filter(None, lines):
        run.listener.warning(line)
    run.report_refused()
    run.report_done(done)


def _from_turn(cases: list[CohortCase], turn: tuple[int, int]) -> list[CohortCase]:
    """Cases in another order, so that processes that share them do not meet at every case."""
    begin = len(cases) * (turn[0] - 1) // turn[1]
    return cases[begin:] + cases[:begin]


def _find(request: Request, search: Search, opened: OpenedConfigs) -> Found:
    """The cases: of a manifest, of files named for each channel, or behind the inputs.

    The configs are merged, for which MONAI is imported, only where several channels need it.
    """
    channels = bundle_channels(request.bundle)
    several = len(channels) > 1 and not are_colours(tuple(one.name for one in channels))
    if request.listed is not None:
        return find_listed(request.listed, channels, search)
    if request.channels:
        if not several or is_foreign(opened.merged):
            what = "takes images of one channel"
            raise UsageError(f"--channel: {request.bundle.name} {what}; give the file alone")
        return find_channels(request.channels, channels, search, str(request.bundle))
    if several and not is_foreign(opened.merged):
        return find_in_folders(request.inputs, channels, search, str(request.bundle))
    return find_cases(request.inputs, search)


def _ledger(request: Request) -> Ledger:
    _check_output(request.output)
    ledger = Ledger(request.output)
    if request.existing == "refuse":
        refuse_foreign_tables(request.output, ledger)
    return ledger


def _check_output(output: Path) -> None:
    """Refuse an output that cannot become a folder: one line now, not one for each case later."""
    for place in (output, *output.parents):
        if place.is_dir():
            return
        if place.exists() or place.is_symlink():
            what = "a link to nothing" if place.is_symlink() else "a file"
            raise UsageError(f"-o {output}: {place} is {what}, not a folder; give another folder")


def _search(request: Request) -> Search:
    if request.key_file is not None:
        check_key_file(request.key_file, request.output)
    return Search(
        modality=modality_of(request.bundle),
        series_uid=request.series_uid,
        which=request.which,
        name_by=read_name_words(request.name_by),
        persons="left" if request.key_file is None else "kept",
    )


def _open_for(
    todo: list[CohortCase], request: Request, weights: Path, opened: OpenedConfigs
) -> "Predictor | None":
    with collector_paused():
        return _open(request, weights, opened) if todo else None


def _open(request: Request, weights: Path, opened: OpenedConfigs) -> "Predictor":
    if request.process == "own":
        import_monai_for(opened.texts[0], request.overrides)
    if is_foreign(opened.merged):
        return _open_foreign(request, weights, opened)
    from medseg.bundles.predictor import open_predictor

    chosen = {"engine": request.engine, "precision": request.precision}
    predictor = open_predictor(
        request.bundle,
        weights=weights,
        pairs=request.overrides,
        overrides={key: word for key, word in chosen.items() if word is not None},
        mirror_axes=request.mirror,
    )
    if request.maps:
        predictor.require_maps()
    return predictor


def _open_foreign(request: Request, weights: Path, opened: OpenedConfigs) -> "Predictor":
    options = {
        "--engine": request.engine,
        "--precision": request.precision,
        "--mirror": request.mirror or None,
        "--maps": request.maps or None,
    }
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise UsageError(
            f"{given[0]}: {request.bundle} is a bundle of another maker, and runs by its own "
            f"parts; remove {given[0]}"
        )
    from medseg.bundles.foreign.adapter import open_foreign

    return open_foreign(opened, weights, request.overrides)


def _steps(request: Request, predictor: "Predictor", run: Cohort) -> "CaseSteps":
    from medseg.prediction.steps import CaseSteps

    return CaseSteps(
        predictor=predictor,
        settings=run.settings,
        expected=expected_of(request.bundle, predictor.window, predictor.provenance.images),
        remarkable=request.remarkable,
        ledger=run.ledger,
        table=RunningTable(run.ledger),
        files=run.files.__getitem__,
        tilt=request.tilt,
        gaps=request.gaps,
        output=request.output,
        announce=run.announce,
    )
