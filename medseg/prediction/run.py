"""Prediction run: a request's cases from its inputs to an exit code.

torch and MONAI take seconds to import, and are imported only if there is a case to predict: a run
with nothing left to do, or with wrong options, needs neither.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import medseg
from medseg._checks import first_few
from medseg._quiet import quiet_libraries
from medseg.bundles.configs import config_paths
from medseg.bundles.monai_import import collector_paused, import_monai_for
from medseg.data.problems import Problem, by_problem
from medseg.errors import (
    DataError,
    ExitCode,
    MachineError,
    MedsegError,
    UsageError,
    is_out_of_memory,
    user_error,
)
from medseg.prediction.cases import CohortCase, Refused, find_cases, share
from medseg.prediction.ledger import Entry, Ledger
from medseg.prediction.listener import Listener
from medseg.prediction.outputs import CaseFiles, case_files, read_formats, refuse_clashes
from medseg.prediction.pipeline import Outcome, Stages, run_pipeline
from medseg.prediction.plan import Settings, plan_cohort, read_settings
from medseg.prediction.request import (
    Bugs,
    Request,
    Work,
    expected_of,
    modality_of,
    options_of,
)
from medseg.prediction.tables import (
    RunningTable,
    refuse_foreign_tables,
    volumes_line,
    write_summary,
    write_volumes,
)

if TYPE_CHECKING:
    from medseg.bundles.predictor import Predictor
    from medseg.prediction.steps import CaseSteps, Labelled, Ready

__all__ = ["run_prediction"]


def run_prediction(
    request: Request, listen: Callable[[int], AbstractContextManager[Listener]]
) -> ExitCode:
    """Predict, or only forecast, all cases of a request.

    Args:
        request: The options.
        listen: Opens the listener that reports progress, given the number of cases.

    Raises:
        MedsegError: For an error that stops all cases, in one line.
    """
    formats = read_formats(request.formats, request.maps)
    weights = request.weights or request.bundle / "models" / "model.safetensors"
    settings = read_settings(
        request.bundle, weights, options_of(request), version=medseg.__version__
    )
    cases, refused = find_cases(
        request.inputs, modality=modality_of(request.bundle), series_uid=request.series_uid
    )
    files = {case: case_files(request.output, case, formats) for case in cases}
    refuse_clashes(files)
    ledger = Ledger(request.output)
    if request.existing == "refuse":
        refuse_foreign_tables(request.output, ledger)
    mine = share(cases, request.shard)
    plan = plan_cohort(
        mine,
        ledger,
        settings,
        outputs=lambda case: files[case].paths,
        existing=request.existing,
    )
    with collector_paused():
        predictor = _open(request, weights) if plan.todo else None
    with listen(len(mine) + len(refused)) as listener:
        run = _Run(
            settings=settings,
            ledger=ledger,
            files=files,
            listener=listener,
            refused=refused,
            work=request.work,
            bugs=request.bugs,
        )
        run.report_refused()
        run.report_done(plan.done)
        if predictor is not None:
            run.predict(_steps(request, predictor, run), plan.todo)
        run.close()
    if not run.failed:
        return ExitCode.DONE
    return ExitCode.SOME_CASES_FAILED if run.reported else ExitCode.DATA


@dataclass(frozen=True, kw_only=True, eq=False)
class _Run:
    """State of a run: what has been done and reported so far."""

    settings: Settings
    ledger: Ledger
    files: Mapping[CohortCase, CaseFiles]
    listener: Listener
    refused: Sequence[Refused]
    work: Work
    bugs: Bugs
    failed: list[Refused] = field(default_factory=list[Refused])
    reported: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    lost: list[Entry] = field(default_factory=list[Entry])
    warned: dict[str, tuple[Problem, ...]] = field(default_factory=dict[str, tuple[Problem, ...]])

    def report_refused(self) -> None:
        """Report the inputs in which no case was found."""
        for one in self.refused:
            self.listener.failure(one.error)
            self.failed.append(one)

    def report_done(self, done: Iterable[CohortCase]) -> None:
        for case in done:
            self.listener.result(self.files[case], "done already")
            self._report(case, status="skipped")

    def predict(self, steps: "CaseSteps", todo: list[CohortCase]) -> None:
        with quiet_libraries():
            try:
                if self.work == "forecast":
                    stages = Stages(read=steps.read, predict=_as_it_is, write=self._forecast)
                    self._collect(run_pipeline(todo, stages))
                else:
                    write = self._writing(steps)
                    full = Stages(read=steps.read, predict=steps.predict, write=write)
                    self._collect(run_pipeline(todo, full))
            except BaseException:
                self._keep_volumes()
                raise

    def _collect(self, outcomes: Generator[Outcome[CohortCase, None]]) -> None:
        with closing(outcomes):
            for outcome in outcomes:
                if outcome.error is not None:
                    self._fail(outcome.case, outcome.error, outcome.stage)

    def _keep_volumes(self) -> None:
        """After an error that stops all, write what was done into the table, if the disk allows."""
        with suppress(MedsegError, OSError):
            if self.work == "predict" and self.ledger.exists():
                write_volumes(self.ledger)

    def close(self) -> None:
        """Write the folder's tables, if this run or an earlier one has written outputs there."""
        if self.work == "predict" and self.ledger.exists():
            for entry in self.lost:
                before = self.ledger.find(entry.name)
                # The outputs of an earlier run are still there, and stay in the tables.
                if before is None or before.status != "done":
                    self.ledger.enter(entry)
            write_volumes(self.ledger)
            write_summary(self.ledger, self.settings, self.refused)
        self._repeat_warnings()
        in_order = (self.reported.get(case.name) for case in self.files)
        self.listener.finish([report for report in in_order if report], self.failed)

    def _writing(self, steps: "CaseSteps") -> "Callable[[Labelled], None]":
        def write(labelled: "Labelled") -> None:
            entry = steps.write(labelled)
            self.listener.result(self.files[labelled.case], volumes_line(entry))
            told = {"warnings": list(entry.warnings)} if entry.warnings else {}
            self._report(labelled.case, status="done", volumes=dict(entry.columns), **told)

        return write

    def announce(self, ready: "Ready") -> None:
        """Report what is remarkable about a case and its forecast, before it is predicted."""
        self._warn(ready)
        if ready.forecast is not None:
            self.listener.forecast(ready.case.name, ready.forecast.describe())

    def _warn(self, ready: "Ready") -> None:
        """Tell of each problem once, at its first case."""
        told = set(by_problem(self.warned))
        for problem in ready.warnings:
            if problem not in told:
                self.listener.warning(f"{ready.case.name}: {problem.text}")
        self.warned[ready.case.name] = ready.warnings

    def _repeat_warnings(self) -> None:
        """Say at the end which other cases have a problem that was told of one."""
        for problem, names in by_problem(self.warned).items():
            if len(names) > 1:
                which = f"{len(names)} cases ({first_few(names)})"
                self.listener.warning(f"{which}: {problem.text}")

    def _forecast(self, ready: "Ready") -> None:
        self._warn(ready)
        forecast = ready.forecast
        text = "not forecast" if forecast is None else forecast.describe()
        self.listener.result(self.files[ready.case], text)
        values: dict[str, Any] = {} if forecast is None else {"forecast": vars(forecast)}
        if ready.warnings:
            values["warnings"] = [problem.text for problem in ready.warnings]
        self._report(ready.case, status="planned", **values)

    def _report(self, case: CohortCase, **more: Any) -> None:
        of_case = self.files[case]
        labels = {"label": of_case.label, **of_case.dicom}
        paths = {name: str(path) for name, path in labels.items() if path is not None}
        overlay = str(of_case.overlay)
        self.reported[case.name] = {"image": case.shown, **paths, "overlay": overlay, **more}

    def _fail(self, case: CohortCase, error: Exception, stage: str) -> None:
        if _stops_all(error, stage) or (self.bugs == "raised" and user_error(error) is None):
            raise error
        line = _line(case, error)
        self.listener.failure(line)
        self.failed.append(Refused(case.shown, line))
        self.lost.append(
            Entry(
                name=case.name,
                key="",
                status="failed",
                settings=self.settings.digest,
                source=case.recorded,
                error=line.replace(str(case.path), case.recorded),
            )
        )


