"""A misspelt key gets those that may be meant, also by the names that other programs have."""

import pytest

from medseg.bundles.configs import config_paths, read_config
from medseg.bundles.near_keys import how_to_list, near_keys
from tests.conftest import BUNDLE

TRAIN = read_config(config_paths(BUNDLE, ["train"]))


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("lr", ["learning_rate"]),
        ("epoch", ["epochs"]),
        ("max_epochs", ["epochs"]),
        ("num_epochs", ["epochs"]),
        ("n_epochs", ["epochs"]),
        ("bs", ["batch_size"]),
        ("batchsize", ["batch_size"]),
        ("Batch-Size", ["batch_size"]),
        ("patchsize", ["patch_size"]),
        ("roi_size", ["patch_size"]),
        ("seeds", ["seed"]),
        ("wd", ["weight_decay"]),
        ("workers", ["num_workers"]),
        ("gpu", ["device"]),
        ("learning_rat", ["learning_rate"]),
        ("control::emma", ["control#ema"]),
        ("zzz", []),
    ],
)
def test_what_is_meant(key, meant):
    assert near_keys(key, TRAIN) == meant


def test_few_keys_are_listed_and_many_have_a_command_that_lists_them():
    assert how_to_list({"b": 1, "a": 2, "_meta_": {}}) == "keys: a, b"
    assert how_to_list(TRAIN) == "medseg train BUNDLE --keys lists all"
    inference = read_config(config_paths(BUNDLE, ["inference"]))
    assert how_to_list(inference) == "medseg train BUNDLE --config inference --keys lists all"
