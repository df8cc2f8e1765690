"""Training: what a bundle's trainer needs beyond MONAI and ignite."""

from medseg.training.best_weights import BestWeights, require_free
from medseg.training.epoch_table import EpochTable
from medseg.training.progress import ProgressBar
from medseg.training.rate import PolynomialRate

__all__ = ["BestWeights", "EpochTable", "PolynomialRate", "ProgressBar", "require_free"]
