"""Prediction run: a request's cases from its inputs to an exit code.

What takes seconds to import (torch, MONAI) is imported once there is a case to predict: a run that
finds all done, or refuses its options, needs none of it.
"""

import hashlib
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import medseg
from medseg._quiet import quiet_libraries
from medseg.bundles.configs import config_paths
from medseg.bundles.metadata import load_metadata
from medseg.bundles.monai_import import collector_paused, import_monai_for
from medseg.data.dicom.allowances import Gaps, Tilt
from medseg.data.digest import file_sha256
from medseg.data.source import Source
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

__all__ = ["Request", "run_prediction"]

Work = Literal["predict", "forecast"]
Bugs = Literal["told", "raised"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """The options, each as its word.

    `process` is `own` where the process does nothing else: then MONAI is imported for a prediction
    alone, see `medseg.bundles.monai_import`.
    """

    bundle: Path
    inputs: tuple[Source, ...]
    output: Path
    weights: Path | None
    pairs: tuple[str, ...]
    existing: Literal["refuse", "replace"]
    work: Work
    bugs: Bugs
    series_uid: str | None
    tilt: Tilt
    gaps: Gaps
    engine: str | None
    precision: str | None
    formats: tuple[str, ...]
    maps: tuple[str, ...]
    mirror: tuple[int, ...]
    shard: tuple[int, int]
    process: Literal["own", "shared"]


def run_prediction(
    request: Request, listen: Callable[[int], AbstractContextManager[Listener]]
) -> ExitCode:
    """Predict, or only forecast, all cases of a request.

    Args:
        request: What is wanted.
        listen: Opens whoever is told, for so many cases.

    Raises:
        MedsegError: What no case can go on with, in one line.
    """
    formats = read_formats(request.formats, request.maps)
    weights = request.weights or request.bundle / "models" / "model.safetensors"
    settings = read_settings(request.bundle, weights, _options(request), version=medseg.__version__)
    cases, refused = find_cases(
        request.inputs, modality=_modality(request.bundle), series_uid=request.series_uid
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
        run.refuse()
        run.skip(plan.done)
        if predictor is not None:
            run.predict(_steps(request, predictor, run), plan.todo)
        run.close()
    if not run.failed:
        return ExitCode.DONE
    return ExitCode.SOME_CASES_FAILED if run.told else ExitCode.DATA


@dataclass(frozen=True, kw_only=True, eq=False)
class _Run:
    """What has been done and told so far."""

    settings: Settings
    ledger: Ledger
    files: Mapping[CohortCase, CaseFiles]
    listener: Listener
    refused: Sequence[Refused]
    work: Work
    bugs: Bugs
    failed: list[Refused] = field(default_factory=list[Refused])
    told: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    lost: list[Entry] = field(default_factory=list[Entry])

    def refuse(self) -> None:
        """Tell the inputs that no case was found in."""
        for one in self.refused:
            self.listener.failure(one.error)
            self.failed.append(one)

    def skip(self, done: Iterable[CohortCase]) -> None:
        for case in done:
            self.listener.result(self.files[case], "done already")
            self._tell(case, status="skipped")

    def predict(self, steps: "CaseSteps", todo: list[CohortCase]) -> None:
        with quiet_libraries():
            try:
                if self.work == "forecast":
                    stages = Stages(read=steps.read, predict=_as_it_is, write=self._forecast)
                    self._judge(run_pipeline(todo, stages))
                else:
                    write = self._writing(steps)
                    wanted = Stages(read=steps.read, predict=steps.predict, write=write)
                    self._judge(run_pipeline(todo, wanted))
            except BaseException:
                self._keep_volumes()
                raise

    def _judge(self, outcomes: Generator[Outcome[CohortCase, None]]) -> None:
        with closing(outcomes):
            for outcome in outcomes:
                if outcome.error is not None:
                    self._fail(outcome.case, outcome.error, outcome.stage)

    def _keep_volumes(self) -> None:
        """What was done before all stopped stands in the table, if the disk can still take it."""
        with suppress(MedsegError, OSError):
            if self.work == "predict" and self.ledger.exists():
                write_volumes(self.ledger)

    def close(self) -> None:
        """The folder's tables, where this run or an earlier one made anything in it."""
        if self.work == "predict" and self.ledger.exists():
            for entry in self.lost:
                before = self.ledger.find(entry.name)
                # What was done before is still there, and stays told.
                if before is None or before.status != "done":
                    self.ledger.enter(entry)
            write_volumes(self.ledger)
            write_summary(self.ledger, self.settings, self.refused)
        order = {case.name: self.told.get(case.name) for case in self.files}
        self.listener.finish([told for told in order.values() if told], self.failed)

    def _writing(self, steps: "CaseSteps") -> "Callable[[Labelled], None]":
        def write(made: "Labelled") -> None:
            entry = steps.write(made)
            self.listener.result(self.files[made.case], volumes_line(entry))
            self._tell(made.case, status="done", volumes=dict(entry.columns))

        return write

    def announce(self, ready: "Ready") -> None:
        """Tell what a case will take, before it is predicted."""
        if ready.forecast is not None:
            self.listener.forecast(ready.case.name, ready.forecast.describe())

    def _forecast(self, ready: "Ready") -> None:
        known = ready.forecast
        self.listener.result(self.files[ready.case], known.describe() if known else "not forecast")
        forecast = {} if known is None else {"forecast": vars(known)}
        self._tell(ready.case, status="planned", **forecast)

    def _tell(self, case: CohortCase, **more: Any) -> None:
        of_case = self.files[case]
        labels = {"label": of_case.label, **of_case.dicom}
        paths = {name: str(path) for name, path in labels.items() if path is not None}
        overlay = str(of_case.overlay)
        self.told[case.name] = {"image": case.shown, **paths, "overlay": overlay, **more}

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
        import_monai_for(config_paths(request.bundle, ["inference"])[0], request.pairs)
    from medseg.bundles.predictor import open_predictor

    chosen = {"engine": request.engine, "precision": request.precision}
    return open_predictor(
        request.bundle,
        weights=weights,
        pairs=request.pairs,
        overrides={key: word for key, word in chosen.items() if word is not None},
        mirror_axes=request.mirror,
    )


def _steps(request: Request, predictor: "Predictor", run: _Run) -> "CaseSteps":
    from medseg.prediction.steps import CaseSteps

    return CaseSteps(
        predictor=predictor,
        settings=run.settings,
        ledger=run.ledger,
        table=RunningTable(run.ledger),
        files=run.files.__getitem__,
        tilt=request.tilt,
        gaps=request.gaps,
        output=request.output,
        announce=run.announce,
    )


def _modality(bundle: Path) -> str | None:
    """What DICOM series must be, where the bundle says so by DICOM's two letters."""
    wanted = load_metadata(bundle / "configs" / "metadata.json").network_data_format
    modality = wanted.inputs["image"].modality.upper()
    # MONAI's schema writes MR and MRI alike.
    modality = {"MRI": "MR", "PET": "PT"}.get(modality, modality)
    return modality if modality in ("CT", "MR", "PT", "US") else None


def _options(request: Request) -> dict[str, Any]:
    """What changes the outputs; values that are paths by their base names."""
    pairs = (pair.partition("=") for pair in request.pairs)
    return {
        "set": [f"{key}={_without_folder(value)}" for key, _, value in pairs],
        "engine": request.engine,
        "precision": request.precision,
        "tilt": request.tilt,
        "gaps": request.gaps,
        "format": sorted(request.formats),
        "maps": list(request.maps),
        "mirror": list(request.mirror),
    }


def _without_folder(value: str) -> str:
    """What may be a path by its last part, and by a digest of the file or of the text."""
    if "/" not in value:
        return value
    try:
        digest = file_sha256(Path(value))
    except OSError:  # no file, or no path at all, as `$1/2`
        digest = hashlib.sha256(value.encode()).hexdigest()
    return f"{Path(value).name} {digest[:12]}"


def _stops_all(error: Exception, stage: str) -> bool:
    """Whether the next case would fare no better: a full disk, an engine that is not there."""
    if isinstance(error, DataError):
        return False
    if stage == "write":
        return True
    if isinstance(error, MachineError):
        return error.__cause__ is None or not is_out_of_memory(error.__cause__)
    return isinstance(error, UsageError)


def _line(case: CohortCase, error: Exception) -> str:
    known = user_error(error)
    if known is None:
        # A bug, which may quote anything; the others go on all the same.
        return (
            f"{case.shown}: unexpected {type(error).__name__}; see it with medseg --debug predict"
        )
    text = str(known)
    return text if case.shown in text else f"{case.shown}: {text}"
