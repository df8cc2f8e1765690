"""Checks of the parts of an inference config, once they are built and before any image is read."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from monai.inferers.inferer import Inferer
from monai.transforms.compose import Compose
from monai.transforms.io.dictionary import LoadImaged, SaveImaged
from torch import nn

from medseg.errors import UsageError
from medseg.networks.ensemble import Ensemble
from medseg.networks.known import KnownNetwork
from medseg.networks.settings import check_settings

__all__ = ["check_parts", "split_loading", "without_saving"]


def check_parts(parts: Mapping[str, Any], window: Any) -> None:
    """Refuse parts that could not predict, whatever the image.

    Args:
        parts: `network`, `inferer` and `class_names` of the config, built.
        window: Image values displayed as black and white; None if the config has none.

    Raises:
        UsageError: For the first part of a wrong kind, or class names of another number than the
            network's outputs.
    """
    for name, kind in (("network", nn.Module), ("inferer", Inferer)):
        if not isinstance(parts[name], kind):
            raise UsageError(
                f"{name} must be of the class {kind.__name__}, got {type(parts[name]).__name__}"
            )
    check_settings({"class_names": parts["class_names"], "window": window})
    network, names = parts["network"], parts["class_names"]
    if isinstance(network, Ensemble):
        network = network.members[0]
    outputs = (
        network.describe()["out_channels"] if isinstance(network, KnownNetwork) else len(names)
    )
    if outputs != len(names):
        raise UsageError(
            f"class_names must be {outputs} names, as many as the network has outputs, got "
            f"{list(names)}; leave class_names out, since the weights state them"
        )


def split_loading(bundle: Path, steps: Sequence[Any]) -> tuple[Any, Compose]:
    """Split a recipe into its loader and the later steps: `medseg predict` reads files itself."""
    if not steps or not isinstance(steps[0], LoadImaged):
        raise UsageError(f"{bundle}: the first of preprocessing_steps must be LoadImaged")
    return cast("Any", steps[0])._loader, Compose(list(steps[1:]))


def without_saving(postprocessing: Compose | None) -> Compose:
    """Postprocessing without the steps that save: `medseg predict` writes files itself."""
    steps: Sequence[Any] = [] if postprocessing is None else cast("Any", postprocessing).transforms
    return Compose([step for step in steps if not isinstance(step, SaveImaged)])
