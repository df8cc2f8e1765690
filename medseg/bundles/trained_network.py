"""Trained network of a bundle, with the settings of its training, outside a workflow."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from monai.bundle.config_parser import ConfigParser
from torch import nn

from medseg._quiet import quiet_libraries
from medseg.bundles.complaints import config_errors
from medseg.bundles.metadata import load_metadata
from medseg.bundles.opened import open_configs
from medseg.bundles.values import check_values
from medseg.bundles.weights_owner import own_provenance
from medseg.errors import UsageError
from medseg.networks.known import KnownNetwork
from medseg.networks.provenance import Provenance
from medseg.networks.weights import load_weights

__all__ = ["TrainedNetwork", "read_trained_network"]

SETTING = "medseg.networks.trained_setting"


@dataclass(frozen=True, kw_only=True)
class TrainedNetwork:
    """A bundle's trained network and its settings.

    Attributes:
        network: In evaluation mode, on the CPU.
        channels: Channels of the image.
        window: Size of a sliding window in voxels, along each axis.
        settings: Settings that the config reads from the weights: class names, spacing, ..., and
            the network's arguments.
        name: Name of the bundle.
        version: Version of the bundle.
        provenance: Where the weights come from.
    """

    network: nn.Module
    channels: int
    window: tuple[int, ...]
    settings: dict[str, Any]
    name: str
    version: str
    provenance: Provenance


def read_trained_network(bundle: str | Path, weights: str | Path | None = None) -> TrainedNetwork:
    """Build the network of a bundle's inference config and load its weights.

    Args:
        bundle: The bundle's folder.
        weights: A `.safetensors` file; the bundle's `models/model.safetensors` if None.

    Raises:
        MedsegError: For a bundle or weights that cannot be used, or a bundle that is neither safe
            nor trusted.
    """
    bundle = Path(bundle).resolve()
    weights = Path(weights).resolve() if weights else bundle / "models" / "model.safetensors"
    opened = open_configs(bundle, ["inference"])
    config = opened.merged
    missing = [key for key in ("network_def", "patch_size") if key not in config]
    if missing:
        raise UsageError(f"{bundle}: its inference config has no {missing[0]}; add it")
    check_values(config)
    network, settings, window = _build(opened.changed({"ckpt_path": str(weights)}))
    load_weights(network, weights)
    metadata = load_metadata(bundle / "configs" / "metadata.json")
    return TrainedNetwork(
        network=network.eval(),
        channels=metadata.network_data_format.inputs["image"].num_channels,
        window=window,
        settings=settings,
        name=metadata.name,
        version=metadata.version,
        provenance=own_provenance(metadata, weights),
    )


def _build(config: dict[str, Any]) -> tuple[nn.Module, dict[str, Any], tuple[int, ...]]:
    parser = cast("Any", ConfigParser(config))
    names = [key for key, value in config.items() if _asks_the_weights(value)]
    with config_errors(), quiet_libraries():
        parser.parse()
        network = parser.get_parsed_content("network_def")
        settings = {name: parser.get_parsed_content(name) for name in names}
        if isinstance(network, KnownNetwork):
            settings["network"] = network.describe()
        window = parser.get_parsed_content("patch_size")
    return network, settings, tuple(window)


def _asks_the_weights(value: Any) -> bool:
    return isinstance(value, dict) and cast("dict[str, Any]", value).get("_target_") == SETTING
