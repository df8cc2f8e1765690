"""MONAI bundles: configs, overrides and metadata; run, predict with and export a bundle."""

from typing import TYPE_CHECKING

from medseg._lazy import attach

if TYPE_CHECKING:
    from medseg.bundles.metadata import Metadata, load_metadata
    from medseg.bundles.one_line import explain_errors
    from medseg.bundles.onnx import OnnxExport, export_onnx
    from medseg.bundles.predictor import Predictor, open_predictor
    from medseg.bundles.provenance import training_provenance
    from medseg.bundles.recipe import build_steps, carry_along, find_recipe, read_recipe
    from medseg.bundles.root import find_bundle_root
    from medseg.bundles.run import run_bundle
    from medseg.bundles.sync import drifted_copies, sync_copies

__all__ = [
    "Metadata",
    "OnnxExport",
    "Predictor",
    "build_steps",
    "carry_along",
    "drifted_copies",
    "explain_errors",
    "export_onnx",
    "find_bundle_root",
    "find_recipe",
    "load_metadata",
    "open_predictor",
    "read_recipe",
    "run_bundle",
    "sync_copies",
    "training_provenance",
]

__getattr__, __dir__ = attach(__name__)
