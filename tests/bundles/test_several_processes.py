"""A bundle trained by two processes: one network, the one that a single process would train."""

import os
import subprocess
import sys

import pytest
import torch
import yaml

from medseg.bundles import run_bundle
from medseg.training.checkpoint_files import newest_checkpoint
from tests.conftest import BUNDLE, SMALL

# TensorBoard's, MONAI's and torch's own deprecations are theirs to mend.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]

# A loss that is a mean over cases, and steps in proportion to gradients: Adam would make
# something of those that are zero but for rounding.
ALIKE = {
    **SMALL,
    "loss#average": "case",
    "optimizer#_target_": "torch.optim.SGD",
    "learning_rate": 0.02,
    "precision": "fp32",
    # The rate falls at the first validation that is no better: both must have seen the same.
    "control#plateau_patience": 0,
}


@pytest.fixture(scope="module")
def pair(phantoms, tmp_path_factory):
    """Where two processes with one patch each have trained, and what they told."""
    folder = tmp_path_factory.mktemp("pair")
    configs = [str(BUNDLE / "configs" / f"{name}.yaml") for name in ("train", "multi_gpu_train")]
    places = {"ckpt_dir": folder / "out", "output_dir": folder / "out"}
    # Each tells a file of its own, as their lines on standard output get mixed.
    tell = (
        "$torch.save([@optimizer.param_groups[0]['lr'], "
        "@validate#evaluator.state.metrics['val_mean_dice'], "
        "sum(p.double().sum().item() for p in @network.parameters())], "
        f"'{folder}/' + str(torch.distributed.get_rank()))"
    )
    extra = folder / "tell.yaml"
    extra.write_text(yaml.safe_dump({"+run": [tell]}))
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
        + ["-m", "monai.bundle", "run", "training", "--config_file", str([*configs, str(extra)])]
        + ["--dataset_dir", str(phantoms), "--batch_size=1"]
        + [f"--{key}={value}" for key, value in {**ALIKE, **places}.items()],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout + done.stderr


def test_two_processes_are_in_step_and_only_the_first_writes_and_tells(pair):
    folder, told = pair
    first, second = (torch.load(folder / rank, weights_only=True) for rank in "01")
    assert first == second
    # What is no warning, only one of them tells.
    assert told.count("all usable") == told.count("epoch 2/2: loss") == 1
    names = sorted(path.name for path in (folder / "out").iterdir())
    events = [name for name in names if name.startswith("events.")]
    assert names == [
        "checkpoints", "curves.png", *events, "metrics.csv", "metrics.jsonl", "model.pt",
        "model.safetensors"
    ]  # fmt: skip
    # One process's event files: of the training, of the validation and of its pictures.
    assert len({name.split(".")[-2] for name in events}) == 1
    assert "module." not in "".join(torch.load(folder / "out" / "model.pt", weights_only=True))


def test_two_processes_are_one_with_batches_of_twice_the_size(pair, phantoms, tmp_path):
    run_bundle(
        BUNDLE,
        configs=["train"],
        run_id="training",
        overrides={
            "dataset_dir": str(phantoms),
            "ckpt_dir": str(tmp_path),
            "output_dir": str(tmp_path),
            "batch_size": 2,
            **ALIKE,
        },
    )
    one, two = (newest_checkpoint(path / "checkpoints")[1] for path in (tmp_path, pair[0] / "out"))
    assert one["next_number"] == two["next_number"]
    scores = [state["parts"]["best_weights"]["best"] for state in (one, two)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)
    for name, value in one["parts"]["network"].items():
        torch.testing.assert_close(value, two["parts"]["network"][name], rtol=1e-3, atol=1e-4)
