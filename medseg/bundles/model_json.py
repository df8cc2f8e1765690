"""Pipeline of a bundle as JSON: what a program without medseg needs around the exported network.

Steps have their numbers resolved: nothing in it refers to a config, a weights file or Python.
What each word means stands in docs/how-to/model-json.md. A step that is not described there is
named by its component, and `complete` is then false.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from importlib.metadata import version
from typing import Any, cast

import numpy as np
from monai.transforms.intensity.dictionary import ScaleIntensityd, ScaleIntensityRanged
from monai.transforms.spatial.dictionary import Orientationd, Spacingd

from medseg.bundles.predictor import Predictor
from medseg.errors import UsageError
from medseg.inference.cells import NumberCellsd
from medseg.inference.engines.inferer import EngineInferer
from medseg.inference.kept_parts import KeepPartsd
from medseg.inference.sliding_labels import SlidingWindowLabels
from medseg.transforms.drop_slice_axis import DropSliceAxisd
from medseg.transforms.normalise_percentiles import ClipPercentilesd
from medseg.transforms.normalise_zscore import ZScored
from medseg.transforms.prediction_steps import image_steps

__all__ = ["FORMAT", "model_json"]

FORMAT = "medseg model 1"
# Of `medseg.inference.windows`: SD of the Gaussian in windows, and least weight.
_SIGMA, _LEAST_WEIGHT = 0.125, 1e-3


def model_json(predictor: Predictor, network: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a predictor's pipeline.

    Args:
        predictor: Of a bundle in medseg's form.
        network: What is said of the network's file.

    Raises:
        UsageError: If the bundle's inferer is not medseg's sliding window.
    """
    recipe = cast("Sequence[Any]", cast("Any", predictor.recipe).transforms)
    finish = cast("Sequence[Any]", cast("Any", predictor.finish).transforms)
    inferer = _sliding_window(predictor)
    steps = [_described(step) for step in image_steps(recipe)]
    after = [_described(step) for step in finish if not _does_nothing(step)]
    return {
        "format": FORMAT,
        "bundle": {
            "name": predictor.name,
            "version": predictor.version,
            "weights_sha256": predictor.provenance.tensors_sha256,
            "caution": predictor.provenance.caution,
            "medseg": version("medseg"),
        },
        "network": dict(network),
        "image": {
            "modality": predictor.modality,
            "channels": predictor.channels,
            "axes": predictor.axes,
        },
        "preprocessing": steps,
        "windows": _windows(inferer),
        "activation": "softmax",
        "label": {
            "gives": inferer.gives,
            "grid": inferer.grid,
            "interpolate": inferer.interpolate,
            "kind": predictor.label_kind,
            "classes": [each.model_dump(exclude_none=True) for each in predictor.labels],
        },
        "postprocessing": after,
        "complete": all(each["step"] != "other" for each in (*steps, *after)),
    }


def _sliding_window(predictor: Predictor) -> SlidingWindowLabels:
    inferer = predictor.inferer
    inner = inferer.inferer if isinstance(inferer, EngineInferer) else inferer
    if not isinstance(inner, SlidingWindowLabels):
        raise UsageError(
            f"{predictor.name}: its inferer is a {type(inner).__name__}; only "
            "medseg.inference.SlidingWindowLabels is described in JSON"
        )
    return inner


def _windows(inferer: SlidingWindowLabels) -> dict[str, Any]:
    gaussian = {"sigma": _SIGMA, "least_weight": _LEAST_WEIGHT}
    return {
        "size": list(inferer.window),
        "overlap": inferer.overlap,
        "blend": inferer.blend,
        **(gaussian if inferer.blend == "gaussian" else {}),
        "mirror_axes": list(inferer.mirror_axes),
        "skip": None if inferer.skip is None else _rule(inferer.skip),
    }


def _rule(rule: Any) -> dict[str, Any]:
    facts = asdict(rule) if is_dataclass(rule) and not isinstance(rule, type) else {}
    return {"rule": type(rule).__name__, **facts}


def _described(step: Any) -> dict[str, Any]:
    for kind, words in _KNOWN.items():
        if isinstance(step, kind):
            return words(step)
    return {"step": "other", "component": f"{type(step).__module__}.{type(step).__qualname__}"}


def _orientation(step: Any) -> dict[str, Any]:
    return {"step": "orientation", "axcodes": step.ornt_transform.axcodes}


def _spacing(step: Any) -> dict[str, Any]:
    spacing = step.spacing_transform
    words: dict[str, Any] = {
        "step": "spacing",
        "spacing_mm": [float(size) for size in np.ravel(spacing.pixdim)],
        "interpolation": str(step.mode[0]),
        "extent": "voxels" if step.scale_extent[0] else "centres",
    }
    if step.padding_mode[0] != "border" or words["interpolation"] != "bilinear":
        return {**words, "step": "other", "component": type(step).__name__}
    return words


def _scale_range(step: Any) -> dict[str, Any]:
    scaler = step.scaler
    return {
        "step": "scale_range",
        "from": [float(scaler.a_min), float(scaler.a_max)],
        "to": [float(scaler.b_min), float(scaler.b_max)],
        "clip": bool(scaler.clip),
    }


def _scale(step: Any) -> dict[str, Any]:
    return {"step": "scale", "to": [float(step.scaler.minv), float(step.scaler.maxv)]}


def _clip_percentiles(step: Any) -> dict[str, Any]:
    which = [float(each) for each in step.which]
    return {"step": "clip_percentiles", "which": which, "over": step.over}


def _z_score(step: Any) -> dict[str, Any]:
    return {"step": "z_score", "over": step.over}


def _drop_slice_axis(_: Any) -> dict[str, Any]:
    return {"step": "drop_slice_axis"}


def _does_nothing(step: Any) -> bool:
    return isinstance(step, KeepPartsd) and not step.rules


def _keep_parts(step: Any) -> dict[str, Any]:
    rules = {str(value): asdict(rule) for value, rule in step.rules.items()}
    return {"step": "keep_parts", "classes": rules}


def _number_cells(step: Any) -> dict[str, Any]:
    names = ("threshold", "waist_px", "least_px", "largest_hole_px")
    words = {name: float(getattr(step, name)) for name in names}
    return {"step": "other", "component": "medseg.inference.NumberCellsd", **words}


_KNOWN = {
    Orientationd: _orientation,
    Spacingd: _spacing,
    ScaleIntensityRanged: _scale_range,
    ScaleIntensityd: _scale,
    ClipPercentilesd: _clip_percentiles,
    ZScored: _z_score,
    DropSliceAxisd: _drop_slice_axis,
    KeepPartsd: _keep_parts,
    NumberCellsd: _number_cells,
}
