"""Inference: from a volume to a label in its grid."""

from medseg.inference.autocast import AutocastInferer, fast_precision
from medseg.inference.save import SaveLabeld

__all__ = ["AutocastInferer", "SaveLabeld", "fast_precision"]
