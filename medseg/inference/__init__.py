"""Inference: from a volume to a label in its grid."""

from medseg.inference.autocast import AutocastInferer, fast_precision
from medseg.inference.save import SaveLabeld
from medseg.inference.skip import ConstantWindows, OutsideBody
from medseg.inference.sliding_labels import SlidingWindowLabels

__all__ = [
    "AutocastInferer",
    "ConstantWindows",
    "OutsideBody",
    "SaveLabeld",
    "SlidingWindowLabels",
    "fast_precision",
]
