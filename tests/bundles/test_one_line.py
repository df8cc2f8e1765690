"""What a user reads under plain MONAI when something goes wrong."""

import signal
import sys
import threading

import pytest
import torch
from monai.transforms import Compose
from monai.utils import instantiate
from torch.utils.data import DataLoader

from medseg.bundles.one_line import excepthook_kept, explain_errors
from medseg.data import CaseDataset
from medseg.errors import DataError, UsageError, user_error
from medseg.transforms import RandWarpPatchd


def wrong(component, **values):
    """The error MONAI raises where a config's component does not take its values."""
    with pytest.raises(RuntimeError, match="Failed to instantiate") as caught:
        instantiate(component, "default", **values)
    return caught.value


UNET = {"spatial_dims": 3, "in_channels": 1, "out_channels": 2}


@pytest.mark.parametrize(
    ("component", "values", "message"),
    [
        (
            "medseg.networks.UNet",
            {**UNET, "norm": "twice"},
            "UNet: norm must be one of none, one, both, got 'twice'",
        ),
        (
            "medseg.networks.UNet",
            {**UNET, "depth": 1},
            "UNet: depth must be a whole number from 2, got 1",
        ),
        (
            "medseg.losses.TverskyCELoss",
            {"fp_weight": "1e-1"},
            "TverskyCELoss: fp_weight must be a finite number of at least 0, got '1e-1'",
        ),
        (
            "medseg.transforms.RandGammad",
            {"keys": "image", "prob": 2},
            "RandGammad: prob must be in [0, 1], got 2",
        ),
        (
            "medseg.transforms.Zoom",
            {"low": 0, "high": 1},
            "Zoom: low must be in [0.01, 100], got 0",
        ),
        (
            "medseg.inference.SlidingWindowLabels",
            {"window": [64, 64], "overlap": 1},
            "SlidingWindowLabels: overlap must be in [0, 1), got 1",
        ),
    ],
)
def test_a_wrong_value_in_a_config_is_the_users_and_names_class_and_argument(
    component, values, message
):
    known = user_error(wrong(component, **values))
    assert isinstance(known, UsageError)
    assert str(known) == message


def test_an_error_of_a_function_that_computes_is_a_bug():
    # Functions of ours are given images, and may fail on them for reasons of their own.
    assert user_error(wrong("medseg.metrics.summarise", cases={})) is None
    assert user_error(wrong("monai.transforms.Resize", spatial_size=1, size_mode="?")) is None


@pytest.fixture
def monais_process(monkeypatch):
    """Arguments of `python -m monai.bundle`, and its hooks and signals, put back afterwards."""
    monkeypatch.setattr(sys, "argv", ["/venv/monai/bundle/__main__.py", "run"])
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    with excepthook_kept():
        yield


@pytest.fixture
def hook(monkeypatch, monais_process):
    """Calls the hook as Python does; the exit code, or None where it returns."""
    monkeypatch.delenv("MEDSEG_DEBUG", raising=False)
    explain_errors()

    def call(error):
        try:
            sys.excepthook(type(error), error, None)
        except SystemExit as stop:
            return stop.code
        return None

    return call


def test_the_hook_tells_a_users_error_in_one_line_with_its_code(hook, capsys):
    error = RuntimeError("applying transform LoadImaged")
    error.__cause__ = DataError("a.nii: not there; check the path")
    assert hook(error) == 3
    assert capsys.readouterr().err == "medseg: a.nii: not there; check the path\n"


def test_the_hook_tells_an_interruption_in_one_line(hook, capsys):
    assert hook(KeyboardInterrupt()) == 75
    assert capsys.readouterr().err == "medseg: interrupted\n"


def test_the_hook_leaves_a_bug_to_python(hook, capsys):
    assert hook(ZeroDivisionError("division by zero")) is None
    assert capsys.readouterr().err == "ZeroDivisionError: division by zero\n"


def test_debugging_leaves_every_error_to_python(monkeypatch, monais_process):
    monkeypatch.setenv("MEDSEG_DEBUG", "1")
    explain_errors()
    assert sys.excepthook is sys.__excepthook__


def test_a_process_of_another_program_keeps_its_hooks_and_signals(monkeypatch):
    # A notebook, or a server with bundles in it.
    monkeypatch.setattr(sys, "argv", ["/venv/ipykernel_launcher.py", "-f", "kernel.json"])

    def own():
        errors = sys.stdout.errors, sys.stderr.errors
        return sys.excepthook, threading.excepthook, signal.getsignal(signal.SIGTERM), errors

    before = own()
    explain_errors()
    assert own() == before


def one_image(case):
    return {"image": torch.zeros(1, 8, 8)}


@pytest.mark.parametrize("workers", [0, 1])
def test_what_a_step_is_called_with_is_told_from_a_loaders_worker_too(workers):
    step = RandWarpPatchd(["image", "labl"], (8, 8), (1, 1), ("linear", "nearest"))
    cases = CaseDataset([{"case": "a"}], one_image, Compose([step]))
    with pytest.raises(UsageError) as caught:
        next(iter(DataLoader(cases, num_workers=workers)))
    assert str(user_error(caught.value)) == (
        "RandWarpPatchd: keys ['labl'] are not in the sample, which has ['image']"
    )
