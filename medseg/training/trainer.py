"""Trainer and evaluator: MONAI's engines, built from `Control` and the parts of a bundle.

Functions rather than a trainer class: a bundle changes a part by passing another one.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import ignite.distributed as idist
import torch
from monai.data.dataloader import DataLoader
from monai.engines.evaluator import SupervisedEvaluator
from monai.engines.trainer import SupervisedTrainer
from monai.engines.utils import default_prepare_batch
from monai.handlers.ignite_metric import IgniteMetricHandler
from monai.inferers.inferer import Inferer
from monai.metrics.meandice import DiceMetric
from monai.transforms.compose import Compose
from monai.transforms.post.dictionary import AsDiscreted
from torch import nn

from medseg._checks import require_choice
from medseg.data.cases.dataset import CaseDataset
from medseg.data.cases.draws import RandomDraws
from medseg.errors import UsageError
from medseg.losses.deep_supervision import DeepSupervision
from medseg.networks.compilation import compile_network
from medseg.networks.weights import plain_network
from medseg.training.control import Control
from medseg.training.finished import require_unfinished
from medseg.training.folder_locks import lock_folders
from medseg.training.freed_memory import keep_freed_memory
from medseg.training.parts import KEY_METRIC, TrainingParts
from medseg.training.start import require_start

__all__ = [
    "prepare_training",
    "supervised_evaluator",
    "supervised_trainer",
    "training_loader",
]


def prepare_training(network: nn.Module, *, device: torch.device | str, control: Control) -> None:
    """Check what could end a training early, and compile the network, before anything is written.

    Args:
        network: On `device`; compiled in place if `compile` says so.
        device: Where the training runs.
        control: Where files go, `start`, `overwrite`, `precision`, `compile`.

    Raises:
        UsageError: If an earlier training would be lost, the device lacks the precision, or the
            schedule is to end with a time limit that there is not.
        MachineError: If `torch.compile` does not work here, or another training writes to one of
            the folders.
        AlreadyDoneError: If a finished training on a read-only disk is resumed.
    """
    _require_end(control)
    if control.first_process:
        require_unfinished(control)
        # Folders that are missing are locked, as they are made, when the trainer starts.
        lock_folders(filter(Path.is_dir, control.folders))
    device = torch.device(device)
    if control.precision == "fp16" and device.type != "cuda":
        raise UsageError(
            f"precision fp16 is not supported on {device.type}; use auto, bf16 or fp32"
        )
    compile_network(network, control.compile, device)
    keep_freed_memory()
    if control.first_process:
        require_start(
            control.weights_path,
            control.checkpoint_folder,
            start=control.start,
            overwrite=control.existing,
        )


def _require_end(control: Control) -> None:
    """Refuse a schedule over minutes without a limit of them, or of a shape that has no end."""
    if control.schedule_over == "epochs":
        return
    require_choice("schedule_over=minutes: schedule", control.schedule, ("polynomial", "one_cycle"))
    if control.max_minutes is None:
        raise UsageError("schedule_over=minutes needs a time limit; set max_minutes")


def training_loader(
    dataset: CaseDataset, *, device: torch.device | str, control: Control
) -> DataLoader:
    """Data loader of random draws, in batches.

    Args:
        dataset: From `training_dataset`.
        device: Where the batches go; for a GPU their memory is pinned.
        control: `iterations_per_epoch`, `batch_size`, `case_weights`, `seed`, `num_workers`,
            `worker_start`.
    """
    draws = RandomDraws(
        len(dataset),
        control.steps_per_epoch * control.batch_size,
        seed=control.seed,
        weights=control.case_weights,
        rank=idist.get_rank(),
        world_size=idist.get_world_size(),
    )
    several = control.num_workers > 0
    return DataLoader(
        cast("Any", dataset),
        sampler=draws,
        batch_size=control.batch_size,
        num_workers=control.num_workers,
        persistent_workers=several,
        multiprocessing_context=control.worker_start if several else None,
        pin_memory=torch.device(device).type == "cuda",
    )


def supervised_trainer(  # noqa: PLR0913 - one keyword for each part of MONAI's trainer
    parts: TrainingParts,
    *,
    max_epochs: int,
    device: torch.device | str,
    dataset: CaseDataset,
    loss_function: Callable[..., Any],
    inferer: Inferer,
    train_handlers: Sequence[Any],
    control: Control,
    prepare_batch: Callable[..., Any] = default_prepare_batch,
) -> SupervisedTrainer:
    """Build MONAI's trainer around a data set.

    Args:
        parts: Network and optimiser.
        max_epochs: Epochs; each has `control.steps_per_epoch` batches.
        device: Where the network is.
        dataset: From `training_dataset`.
        loss_function: Takes logits `(B, classes, *spatial)` and labels `(B, 1, *spatial)`; of a
            network with deep supervision it is called at each of its levels.
        inferer: Calls the network.
        train_handlers: From `training_handlers`, and others; nested lists are flattened.
        control: Length, batches, loading.
        prepare_batch: Splits a batch into image and target, e.g. `medseg.training.WeightedBatch`.
    """
    return SupervisedTrainer(
        device=torch.device(device),
        max_epochs=max_epochs,
        train_data_loader=training_loader(dataset, device=device, control=control),
        network=parts.network,
        optimizer=parts.optimizer,
        loss_function=_at_each_level(loss_function, parts.network),
        prepare_batch=prepare_batch,
        inferer=inferer,
        amp=control.precision == "fp16",
        accumulation_steps=control.accumulation_steps,
        train_handlers=_flat(train_handlers),
        decollate=False,
        optim_set_to_none=True,
        non_blocking=torch.device(device).type == "cuda",
    )


def _at_each_level(loss: Callable[..., Any], network: nn.Module) -> Callable[..., Any]:
    levels = getattr(plain_network(network), "deep_supervision", 0)
    if not levels or isinstance(loss, DeepSupervision):
        return loss
    return DeepSupervision(loss)


def supervised_evaluator(
    parts: TrainingParts,
    *,
    device: torch.device | str,
    dataset: CaseDataset,
    inferer: Inferer,
    val_handlers: Sequence[Any],
) -> SupervisedEvaluator:
    """Build MONAI's evaluator: whole volumes, one at a time, scored by Dice.

    Its metrics are `val_mean_dice` and `val_dice_NAME` for each class but the background. A class
    that is absent from image and prediction alike scores 1.

    Args:
        parts: The network to validate, the class names.
        device: Where the network is.
        dataset: From `validation_dataset`.
        inferer: Covers a whole volume with windows.
        val_handlers: From `validation_handlers`, and others; nested lists are flattened.
    """
    return SupervisedEvaluator(
        device=torch.device(device),
        val_data_loader=DataLoader(cast("Any", dataset), batch_size=1, num_workers=0),
        network=parts.validated,
        inferer=inferer,
        postprocessing=Compose([AsDiscreted(keys="pred", argmax=True)]),
        key_val_metric={KEY_METRIC: _dice(parts)},
        additional_metrics={
            "val_class_dice": _dice(
                parts, reduction="mean_batch", return_with_label=parts.class_metrics
            )
        },
        val_handlers=_flat(val_handlers),
    )


def _dice(parts: TrainingParts, **choices: Any) -> IgniteMetricHandler:
    metric = DiceMetric(
        include_background=False,
        ignore_empty=False,
        num_classes=len(parts.class_names),
        **choices,
    )
    return IgniteMetricHandler(
        metric_fn=metric,
        output_transform=_pred_and_label,
        save_details="reduction" not in choices,
    )


def _pred_and_label(output: Sequence[Mapping[str, Any]]) -> tuple[list[Any], list[Any]]:
    """Convert the evaluator's list of cases to the two lists of tensors that metrics take."""
    return [case["pred"] for case in output], [case["label"] for case in output]


def _flat(handlers: Sequence[Any]) -> list[Any]:
    # A bundle's list holds our list, and MONAI's tracking appends its own handlers.
    lists = [cast("list[Any]", one) if isinstance(one, list) else [one] for one in handlers]
    return [handler for one in lists for handler in one]
