"""Training: what a bundle's trainer needs beyond MONAI and ignite."""

from medseg.training.agreed_scores import AgreedScores
from medseg.training.best_weights import BestWeights
from medseg.training.checkpoints import Checkpoints
from medseg.training.clip_gradients import ClipGradients
from medseg.training.early_stop import EarlyStop
from medseg.training.epoch_table import EpochTable
from medseg.training.freed_memory import keep_freed_memory
from medseg.training.max_time import MaxTime
from medseg.training.mlflow_run import MlflowRun
from medseg.training.progress import ProgressBar
from medseg.training.rate import RateSchedule
from medseg.training.restore_best import RestoreBest
from medseg.training.start import require_start
from medseg.training.stop_on_nan import StopOnNan
from medseg.training.weight_average import WeightAverage
from medseg.training.weighted_batch import WeightedBatch, WeightedLabel, WeightedLoss

__all__ = [
    "AgreedScores",
    "BestWeights",
    "Checkpoints",
    "ClipGradients",
    "EarlyStop",
    "EpochTable",
    "MaxTime",
    "MlflowRun",
    "ProgressBar",
    "RateSchedule",
    "RestoreBest",
    "StopOnNan",
    "WeightAverage",
    "WeightedBatch",
    "WeightedLabel",
    "WeightedLoss",
    "keep_freed_memory",
    "require_start",
]
