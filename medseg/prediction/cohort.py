"""Cohort: the cases of a run, taken through the pipeline and reported.

Every case is claimed before it is read, see `medseg.prediction.claims`, and has one outcome: done,
done already, left to another process, or failed with its line.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from medseg._locks import HeldError
from medseg._quiet import quiet_libraries
from medseg._text import printable
from medseg.data.problems import Problem
from medseg.errors import DataError, MedsegError, UsageError
from medseg.prediction.cases import CohortCase, LeftOut, Refused
from medseg.prediction.claims import Claims
from medseg.prediction.failures import failure_line, stops_all
from medseg.prediction.ledger import Entry, Ledger
from medseg.prediction.listener import Listener
from medseg.prediction.outputs import CaseFiles
from medseg.prediction.pipeline import Outcome, Stages, run_pipeline
from medseg.prediction.plan import Existing, Settings, case_status
from medseg.prediction.remarks import Remarks
from medseg.prediction.request import Work
from medseg.prediction.tables import volumes_line, write_summary, write_volumes

if TYPE_CHECKING:
    from medseg.prediction.steps import CaseSteps, Labelled, Ready

__all__ = ["Cohort"]


class _DoneMeanwhile(Exception):  # noqa: N818 - no error: another process did the case
    """Ends a case in its first stage."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Cohort:
    """The cases of a run: what has been done and reported so far.

    Attributes:
        settings: Settings of the run.
        ledger: Ledger of the output folder.
        files: Output files of each case, of other shares too.
        listener: Told of results and failures.
        refused: Inputs in which no case was found.
        left_out: What was left out of inputs, by reason.
        work: Predict, or only forecast.
        existing: Whether files that the ledger does not account for are refused or replaced.
        remarks: Told of what is remarkable about an image.
    """

    settings: Settings
    ledger: Ledger
    files: Mapping[CohortCase, CaseFiles]
    listener: Listener
    refused: Sequence[Refused]
    left_out: Sequence[LeftOut]
    work: Work
    existing: Existing
    remarks: Remarks
    failed: list[Refused] = field(default_factory=list[Refused])
    reported: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    lost: list[Entry] = field(default_factory=list[Entry])
    held: list[tuple[CohortCase, HeldError]] = field(
        default_factory=list[tuple[CohortCase, HeldError]]
    )

    def report_refused(self) -> None:
        """Report the inputs in which no case was found."""
        for one in self.refused:
            self.listener.failure(one.error, one.cause)
            self.failed.append(one)

    def report_done(self, done: Iterable[CohortCase]) -> None:
        """Report cases that were done before."""
        for case in done:
            self.listener.result(self.files[case], "done already")
            self._report(case, status="skipped")

    def report_elsewhere(self, case: CohortCase, entry: Entry) -> None:
        """Report a case that another process has done for this run."""
        self.remarks.add_lines(case.name, entry.warnings)
        self.listener.result(self.files[case], volumes_line(entry))
        warnings = {"warnings": list(entry.warnings)} if entry.warnings else {}
        self._report(case, status="done", volumes=dict(entry.columns), **warnings)

    def predict(self, steps: "CaseSteps", todo: list[CohortCase]) -> None:
        """Take cases through the stages.

        Raises:
            MedsegError: For an error that would meet the next case as well; what is done is kept.
        """
        with quiet_libraries():
            if self.work == "forecast":
                stages = Stages(read=steps.read, predict=_as_it_is, write=self._forecast)
                self._collect(run_pipeline(todo, stages))
                return
            claims = Claims(self.ledger.path.parent)
            try:
                full = Stages(
                    read=self._reading(steps, claims),
                    predict=steps.predict,
                    write=self._writing(steps),
                )
                self._collect(run_pipeline(todo, full), claims)
            except BaseException:
                self.keep_tables()
                raise
            finally:
                claims.close()
            self._settle_held()

    def keep_tables(self) -> None:
        """Write into the tables what was done before an error that stops all, if possible."""
        with suppress(MedsegError, OSError):
            if self.ledger.exists():
                self._write_tables()

    def close(self) -> None:
        """Write the folder's tables, if this run or an earlier one has written outputs there."""
        if self.work == "predict" and self.ledger.exists():
            self._write_tables()
        self.remarks.close()
        in_order = (self.reported.get(case.name) for case in self.files)
        self.listener.finish([report for report in in_order if report], self.failed)

    def announce(self, ready: "Ready") -> None:
        """Report what is remarkable about a case and its forecast, before it is predicted."""
        self.remarks.add(ready.case.name, ready.warnings)
        if ready.forecast is not None:
            self.listener.forecast(ready.case.name, ready.forecast.describe())

    def _collect(
        self, outcomes: Generator[Outcome[CohortCase, None]], claims: Claims | None = None
    ) -> None:
        with closing(outcomes):
            for outcome in outcomes:
                if claims is not None:
                    claims.release(outcome.case.name)
                if isinstance(outcome.error, _DoneMeanwhile):
                    self.report_done([outcome.case])
                elif isinstance(outcome.error, HeldError):
                    self.held.append((outcome.case, outcome.error))
                elif outcome.error is not None:
                    self._fail(outcome.case, outcome.error, outcome.stage)

    def _reading(self, steps: "CaseSteps", claims: Claims) -> "Callable[[CohortCase], Ready]":
        def read(case: CohortCase) -> "Ready":
            claims.claim(case.name)
            # Another run may have done it since this one made its plan.
            if self._is_done(case):
                raise _DoneMeanwhile
            return steps.read(case)

        return read

    def _is_done(self, case: CohortCase) -> bool:
        entry = self.ledger.find(case.name)
        paths = self.files[case].paths
        try:
            status = case_status(case, entry, self.settings, paths, existing=self.existing)
        except UsageError as error:
            raise DataError(str(error)) from error
        return status == "done"

    def _writing(self, steps: "CaseSteps") -> "Callable[[Labelled], None]":
        def write(labelled: "Labelled") -> None:
            entry = steps.write(labelled)
            self.listener.result(self.files[labelled.case], volumes_line(entry))
            told = _warnings(labelled.warnings)
            self._report(labelled.case, status="done", volumes=dict(entry.columns), **told)

        return write

    def _forecast(self, ready: "Ready") -> None:
        self.remarks.add(ready.case.name, ready.warnings)
        forecast = ready.forecast
        text = "not forecast" if forecast is None else forecast.describe()
        self.listener.result(self.files[ready.case], text)
        values = {} if forecast is None else {"forecast": vars(forecast)}
        self._report(ready.case, status="planned", **values, **_warnings(ready.warnings))

    def _settle_held(self) -> None:
        """Report the cases that another process had claimed: done by now, or left to it."""
        for case, error in self.held:
            try:
                done = self._is_done(case)
            except MedsegError as failure:
                self._report_failure(case, failure)
                continue
            if done:
                self.report_done([case])
            else:
                self._report_failure(case, error)

    def _write_tables(self) -> None:
        for entry in self.lost:
            self.ledger.enter_failure(entry)
        write_volumes(self.ledger)
        write_summary(self.ledger, self.settings, self.refused, self.left_out)

    def _report(self, case: CohortCase, **more: Any) -> None:
        of_case = self.files[case]
        labels = {"label": of_case.label, **of_case.dicom}
        paths = {name: str(path) for name, path in labels.items() if path is not None}
        overlay = str(of_case.overlay)
        self.reported[case.name] = {"image": case.shown, **paths, "overlay": overlay, **more}

    def _report_failure(self, case: CohortCase, error: Exception) -> str:
        line = failure_line(case, error)
        self.listener.failure(line, error)
        self.failed.append(Refused(case.shown, line))
        return line

    def _fail(self, case: CohortCase, error: Exception, stage: str) -> None:
        # A copy: the thread that writes reports meanwhile.
        worked = any(one["status"] == "done" for one in list(self.reported.values()))
        if stops_all(error, stage, worked=worked):
            raise error
        line = self._report_failure(case, error)
        self.lost.append(
            Entry(
                name=case.name,
                key="",
                status="failed",
                settings=self.settings.digest,
                source=case.recorded,
                error=_without_paths(line, case),
            )
        )


def _without_paths(line: str, case: CohortCase) -> str:
    """An error without the folders of the case's files, for output files."""
    for source in case.sources:
        name = case.recorded if source == case.source else source.path.name
        line = line.replace(printable(str(source.path)), printable(name))
    return line


def _warnings(problems: Sequence[Problem]) -> dict[str, list[str]]:
    return {"warnings": [problem.text for problem in problems]} if problems else {}


def _as_it_is(ready: "Ready") -> "Ready":
    return ready
