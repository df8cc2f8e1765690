"""Inference: sliding windows, engines, and labels in the grid of the source image."""

from typing import TYPE_CHECKING

from medseg._lazy import attach

if TYPE_CHECKING:
    from medseg.inference.autocast import AutocastInferer, fast_precision
    from medseg.inference.cells import NumberCellsd, number_cells
    from medseg.inference.engines.check import agreeing_engine, label_agreement
    from medseg.inference.engines.inferer import EngineInferer
    from medseg.inference.engines.open_engine import Engine, open_engine
    from medseg.inference.engines.verdict import Agreement
    from medseg.inference.kept_parts import KeepPartsd, keep_parts
    from medseg.inference.maps import VoxelMaps
    from medseg.inference.save import SaveLabeld, save_label, save_map
    from medseg.inference.skip import AroundLungs, ConstantWindows, OutsideBody
    from medseg.inference.sliding_labels import SlidingWindowLabels

__all__ = [
    "Agreement",
    "AroundLungs",
    "AutocastInferer",
    "ConstantWindows",
    "Engine",
    "EngineInferer",
    "KeepPartsd",
    "NumberCellsd",
    "OutsideBody",
    "SaveLabeld",
    "SlidingWindowLabels",
    "VoxelMaps",
    "agreeing_engine",
    "fast_precision",
    "keep_parts",
    "label_agreement",
    "number_cells",
    "open_engine",
    "save_label",
    "save_map",
]

__getattr__, __dir__ = attach(__name__)
