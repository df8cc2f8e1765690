"""Training: what a bundle's trainer needs beyond MONAI and ignite."""

from medseg.training.best_weights import BestWeights, require_free
from medseg.training.epoch_table import EpochTable
from medseg.training.progress import ProgressBar
from medseg.training.rate import PolynomialRate
from medseg.training.weighted_batch import WeightedBatch, WeightedLabel, WeightedLoss

__all__ = [
    "BestWeights",
    "EpochTable",
    "PolynomialRate",
    "ProgressBar",
    "WeightedBatch",
    "WeightedLabel",
    "WeightedLoss",
    "require_free",
]
