"""Training state: network and optimiser, moving average, plateau scheduler, best weights.

Handlers of the trainer and of the evaluator share it, and checkpoints save it.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ignite.distributed as idist
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from medseg.errors import UsageError
from medseg.networks.provenance import Provenance, StartedFrom
from medseg.networks.settings import check_settings
from medseg.training.best_weights import BestWeights
from medseg.training.control import Control
from medseg.training.freeze import freeze_parts
from medseg.training.init_weights import init_weights
from medseg.training.processes import distributed_network
from medseg.training.start import require_start
from medseg.training.weight_average import WeightAverage

__all__ = ["KEY_METRIC", "TrainingParts", "training_parts"]

logger = logging.getLogger(__name__)

# The score that decides which weights are best: mean Dice over all classes but the background.
KEY_METRIC = "val_mean_dice"


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingParts:
    """Objects that change during a training.

    Attributes:
        network: The trained network, on its device; perhaps a `DistributedDataParallel`.
        optimizer: Optimiser of its parameters.
        plateau: ReduceLROnPlateau; steps after each validation if the schedule is `plateau`.
        average: Moving average of the weights, if `ema` is set.
        best_weights: Writes the best weights; None in all processes but the first.
        class_names: One for each label value, the background's first.
        started_from: Whose weights the training started from, if from any.
    """

    network: nn.Module
    optimizer: Optimizer
    plateau: ReduceLROnPlateau
    average: WeightAverage | None
    best_weights: BestWeights | None
    class_names: tuple[str, ...]
    started_from: StartedFrom | None = None

    @property
    def validated(self) -> nn.Module:
        """The network that is validated and saved: the average where there is one."""
        return self.network if self.average is None else self.average.network

    @property
    def class_metrics(self) -> list[str]:
        """Names of the Dice scores per class, without the background."""
        return [f"val_dice_{name}" for name in self.class_names[1:]]


def training_parts(
    network: nn.Module,
    optimizer: Optimizer,
    *,
    class_names: Sequence[str],
    settings: Mapping[str, Any],
    control: Control,
    provenance: Provenance | None = None,
) -> TrainingParts:
    """Build the state that handlers and checkpoints share.

    Args:
        network: On its device; with several processes its gradients are averaged over them.
        optimizer: Optimiser of the network's parameters.
        class_names: One for each label value, the background's first.
        settings: What inference has to repeat, as JSON values; written into the weights' header.
        control: `init_weights`, `freeze`, `ema`, `plateau_factor`, `plateau_patience` and where
            files go.
        provenance: Where the weights come from, for their header.

    Raises:
        UsageError: If an earlier training would be lost, or a setting is wrong, such as a patch
            that the network cannot halve as often as it has to; or `init_weights` do not fit.
        DataError: If `init_weights` are missing or damaged.
    """
    check_settings({**settings, "class_names": class_names})
    _require_patch(network, settings)
    started_from, new = None, frozenset[str]()
    if control.init_weights is not None:
        begun = init_weights(network, control.init_weights)
        started_from, new = begun.started_from, begun.left_out
        provenance = replace(provenance or Provenance(tensors_sha256=""), started_from=started_from)
    elif control.freeze != "none":
        logger.warning("freeze=%s without init_weights keeps parts at random", control.freeze)
    freeze_parts(network, control.freeze, new=new)
    if control.first_process:
        # Again, for tools that run the trainer without the bundle's `run`, such as MONAI's FL.
        require_start(
            control.weights_path,
            control.checkpoint_folder,
            start=control.start,
            overwrite=control.existing,
        )
    if idist.get_world_size() > 1:
        # First: it gives all processes the first one's weights, of which the average is a copy.
        network = distributed_network(network)
    average = None if control.ema is None else WeightAverage(network, control.ema)
    validated = network if average is None else average.network
    return TrainingParts(
        network=network,
        optimizer=optimizer,
        plateau=ReduceLROnPlateau(
            optimizer, mode="max", factor=control.plateau_factor, patience=control.plateau_patience
        ),
        average=average,
        best_weights=BestWeights(
            validated,
            str(control.weights_path),
            metric=KEY_METRIC,
            settings=settings,
            provenance=provenance,
        )
        if control.first_process
        else None,
        class_names=tuple(class_names),
        started_from=started_from,
    )


def _require_patch(network: nn.Module, settings: Mapping[str, Any]) -> None:
    """Refuse a patch that the network does not take, hours before its first one."""
    output_size = getattr(network, "output_size", None)
    if output_size is None or "patch_size" not in settings:
        return
    try:
        output_size(settings["patch_size"])
    except UsageError as error:
        what = re.sub(r"^\w+: spatial size of the input", "patch_size", str(error))
        raise UsageError(what) from error
