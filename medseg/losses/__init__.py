"""Losses: logits and a label in, a scalar out."""

from typing import TYPE_CHECKING

from medseg._lazy import attach

if TYPE_CHECKING:
    from medseg.losses.balanced_dice import BalancedDiceLoss
    from medseg.losses.bce import MultilabelBCELoss
    from medseg.losses.cross_entropy import CrossEntropyLoss
    from medseg.losses.deep_supervision import DeepSupervision
    from medseg.losses.jaccard import JaccardLoss
    from medseg.losses.mixed import MixedLoss
    from medseg.losses.multilabel import MultilabelDiceBCELoss
    from medseg.losses.pixel_weighted_ce import PixelWeightedCELoss
    from medseg.losses.soft_dice import SoftDiceLoss
    from medseg.losses.tversky_ce import TverskyCELoss

__all__ = [
    "BalancedDiceLoss",
    "CrossEntropyLoss",
    "DeepSupervision",
    "JaccardLoss",
    "MixedLoss",
    "MultilabelBCELoss",
    "MultilabelDiceBCELoss",
    "PixelWeightedCELoss",
    "SoftDiceLoss",
    "TverskyCELoss",
]

__getattr__, __dir__ = attach(__name__)
