"""Handlers of the training loop, in the order in which they have to run.

What `Control` switches off is not in the list.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from monai.handlers.lr_schedule_handler import LrScheduleHandler
from monai.handlers.tensorboard_handlers import TensorBoardStatsHandler
from monai.handlers.validation_handler import ValidationHandler

from medseg.training.agreed_scores import AgreedScores
from medseg.training.checkpoints import Checkpoints
from medseg.training.clip_gradients import ClipGradients
from medseg.training.control import Control
from medseg.training.early_stop import EarlyStop
from medseg.training.epoch_table import EpochTable
from medseg.training.ignite_engine import EngineLike
from medseg.training.max_time import MaxTime
from medseg.training.mlflow_run import MlflowRun
from medseg.training.parts import KEY_METRIC, TrainingParts
from medseg.training.progress import ProgressBar
from medseg.training.rate import RateSchedule
from medseg.training.restore_best import RestoreBest
from medseg.training.stop_file import StopFile
from medseg.training.stop_on_nan import StopOnNan
from medseg.training.summary import Summary, example_image
from medseg.training.time_left import TimeLeft

__all__ = ["training_handlers", "validation_handlers"]

# MONAI's engines call `attach(engine)` of each.
Handler = Any


def training_handlers(
    parts: TrainingParts,
    *,
    evaluator: Any,
    described: Mapping[str, Any],
    control: Control,
    more: Sequence[Handler] = (),
) -> list[Handler]:
    """Handlers of the trainer.

    Args:
        parts: Network, optimiser and what goes with them.
        evaluator: MONAI's, of the validation.
        described: What must be the same on resuming, apart from the control: loss, settings,
            preprocessing, augmentation; of lists of cases only the names count.
        control: Which handlers are switched on, and where files go.
        more: Additional handlers; they run after the validation and before the checkpoint.
    """
    time_left = TimeLeft(evaluator, control) if control.first_process else None
    left = None if time_left is None else time_left.seconds
    max_time = _max_time(evaluator, control, time_left)
    keeping = _keeping(parts, evaluator, described, control=control, max_time=max_time, left=left)
    return _without_none(
        # First, so that the average is up to date when other handlers read it.
        parts.average,
        StopOnNan(),
        ProgressBar("terminal" if control.first_process else "nowhere", left),
        _rate_schedule(parts, control, max_time),
        None if control.clip_gradients is None else ClipGradients(control.clip_gradients),
        ValidationHandler(control.epochs_between_validations, evaluator),
        max_time,
        StopFile(
            control.log_dir,
            evaluator,
            save=keeping.checkpoints.save,
            is_over=None if max_time.reserve is None else max_time.is_over,
        ),
        time_left,
        _restore_best(parts, control),
        _loss_scalars(control),
        *more,
        # Checkpoints after all whose state they save.
        keeping.early_stop,
        keeping.table,
        keeping.run,
        keeping.checkpoints,
        _summary(parts, evaluator, described, control=control, table=keeping.table),
    )


def validation_handlers(
    parts: TrainingParts, *, control: Control, pictures: Handler = None
) -> list[Handler]:
    """Handlers of the evaluator.

    Args:
        parts: Plateau scheduler and best weights.
        control: Which handlers are switched on, and where files go.
        pictures: Handler that draws a slice of each validation, e.g.
            `medseg.reports.ValidationSlice`; used only if `tensorboard` is `images`.
    """
    return _without_none(
        AgreedScores(),
        _plateau_steps(parts) if control.schedule == "plateau" else None,
        parts.best_weights,
        pictures if control.first_process and control.tensorboard == "images" else None,
        _score_scalars(control),
    )


@dataclass(frozen=True, kw_only=True)
class _Keeping:
    """The handlers that keep a record whose state a checkpoint holds, and the checkpoints."""

    early_stop: EarlyStop | None
    table: EpochTable | None
    run: MlflowRun | None
    checkpoints: Checkpoints


def _keeping(
    parts: TrainingParts,
    evaluator: Any,
    described: Mapping[str, Any],
    *,
    control: Control,
    max_time: MaxTime,
    left: Callable[[EngineLike], float | None] | None,
) -> _Keeping:
    early_stop = _early_stop(evaluator, control)
    table = _epoch_table(parts, evaluator, control, left)
    run = None if table is None or control.mlflow is None else _mlflow_run(table, control)
    checkpoints = Checkpoints(
        str(control.checkpoint_folder),
        parts={
            "network": parts.network,
            "average": parts.average,
            "optimizer": parts.optimizer,
            "lr_scheduler": parts.plateau,
            "best_weights": parts.best_weights,
            "epoch_table": table,
            "mlflow_run": run,
            "early_stop": early_stop,
            "max_time": max_time if control.schedule_over == "minutes" else None,
        },
        settings={
            **{name: _case_names(thing) for name, thing in described.items()},
            "optimizer": parts.optimizer,
            # By its digest, not its path, which may change.
            **({} if parts.started_from is None else {"init_weights": parts.started_from}),
            **control.resume_settings(),
        },
        start=control.start,
        beside=control.folders,
    )
    return _Keeping(early_stop=early_stop, table=table, run=run, checkpoints=checkpoints)


def _max_time(evaluator: Any, control: Control, time_left: TimeLeft | None) -> MaxTime:
    if control.schedule_over == "epochs":
        return MaxTime(evaluator, control.max_minutes)
    reserve = _nothing if time_left is None else time_left.validation_seconds
    return MaxTime(evaluator, control.max_minutes, reserve=reserve)


def _nothing() -> float:
    return 0.0


def _rate_schedule(parts: TrainingParts, control: Control, max_time: MaxTime) -> RateSchedule:
    return RateSchedule(
        parts.optimizer,
        control.learning_rate,
        schedule=control.schedule,
        warmup=control.warmup_share,
        used_share=max_time.used_share if control.schedule_over == "minutes" else None,
    )


def _summary(
    parts: TrainingParts,
    evaluator: Any,
    described: Mapping[str, Any],
    *,
    control: Control,
    table: EpochTable | None,
) -> Summary | None:
    if table is None:
        return None
    example = example_image(described.get("val_cases"))
    return Summary(parts, table=table, evaluator=evaluator, control=control, example=example)


def _case_names(thing: Any) -> Any:
    """Names of a list of cases, since their folder may change; anything else unchanged."""
    if not isinstance(thing, list):
        return thing
    items = cast("list[Any]", thing)
    return [item["case"] if isinstance(item, dict) else item for item in items]


def _restore_best(parts: TrainingParts, control: Control) -> RestoreBest | None:
    if control.final_weights == "last":
        return None
    return RestoreBest(parts.network, str(control.weights_path), start=control.start)


def _early_stop(evaluator: Any, control: Control) -> EarlyStop | None:
    if control.early_stop_patience is None:
        return None
    return EarlyStop(
        evaluator,
        metric=KEY_METRIC,
        patience=control.early_stop_patience,
        tolerance=control.early_stop_tolerance,
    )


def _epoch_table(
    parts: TrainingParts,
    evaluator: Any,
    control: Control,
    left: Callable[[EngineLike], float | None] | None,
) -> EpochTable | None:
    if not control.first_process:
        return None
    return EpochTable(
        str(control.log_dir / "metrics.csv"),
        optimizer=parts.optimizer,
        evaluator=evaluator,
        metrics=[KEY_METRIC, *parts.class_metrics],
        left=left,
    )


def _mlflow_run(table: EpochTable, control: Control) -> MlflowRun:
    return MlflowRun(table, str(control.mlflow), experiment=Path(control.experiment).name)


def _plateau_steps(parts: TrainingParts) -> LrScheduleHandler:
    return LrScheduleHandler(parts.plateau, print_lr=False, step_transform=_key_score)


def _loss_scalars(control: Control) -> TensorBoardStatsHandler | None:
    if not control.writes_scalars:
        return None
    return TensorBoardStatsHandler(
        log_dir=str(control.log_dir), tag_name="train_loss", output_transform=_loss
    )


def _score_scalars(control: Control) -> TensorBoardStatsHandler | None:
    if not control.writes_scalars:
        return None
    return TensorBoardStatsHandler(
        log_dir=str(control.log_dir), iteration_log=False, epoch_log=True
    )


def _key_score(engine: Any) -> float:
    return float(engine.state.metrics[KEY_METRIC])


def _loss(output: Any) -> float:
    return float(output["loss"].item())


def _without_none(*handlers: Handler | None) -> list[Handler]:
    return [handler for handler in handlers if handler is not None]
