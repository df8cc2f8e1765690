"""Every bundle, by its own train.yaml: killed in the midst of a training, it goes on to the bit.

The process kills itself with SIGKILL between two writes; what it leaves is what a power cut would.
"""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from medseg.bundles import run_bundle
from medseg.training.checkpoint_files import newest_checkpoint
from tests.bundles.test_abdominal_fat import SMALL as FAT
from tests.bundles.test_abdominal_fat import slices as slices
from tests.bundles.test_ebhi_histology import QUICK as HISTOLOGY
from tests.bundles.test_ebhi_histology import pictures as pictures
from tests.bundles.test_hela_cells import TINY as CELLS
from tests.bundles.test_hela_cells import dish as dish
from tests.bundles.test_hippocampus_bundle import crops as crops
from tests.conftest import REPOSITORY, SMALL
from tests.training.test_checkpoints import left_by

pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.slow,
]
# Forked, as a start of Python takes longer than the training.
processes = multiprocessing.get_context("fork")

LENGTH = {"epochs": 3, "iterations_per_epoch": 3, "val_interval": 1}
# The name of the fixture with its cases, and what makes it small.
BUNDLES = {
    "covid_lung_ct_unet3d": ("phantoms", SMALL),
    "hippocampus_mri_unet3d": ("crops", {"first_width": 4, "depth": 3}),
    "abdominal_fat_mri_unet2d": ("slices", FAT),
    "ebhi_histology_unet2d": ("pictures", HISTOLOGY),
    "hela_cells_unet2d": ("dish", {**CELLS, "dropout": 0.2}),
}
# What a config switches on by a word has a state of its own, too.
MORE = {
    "covid_lung_ct_unet3d": {"ema": 0.9, "early_stop_patience": 10, "num_workers": 2},
    "hippocampus_mri_unet3d": {"accumulation_steps": 2, "clip_gradients": 1.0},
}


def train(bundle, dataset, folder, **more):
    run_bundle(
        REPOSITORY / "bundles" / bundle,
        configs=["train"],
        run_id="training",
        overrides={
            "dataset_dir": str(dataset),
            "output_dir": str(folder),
            **BUNDLES[bundle][1],
            **MORE.get(bundle, {}),
            **LENGTH,
            **more,
        },
        log="quiet",
    )


def killed_at_a_write(number, *arguments):
    """A training whose process ends before a file of that number gets its final name."""
    replace = Path.replace
    count = iter(range(1, 10_000))

    def counted(path, target):
        if next(count) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return replace(path, target)

    def work():
        Path.replace = counted
        train(*arguments)

    process = processes.Process(target=work)
    process.start()
    process.join()
    return process.exitcode


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("bundle", sorted(BUNDLES))
def test_a_killed_training_goes_on_to_the_weights_it_would_have_had(bundle, request, tmp_path):
    dataset = request.getfixturevalue(BUNDLES[bundle][0])
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(bundle, dataset, whole)
    # Before the checkpoint of the second epoch: it is lost, the first is not.
    assert killed_at_a_write(2 + 4 + 5, bundle, dataset, parts) == -signal.SIGKILL
    assert newest_checkpoint(parts / "checkpoints")[1]["epoch"] == 1
    train(bundle, dataset, parts, start="resume")
    assert left_by(parts) == left_by(whole)
    assert [path.name for path in parts.rglob(".*")] == []