def _as_it_is(ready: "Ready") -> "Ready":
    return ready


def _open(request: Request, weights: Path) -> "Predictor":
    if request.process == "own":
        import_monai_for(config_paths(request.bundle, ["inference"])[0], request.overrides)
    from medseg.bundles.predictor import open_predictor

    chosen = {"engine": request.engine, "precision": request.precision}
    return open_predictor(
        request.bundle,
        weights=weights,
        pairs=request.overrides,
        overrides={key: word for key, word in chosen.items() if word is not None},
        mirror_axes=request.mirror,
    )


def _steps(request: Request, predictor: "Predictor", run: _Run) -> "CaseSteps":
    from medseg.prediction.steps import CaseSteps

    return CaseSteps(
        predictor=predictor,
        settings=run.settings,
        expected=expected_of(request.bundle, predictor.window),
        ledger=run.ledger,
        table=RunningTable(run.ledger),
        files=run.files.__getitem__,
        tilt=request.tilt,
        gaps=request.gaps,
        output=request.output,
        announce=run.announce,
    )


def _stops_all(error: Exception, stage: str) -> bool:
    """Whether the next case would fail as well: a full disk, an engine that is missing."""
    if isinstance(error, DataError):
        return False
    if stage == "write":
        return True
    if isinstance(error, MachineError):
        return error.__cause__ is None or not is_out_of_memory(error.__cause__)
    return isinstance(error, UsageError)


def _line(case: CohortCase, error: Exception) -> str:
    users = user_error(error)
    if users is None:
        # A bug, whose text may quote anything; the other cases continue.
        return (
            f"{case.shown}: unexpected {type(error).__name__}; use medseg --debug predict to see "
            "the traceback"
        )
    text = str(users)
    return text if case.shown in text else f"{case.shown}: {text}"
