"""Measures of a finished run: cost of its network, and losses of its best weights."""

import csv
import statistics
import time
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, cast

import torch
from monai.data.dataset import Dataset

from medseg.bundles.run import open_workflow
from medseg.networks.macs import macs, parameters
from medseg.networks.weights import load_weights, trained_setting

__all__ = ["network_cost", "run_losses"]

WEIGHTS = "model.safetensors"
_TIMED_CASES = 5
# The trainer's own name of the score by which the best weights are chosen.
_BEST_BY = "val_mean_dice"


def network_cost(bundle: str, evaluation: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Parameters, operations and time of the network, and the epochs of its training.

    Args:
        bundle: Folder of the bundle.
        evaluation: Overrides of the evaluation.
        folder: Folder of the run.
    """
    parser = _parser(bundle, ["train", "evaluate"], "evaluating", evaluation)
    network = parser.get_parsed_content("network")
    load_weights(network, folder / WEIGHTS)
    network.eval()
    dataset = parser.get_parsed_content("validate#dataset")
    inferer = parser.get_parsed_content("validate#inferer")
    images = [one["image"][None] for one in islice(iter(dataset), _TIMED_CASES)]
    patch = trained_setting(folder / WEIGHTS, "patch_size", None)
    window = tuple(patch or images[0].shape[2:])
    return {
        "parameters": parameters(network),
        "macs": macs(network, (images[0].shape[1], *window)),
        "case_ms": 1000 * statistics.median(_seconds(inferer, network, images)),
        **_epochs(folder, parser.get_parsed_content("iterations_per_epoch")),
    }


def run_losses(bundle: str, training: Mapping[str, Any], folder: Path) -> dict[str, float]:
    """Mean loss of the best weights, without augmentation, over training and held-out cases.

    Args:
        bundle: Folder of the bundle.
        training: Overrides of the training.
        folder: Folder of the run.
    """
    parser = _parser(bundle, ["train"], "training", training)
    network = parser.get_parsed_content("network")
    load_weights(network, folder / WEIGHTS)
    network.eval()
    parts = {name: parser.get_parsed_content(name) for name in ("loss", "validate#inferer")}
    preparation = parser.get_parsed_content("validate#preprocessing")
    return {
        name: _mean_loss(network, parts, Dataset(parser.get_parsed_content(cases), preparation))
        for name, cases in (("train", "train_cases"), ("held_out", "val_cases"))
    }


def _parser(bundle: str, configs: list[str], run_id: str, overrides: Mapping[str, Any]) -> Any:
    workflow = open_workflow(
        bundle, configs=configs, run_id=run_id, overrides=overrides, log="quiet"
    )
    return cast("Any", workflow.parser)


def _seconds(inferer: Any, network: Any, images: Iterable[torch.Tensor]) -> list[float]:
    images = list(images)
    seconds: list[float] = []
    with torch.no_grad():
        # The first call converts the network for its engine.
        inferer(images[0], network)
        for image in images:
            started = time.perf_counter()
            inferer(image, network)
            seconds.append(time.perf_counter() - started)
    return seconds


def _epochs(folder: Path, per_epoch: int) -> dict[str, int]:
    with (folder / "metrics.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    scored = [(float(row[_BEST_BY]), -int(row["epoch"])) for row in rows if row.get(_BEST_BY)]
    return {
        "epochs": len(rows),
        "iterations": len(rows) * per_epoch,
        "best_epoch": -max(scored)[1] if scored else len(rows),
    }


def _mean_loss(network: Any, parts: Mapping[str, Any], dataset: Any) -> float:
    losses: list[float] = []
    with torch.no_grad():
        for case in dataset:
            logits = parts["validate#inferer"](case["image"][None], network)
            losses.append(float(parts["loss"](logits, case["label"][None])))
    return statistics.mean(losses)
