"""Training: the loop's control, its handlers and MONAI's engines built from them."""

from typing import TYPE_CHECKING

from medseg._lazy import attach

if TYPE_CHECKING:
    from medseg.training.agreed_scores import AgreedScores
    from medseg.training.best_weights import BestWeights
    from medseg.training.checkpoints import Checkpoints
    from medseg.training.clip_gradients import ClipGradients
    from medseg.training.control import Control
    from medseg.training.datasets import training_dataset, validation_dataset
    from medseg.training.early_stop import EarlyStop
    from medseg.training.epoch_table import EpochTable
    from medseg.training.freed_memory import keep_freed_memory
    from medseg.training.handlers import training_handlers, validation_handlers
    from medseg.training.max_time import MaxTime
    from medseg.training.mlflow_run import MlflowRun
    from medseg.training.parts import TrainingParts, training_parts
    from medseg.training.processes import join_processes, leave_processes, process_device
    from medseg.training.progress import ProgressBar
    from medseg.training.rate import RateSchedule
    from medseg.training.restore_best import RestoreBest
    from medseg.training.start import require_start
    from medseg.training.stop_on_nan import StopOnNan
    from medseg.training.trainer import (
        prepare_training,
        supervised_evaluator,
        supervised_trainer,
        training_loader,
    )
    from medseg.training.weight_average import WeightAverage
    from medseg.training.weighted_batch import WeightedBatch, WeightedLabel, WeightedLoss

__all__ = [
    "AgreedScores",
    "BestWeights",
    "Checkpoints",
    "ClipGradients",
    "Control",
    "EarlyStop",
    "EpochTable",
    "MaxTime",
    "MlflowRun",
    "ProgressBar",
    "RateSchedule",
    "RestoreBest",
    "StopOnNan",
    "TrainingParts",
    "WeightAverage",
    "WeightedBatch",
    "WeightedLabel",
    "WeightedLoss",
    "join_processes",
    "keep_freed_memory",
    "leave_processes",
    "prepare_training",
    "process_device",
    "require_start",
    "supervised_evaluator",
    "supervised_trainer",
    "training_dataset",
    "training_handlers",
    "training_loader",
    "training_parts",
    "validation_dataset",
    "validation_handlers",
]

__getattr__, __dir__ = attach(__name__)
