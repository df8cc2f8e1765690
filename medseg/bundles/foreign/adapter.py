"""Adapter of foreign bundles: `inference.json` in the form of MONAI's model zoo, to a predictor.

Built are network, preprocessing, inferer and postprocessing, each by its key. The rest of the
config, which loads lists, evaluators and checkpoints, is never built.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from monai.bundle.config_parser import ConfigParser
from monai.data.meta_tensor import MetaTensor
from monai.inferers.inferer import Inferer
from monai.transforms.compose import Compose
from monai.transforms.io.dictionary import LoadImaged
from monai.transforms.utility.dictionary import EnsureChannelFirstd
from torch import nn

from medseg._quiet import quiet_libraries
from medseg.bundles.class_labels import described_labels
from medseg.bundles.complaints import config_errors
from medseg.bundles.foreign.fit import importable, require_fit
from medseg.bundles.foreign.labels import ForeignLabels
from medseg.bundles.foreign.metadata import described_bundle
from medseg.bundles.metadata import Metadata
from medseg.bundles.opened import OpenedConfigs
from medseg.bundles.overrides import parse_overrides
from medseg.bundles.predictor import Predictor
from medseg.errors import UsageError
from medseg.networks.placement import default_device
from medseg.networks.provenance import read_provenance
from medseg.networks.weights import load_weights

__all__ = ["open_foreign"]

Recipe = Callable[[dict[str, MetaTensor]], Any]


def open_foreign(opened: OpenedConfigs, weights: Path, pairs: Sequence[str] = ()) -> Predictor:
    """Open a bundle of another maker.

    Args:
        opened: Its inference config, let in by the door.
        weights: A `.safetensors` file.
        pairs: `KEY=VALUE` texts from the user, of keys of its config.

    Raises:
        UsageError: For the first thing that is missing, or a part that cannot be built.
        DataError: For metadata or weights that do not fit.
    """
    bundle = opened.judged.path
    require_fit(opened)
    metadata = described_bundle(bundle)
    config = importable(opened.changed(parse_overrides(pairs, opened.merged)))
    with config_errors(), quiet_libraries():
        parser = cast("Any", ConfigParser(config))
        device = torch.device(
            parser.get_parsed_content("device") if "device" in config else default_device()
        )
        network = parser.get_parsed_content("network_def")
        preprocessing = parser.get_parsed_content("preprocessing")
        inferer = parser.get_parsed_content("inferer")
        postprocessing = parser.get_parsed_content("postprocessing")
    _check_kinds(bundle, {"network_def": network, "inferer": inferer})
    load_weights(network, weights)
    image_key, recipe = _recipe(bundle, preprocessing)
    return _predictor(
        metadata,
        weights,
        recipe,
        ForeignLabels(
            inferer,
            _steps(bundle, "postprocessing", postprocessing),
            image_key=image_key,
            classes=metadata.network_data_format.outputs["pred"].num_channels,
        ),
        network.to(device).eval(),
        device,
    )


def _predictor(
    metadata: Metadata,
    weights: Path,
    recipe: Recipe,
    inferer: ForeignLabels,
    network: nn.Module,
    device: torch.device,
) -> Predictor:
    formats = metadata.network_data_format
    image, names = formats.inputs["image"], formats.outputs["pred"].channel_def
    return Predictor(
        name=metadata.name,
        version=metadata.version,
        labels=described_labels(None, [names[str(n)] for n in range(len(names))]),
        modality=image.modality,
        body_part=None,
        window=None,
        part_of={},
        channels=image.num_channels,
        axes=len(image.spatial_shape),
        label_kind="classes",
        loaded_as=np.float32,
        recipe=recipe,
        finish=Compose([]),
        inferer=inferer,
        network=network,
        device=device,
        provenance=read_provenance(weights),
    )


def _check_kinds(bundle: Path, parts: Mapping[str, Any]) -> None:
    for (name, part), kind in zip(parts.items(), (nn.Module, Inferer), strict=True):
        if not isinstance(part, kind):
            raise UsageError(
                f"{bundle}: its {name} is a {type(part).__name__}, not a {kind.__name__} of MONAI "
                "or torch"
            )


def _recipe(bundle: Path, preprocessing: Any) -> tuple[str, Recipe]:
    """The image's entry, and the steps after reading: files are read by medseg, channel first."""
    steps = _steps(bundle, "preprocessing", preprocessing)
    loaded = {key for step in steps if isinstance(step, LoadImaged) for key in step.keys}
    if len(loaded) != 1:
        names = ", ".join(sorted(map(str, loaded))) or "none"
        raise UsageError(
            f"{bundle}: its preprocessing loads {len(loaded)} images by LoadImaged ({names}); "
            "medseg predict gives it one"
        )
    key = str(loaded.pop())
    # In place: the postprocessing inverts this very object.
    preprocessing.transforms = tuple(
        step for step in steps if not isinstance(step, LoadImaged | EnsureChannelFirstd)
    )

    def recipe(data: dict[str, MetaTensor]) -> dict[str, MetaTensor]:
        prepared: Any = preprocessing({key: data["image"]})
        return {"image": prepared[key]}

    return key, recipe


def _steps(bundle: Path, name: str, compose: Any) -> Sequence[Any]:
    if not isinstance(compose, Compose):
        raise UsageError(f"{bundle}: its {name} is no Compose of MONAI, but {type(compose)}")
    return cast("Any", compose).transforms
