"""NnU-Net's training and prediction for the comparison at equal time; run by the peers' Python.

    python _budget_nnunet.py train CONFIGURATION DEADLINE
    python _budget_nnunet.py predict CONFIGURATION IMAGES OUTPUT

In its best form for a CPU: batches of two, all training cases (fold `all`), no validation, as its
final weights are those of the last step anyway; the rate falls by its own polynomial to zero at the
deadline, which is a time of the clock in seconds; no mirroring in prediction. The rest is its own.
"""

import itertools
import json
import os
import sys
import time
from pathlib import Path

import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

DATASET = "Dataset001_task"
CPU = torch.device("cpu")
PREPROCESSED, RESULTS = "nnUNet_preprocessed", "nnUNet_results"
BATCH = 2
POWER = 0.9


class ToDeadline(nnUNetTrainer):
    """NnU-Net's trainer, which ends at a time of the clock instead of after 1000 epochs."""

    deadline = 0.0

    def run_training(self) -> None:
        """Train until another step would come too late."""
        self.on_train_start()
        begun = time.time()
        self.network.train()
        longest, done = 0.0, 0
        for step in itertools.count():
            started = time.time()
            if step and started + longest > self.deadline:
                break
            used = min(1.0, (started - begun) / max(1e-6, self.deadline - begun))
            for group in self.optimizer.param_groups:
                group["lr"] = self.initial_lr * (1 - used) ** POWER
            loss = float(self.train_step(next(self.dataloader_train))["loss"])
            # The first step is slower than any other.
            longest = max(longest, time.time() - started) if step else 0.0
            done = step + 1
            if step % 50 == 0:
                print(f"step {step}: loss {loss:.3f}", flush=True)
        print(f"{done} steps in {time.time() - begun:.1f} s", flush=True)
        # Of the epochs that its log expects there were none.
        self.current_epoch = 1
        self.on_train_end()


# By this name a checkpoint's trainer is found in nnU-Net's own folders for prediction.
ToDeadline.__name__ = "nnUNetTrainer"


def train(configuration: str, deadline: float) -> None:
    """Train on all cases."""
    folder = Path(os.environ[PREPROCESSED]) / DATASET
    plans = json.loads((folder / "nnUNetPlans.json").read_text(encoding="utf-8"))
    plans["configurations"][configuration]["batch_size"] = BATCH
    plans["continue_training"] = False
    description = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    trainer = ToDeadline(plans, configuration, "all", description, CPU)
    trainer.deadline = deadline
    trainer.run_training()


def predict(configuration: str, images: str, output: str) -> None:
    """Label the images of a folder."""
    predictor = nnUNetPredictor(
        use_mirroring=False,
        perform_everything_on_device=False,
        device=CPU,
        allow_tqdm=False,
    )
    name = f"nnUNetTrainer__nnUNetPlans__{configuration}"
    predictor.initialize_from_trained_model_folder(
        str(Path(os.environ[RESULTS]) / DATASET / name), ("all",), "checkpoint_final.pth"
    )
    predictor.predict_from_files(
        images, output, num_processes_preprocessing=1, num_processes_segmentation_export=1
    )


if __name__ == "__main__":
    if sys.argv[1] == "train":
        train(sys.argv[2], float(sys.argv[3]))
    else:
        predict(*sys.argv[2:5])
