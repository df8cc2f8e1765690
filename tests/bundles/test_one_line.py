"""What a user reads under plain MONAI when something goes wrong."""

import sys

import pytest
import torch
from monai.transforms import apply_transform
from monai.utils import instantiate
from torch.utils.data import DataLoader, Dataset

from medseg.bundles.one_line import explain_errors, root_error
from medseg.errors import DataError, UsageError
from medseg.transforms import RandWarpPatchd


def wrong(component, **values):
    """The error MONAI raises where a config's component does not take its values."""
    with pytest.raises(RuntimeError, match="Failed to instantiate") as caught:
        instantiate(component, "default", **values)
    return caught.value


def test_a_wrong_value_in_a_config_is_the_users_and_names_the_component():
    known = root_error(
        wrong("medseg.networks.UNet", spatial_dims=3, in_channels=1, out_channels=2, norm="twice")
    )
    assert isinstance(known, UsageError)
    assert str(known) == (
        "medseg.networks.UNet: norm must be one of ('none', 'one', 'both'), got 'twice'"
    )


def test_the_same_error_of_a_function_that_computes_is_a_bug():
    # Functions of ours are given images, and may fail on them for reasons of their own.
    assert root_error(wrong("medseg.metrics.summarise", cases={})) is None
    assert root_error(wrong("monai.transforms.Resize", spatial_size=1, size_mode="?")) is None


@pytest.fixture
def hook(monkeypatch):
    """Calls the hook as Python does; the exit code, or None where it returns."""
    monkeypatch.delenv("MEDSEG_DEBUG", raising=False)
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
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


def test_debugging_leaves_every_error_to_python(monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    monkeypatch.setenv("MEDSEG_DEBUG", "1")
    explain_errors()
    assert sys.excepthook is sys.__excepthook__


class Cases(Dataset):
    """One case through a recipe's step, in a worker."""

    def __init__(self, step):
        self.step = step

    def __len__(self):
        return 1

    def __getitem__(self, _):
        return apply_transform(self.step, {"image": torch.zeros(1, 8, 8), "label": torch.zeros(1)})


@pytest.mark.parametrize("workers", [0, 1])
def test_what_a_step_is_called_with_is_told_from_a_loaders_worker_too(workers):
    step = RandWarpPatchd(["image", "labl"], (8, 8), (1, 1), ("linear", "nearest"))
    loader = DataLoader(Cases(step), num_workers=workers)
    with pytest.raises(RuntimeError, match="applying transform") as caught:
        next(iter(loader))
    assert str(root_error(caught.value)) == (
        "medseg.transforms.RandWarpPatchd: keys ['labl'] are not in the sample, "
        "which has ['image', 'label']"
    )
