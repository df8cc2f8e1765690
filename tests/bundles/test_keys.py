"""Config keys of a bundle: found by path, by last part and by meaning, from one source."""

import dataclasses
from pathlib import Path

import pytest
import torch

from medseg.bundles.configs import config_paths, read_config
from medseg.bundles.docstrings import documented_arguments
from medseg.bundles.keys import bundle_keys, is_argument, nested_paths, search_keys
from medseg.bundles.overrides import parse_overrides, resolve_key
from medseg.errors import UsageError
from medseg.training import Control
from tests.bundles.test_contract import BUNDLES
from tests.cli.conftest import command as command
from tests.conftest import BUNDLE

every_bundle = pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)


def opened(bundle, *names):
    paths = config_paths(bundle, names or ["train"])
    return read_config(paths), [Path(path).read_text() for path in paths]


@pytest.fixture(scope="module")
def config():
    return opened(BUNDLE)[0]


@every_bundle
def test_every_key_of_the_control_is_listed_once_with_its_meaning_and_its_words(bundle):
    keys = bundle_keys(*opened(bundle))
    documented = documented_arguments("medseg.training.Control")
    for field in dataclasses.fields(Control):
        if field.name == "experiment":  # it is the bundle's name
            continue
        found = [key for key in keys if key.path in (field.name, f"control#{field.name}")]
        assert len(found) == 1, field.name
        assert found[0].meaning == documented[field.name].meaning
        words = ["null" if word is None else word for word in documented[field.name].choices]
        assert list(found[0].choices) == words


@every_bundle
def test_no_path_is_listed_twice_and_each_can_be_overridden(bundle):
    config, texts = opened(bundle)
    keys = [key.path for key in bundle_keys(config, texts)]
    assert len(set(keys)) == len(keys)
    for path in keys:
        assert resolve_key(path.replace("#", "::"), config) == path.replace("#", "::")


@every_bundle
def test_each_key_of_the_configs_own_says_what_it_is(bundle):
    keys = bundle_keys(*opened(bundle))
    assert [key.path for key in keys if "#" not in key.path and not key.meaning] == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("ema", "control::ema"),  # not written in the config: a default of Control
        ("plateau_patience", "control::plateau_patience"),
        ("first_width", "network_def::first_width"),
        ("kernel_sizes", "network_def::kernel_sizes"),
        ("memory_format", "network::memory_format"),
        ("fn_weight", "loss::fn_weight"),
        ("weight_decay", "optimizer::weight_decay"),
        ("max_displacement_mm", "augmentation_steps::0::warp::elastic::max_displacement_mm"),
        ("epochs", "epochs"),
        ("control::ema", "control::ema"),
    ],
)
def test_an_override_finds_the_one_key_that_ends_so(name, path, config):
    assert parse_overrides([f"{name}=1"], config) == {path: 1}


def test_where_several_keys_end_so_they_are_named(config):
    with pytest.raises(
        UsageError, match=r"prob: several keys end in this; use the full path of one: .*#prob"
    ):
        parse_overrides(["prob=0.5"], config)


def test_an_argument_that_a_component_does_not_take_is_refused(config):
    assert is_argument("control::ema", config)
    assert not is_argument("control::emma", config)
    with pytest.raises(UsageError, match="control#emma: no such key"):
        parse_overrides(["control#emma=1"], config)


def test_keys_that_only_hand_on_another_are_not_found_under_it(config):
    assert nested_paths("learning_rate", config) == []


def test_a_search_looks_at_paths_components_and_meanings():
    keys = bundle_keys(*opened(BUNDLE))
    assert "control#ema" in {key.path for key in search_keys(keys, "Moving Average")}
    assert all(key.component == "RandGammad" for key in search_keys(keys, "randgamma"))
    assert search_keys(keys, "randgamma")
    assert search_keys(keys, "no such thing at all") == []


def test_arguments_are_read_from_signature_and_docstring():
    found = documented_arguments("medseg.networks.UNet")
    assert found["depth"].default == 5
    assert found["norm"].choices == ("none", "one", "both")
    assert "bottleneck included" in found["depth"].meaning
    assert found["out_channels"].default is ...
    assert documented_arguments("torch.optim.SGD")["nesterov"].default is False
    assert documented_arguments("nowhere.at.all") == {}
    assert documented_arguments("LoadImaged") == {}
    assert set(documented_arguments("torch.optim.SGD")) <= set(
        torch.optim.SGD.__init__.__code__.co_varnames
    )


def test_medseg_train_lists_and_searches_the_keys(command, capfd):
    assert command("train", BUNDLE, "--keys", "ema") == 0
    lines = capfd.readouterr().out.splitlines()
    row = next(line for line in lines if "control#ema" in line)
    assert "null" in row
    assert "exponential moving average" in row
    assert not any("patch_size" in line for line in lines)


def test_a_search_without_a_find_is_one_line(command, capfd):
    assert command("train", BUNDLE, "--keys", "xyzzy") == 2
    assert "no key, component or meaning contains 'xyzzy'" in capfd.readouterr().err


def test_listing_keys_imports_nothing_that_a_strangers_config_names(tmp_path, monkeypatch):
    (tmp_path / "stranger.py").write_text("raise SystemExit('ran')\n")
    monkeypatch.syspath_prepend(tmp_path)
    config = {"loss": {"_target_": "stranger.Loss", "weight": 1.0}}
    assert [key.path for key in bundle_keys(config, [])] == ["loss", "loss#weight"]
    assert resolve_key("weight", config) == "loss::weight"
    assert documented_arguments("torch.utils.bottleneck.__main__.main") == {}


def test_a_default_for_missing_weights_is_not_meant_by_its_last_part():
    config = read_config(config_paths(BUNDLE, ["inference"]))
    with pytest.raises(UsageError, match="first_width: no such key in this config"):
        resolve_key("first_width", config)
    path = "network_def::default::first_width"
    assert resolve_key(path, config) == path
