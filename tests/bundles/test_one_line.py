"""What a user reads under plain MONAI when something goes wrong."""

import subprocess
import sys

import pytest
from monai.utils import instantiate

from medseg.bundles.one_line import root_error
from medseg.errors import UsageError


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


def told(statement):
    script = f"from medseg.bundles.one_line import explain_errors; explain_errors(); {statement}"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


def test_the_hook_tells_a_users_error_in_one_line_with_its_code():
    raised = "from medseg.errors import DataError; raise KeyError() from DataError('a: b; c')"
    assert told(raised) == (3, "medseg: a: b; c\n")


def test_the_hook_tells_an_interruption_in_one_line():
    assert told("raise KeyboardInterrupt") == (75, "medseg: interrupted\n")


def test_the_hook_leaves_a_bug_its_traceback():
    code, stderr = told("1 / 0")
    assert code == 1
    assert stderr.startswith("Traceback")
    assert stderr.endswith("ZeroDivisionError: division by zero\n")
