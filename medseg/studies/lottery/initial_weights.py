"""Initial weights of a training: those that its seed draws before the first step."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from medseg.bundles.run import open_workflow

__all__ = ["initial_weights"]


def initial_weights(bundle: Path, overrides: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors that the network of a training begins with.

    Args:
        bundle: Folder of the bundle.
        overrides: Those of the training, its seed among them.
    """
    workflow = open_workflow(
        bundle, configs=["train"], run_id="training", overrides=overrides, log="quiet"
    )
    workflow.initialize()
    network = cast("nn.Module", cast("Any", workflow.parser).get_parsed_content("network"))
    return {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in cast("dict[str, Tensor]", network.state_dict()).items()
    }
