"""Training: what a bundle's trainer needs beyond MONAI and ignite."""

from medseg.training.best_weights import BestWeights, require_free
from medseg.training.checkpoints import Checkpoints
from medseg.training.early_stop import EarlyStop
from medseg.training.epoch_table import EpochTable
from medseg.training.max_time import MaxTime
from medseg.training.progress import ProgressBar
from medseg.training.rate import PolynomialRate
from medseg.training.start import require_start
from medseg.training.stop_on_nan import StopOnNan
from medseg.training.stopped import TrainingStoppedError
from medseg.training.weighted_batch import WeightedBatch, WeightedLabel, WeightedLoss

__all__ = [
    "BestWeights",
    "Checkpoints",
    "EarlyStop",
    "EpochTable",
    "MaxTime",
    "PolynomialRate",
    "ProgressBar",
    "StopOnNan",
    "TrainingStoppedError",
    "WeightedBatch",
    "WeightedLabel",
    "WeightedLoss",
    "require_free",
    "require_start",
]
