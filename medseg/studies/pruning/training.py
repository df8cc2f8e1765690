"""Training of a network of given widths through a bundle's own training, from given weights."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from medseg._files import write_atomically
from medseg._quiet import quiet_libraries
from medseg.bundles.complaints import config_errors
from medseg.bundles.one_line import excepthook_kept
from medseg.bundles.run import open_workflow
from medseg.networks.unet import UNet
from medseg.networks.weights import write_state
from medseg.studies.pruning.subject import Subject

__all__ = ["INITIAL", "WEIGHTS", "train_network"]

WEIGHTS, INITIAL = "model.safetensors", "initial.safetensors"
_DONE = "done.json"
# Validations in a training, the best of which is kept.
_EPOCHS = 5


def train_network(
    subject: Subject,
    folder: Path,
    *,
    description: Mapping[str, Any],
    state: Mapping[str, Tensor] | None,
    iterations: int,
) -> Path:
    """Train a network by the subject's training config; what is done already is not repeated.

    Args:
        subject: Whose bundle, data and settings are used.
        folder: Of the training; it goes on there if it was interrupted.
        description: The network, as `UNet.describe` gives it.
        state: Its weights at the start; None initialises it as the config's seed does.
        iterations: Batches in all, rounded up to a multiple of five: it is validated five times.

    Returns:
        The file of the best weights; beside it lies that of the first ones.
    """
    weights = folder / WEIGHTS
    if (folder / _DONE).exists():
        return weights
    resumes = any((folder / "checkpoints").glob("*.safetensors"))
    if state is not None:
        _save(folder, description, state)
    overrides = {
        **subject.training,
        "network_def": dict(description),
        "control::init_weights": None if state is None else str(folder / INITIAL),
        "epochs": _EPOCHS,
        "iterations_per_epoch": -(-iterations // _EPOCHS),
        "val_interval": 1,
        "schedule": "polynomial",
        "early_stop_patience": None,
        "output_dir": str(folder),
        "ckpt_dir": str(folder),
        "start": "resume" if resumes else "fresh",
        "overwrite": "refuse" if resumes else "replace",
    }
    with excepthook_kept(), config_errors(), quiet_libraries():
        workflow = open_workflow(
            subject.bundle, configs=["train"], run_id="training", overrides=overrides, log="quiet"
        )
        workflow.initialize()
        if state is None and not resumes:
            # The parser builds it once: this is what the run trains.
            network = cast("UNet", cast("Any", workflow.parser).get_parsed_content("network"))
            _save(folder, description, network.state_dict())
        workflow.run()
        workflow.finalize()
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    done = json.dumps({"iterations": _EPOCHS * -(-iterations // _EPOCHS)})
    write_atomically(folder / _DONE, lambda path: path.write_text(done, encoding="utf-8"))
    return weights


def _save(folder: Path, description: Mapping[str, Any], state: Mapping[str, Tensor]) -> None:
    texts = {"settings": json.dumps({"network": dict(description)})}
    own = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    write_state(own, folder / INITIAL, texts)
