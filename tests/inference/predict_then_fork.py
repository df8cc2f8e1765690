"""Rounds of predicting, training with workers and starting processes, all in one process.

Between them garbage is collected, which follows every link between Python's objects: memory that
was given back too early, or written to by others, is met there.
"""

import faulthandler
import gc
import multiprocessing
import os
import subprocess
import sys

import numpy as np
import torch
from torch.utils.data import DataLoader

from medseg.bundles import open_predictor
from medseg.data import Volume
from medseg.networks import UNet
from tests.conftest import REPOSITORY

BUNDLE = REPOSITORY / "bundles" / "hippocampus_mri_unet3d"
ENGINES = ("openvino", "torch")


def run_rounds(count: int) -> None:
    """Predict with each engine and start a process in each way, `count` times."""
    faulthandler.enable()
    opened = {}
    for number in range(count):
        # Opened anew every third time: an engine that is given up frees what is its own.
        if number % 3 == 0:
            opened = {engine: _opened(engine) for engine in ENGINES}
        labels = [_label(opened[engine], number) for engine in ENGINES]
        # Torch and OpenVINO round differently.
        assert (labels[0] == labels[1]).mean() > 0.99, "the engines' labels differ"
        _collect()
        for start in (_fork, _train_with_workers, _run_command, _start_processes):
            start()
            _collect()


def _opened(engine):
    return open_predictor(BUNDLE, overrides={"engine": engine, "precision": "fp32"})


def _label(predictor, seed):
    array = np.random.default_rng(seed).normal(400, 100, (24, 32, 24)).astype(np.float32)
    volume = Volume(array, np.eye(4), (1.0, 1.0, 1.0), "float32")
    return predictor.label(predictor.prepare(volume)).array


def _collect():
    for _ in range(2):
        gc.collect()


def _fork():
    child = os.fork()
    if child == 0:
        gc.collect()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, "a forked process died"


def _train_with_workers():
    network = UNet(3, 1, 2, depth=2, first_width=4)
    optimizer = torch.optim.SGD(network.parameters(), 0.01)
    patches = list(torch.rand(4, 1, 16, 16, 16))
    # Forked, also where Python's own choice is another.
    loader = DataLoader(patches, batch_size=2, num_workers=2, multiprocessing_context="fork")
    for batch in loader:
        optimizer.zero_grad()
        network(batch).square().mean().backward()
        optimizer.step()


def _run_command():
    subprocess.run([sys.executable, "-c", ""], check=True, capture_output=True)


def _start_processes():
    for method in ("fork", "forkserver", "spawn"):
        process = multiprocessing.get_context(method).Process(target=gc.collect)
        process.start()
        process.join()
        assert process.exitcode == 0, f"a process started by {method} died"
