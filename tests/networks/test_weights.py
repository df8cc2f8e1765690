"""What weights on disk promise."""

import json
import os

import pytest
import safetensors
import torch
from safetensors.torch import save_file
from torch import nn

from medseg.errors import DataError, UsageError
from medseg.networks import (
    MonaiNetwork,
    SegNet,
    UNet,
    halve_weights,
    load_weights,
    save_weights,
    trained_network,
    trained_setting,
)


def test_weights_come_back_as_they_were(tmp_path):
    one, two = nn.Conv3d(1, 2, 3), nn.Conv3d(1, 2, 3)
    save_weights(one, tmp_path / "model.safetensors", {})
    load_weights(two, tmp_path / "model.safetensors")
    assert torch.equal(one.weight, two.weight)
    assert torch.equal(one.bias, two.bias)


def test_the_pt_file_holds_the_same_tensors_and_nothing_else(tmp_path):
    network = nn.Linear(2, 3)
    save_weights(network, tmp_path / "model.safetensors", {})
    state = torch.load(tmp_path / "model.pt", weights_only=True)
    assert torch.equal(state["weight"], network.weight)


def test_settings_travel_in_the_header_of_a_file_any_safetensors_reader_opens(tmp_path):
    path = tmp_path / "model.safetensors"
    save_weights(nn.Linear(1, 1), path, {"window": [-1000.0, 200.0]})
    with safetensors.safe_open(path, framework="np") as file:
        assert json.loads(file.metadata()["settings"]) == {"window": [-1000.0, 200.0]}
    assert trained_setting(path, "window", None) == [-1000.0, 200.0]


def test_a_setting_falls_back_where_there_are_no_weights_or_they_do_not_say(tmp_path):
    path = tmp_path / "model.safetensors"
    assert trained_setting(path, "depth", 4) == 4
    save_weights(nn.Linear(1, 1), path, {})
    assert trained_setting(path, "depth", 4) == 4


def test_missing_weights_say_what_to_do(tmp_path):
    with pytest.raises(DataError, match=r"model\.safetensors: no weights there; train"):
        load_weights(nn.Linear(1, 1), tmp_path / "model.safetensors")


def test_a_broken_file_is_named(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"not weights")
    with pytest.raises(DataError, match="not a readable safetensors file"):
        load_weights(nn.Linear(1, 1), path)
    with pytest.raises(DataError, match="not a readable safetensors file"):
        trained_setting(path, "depth", 4)


@pytest.mark.parametrize("settings", ["no json", "[1]"])
def test_settings_that_others_wrote_are_refused_in_one_line(tmp_path, settings):
    path = tmp_path / "model.safetensors"
    save_file({"weight": torch.zeros(1)}, path, metadata={"settings": settings})
    with pytest.raises(DataError, match=r"model\.safetensors: its settings are not a JSON object"):
        trained_setting(path, "depth", 4)


def test_weights_have_the_usual_file_permissions(tmp_path):
    before = os.umask(0o022)
    try:
        save_weights(nn.Linear(1, 1), tmp_path / "model.safetensors", {})
    finally:
        os.umask(before)
    modes = {path.suffix: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {".safetensors": 0o644, ".pt": 0o644}


def test_weights_of_another_network_are_refused_in_one_line(tmp_path):
    path = tmp_path / "model.safetensors"
    save_weights(nn.Linear(1, 1), path, {})
    with pytest.raises(DataError, match="weights do not fit") as caught:
        load_weights(nn.Linear(2, 2), path)
    assert "\n" not in str(caught.value)


def test_a_failed_save_leaves_the_earlier_weights(tmp_path):
    path = tmp_path / "model.safetensors"
    network = nn.Linear(1, 1)
    save_weights(network, path, {"depth": 4})
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save_weights(network, path, {"depth": object()})
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model.pt", "model.safetensors"]


def test_halved_weights_load_as_float32_rounded_with_their_settings(tmp_path):
    path, half = tmp_path / "model.safetensors", tmp_path / "half.safetensors"
    network = UNet(2, 3, 2, depth=3, first_width=8, norm_kind="batch")
    network(torch.rand(2, 3, 16, 16))  # so that the norms have counted something
    save_weights(network, path, {"first_width": 8})
    halve_weights(path, half)
    loaded = UNet(2, 3, 2, depth=3, first_width=8, norm_kind="batch")
    load_weights(loaded, half)
    pairs = zip(network.state_dict().items(), loaded.state_dict().values(), strict=True)
    for (name, before), after in pairs:
        assert after.dtype == before.dtype, name
        kept = before.half().float() if before.dim() > 1 else before
        assert torch.equal(after, kept), name
    assert trained_setting(half, "first_width", None) == 8
    assert half.stat().st_size < 0.6 * path.stat().st_size
    assert torch.load(half.with_suffix(".pt"), weights_only=True)["head.weight"].dtype == torch.half


def test_weights_that_half_precision_cannot_hold_are_refused(tmp_path):
    network = nn.Linear(2, 2)
    nn.init.constant_(network.weight, 1e6)
    save_weights(network, tmp_path / "model.safetensors", {})
    with pytest.raises(DataError, match="weight holds values beyond float16's range"):
        halve_weights(tmp_path / "model.safetensors", tmp_path / "half.safetensors")
    assert not (tmp_path / "half.safetensors").exists()


def test_halving_weights_that_are_not_there_is_one_line(tmp_path):
    with pytest.raises(DataError, match="no weights there"):
        halve_weights(tmp_path / "model.safetensors", tmp_path / "half.safetensors")


def described(path, network, settings):
    """Weights at `path`, and what builds their network."""
    save_weights(network, path, settings)
    return path


DEFAULT = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2, "depth": 3, "first_width": 8}
SMALL = {"_target_": "medseg.networks.UNet", **DEFAULT, "depth": 2, "norm_kind": "batch"}


def small():
    return UNet(2, 1, 2, depth=2, first_width=8, norm_kind="batch")


def test_without_weights_a_network_is_the_default(tmp_path):
    network = trained_network(tmp_path / "model.safetensors", DEFAULT)
    assert len(network.levels.widths) == 3
    assert network.levels.widths[0] == 8


def test_a_network_is_what_the_header_of_its_weights_describes(tmp_path):
    settings = {"network": {**SMALL, "initialisation": "glorot"}}
    path = described(tmp_path / "model.safetensors", small(), settings)
    network = trained_network(path, {**DEFAULT, "out_channels": 7, "dropout": 0.5})
    load_weights(network, path)
    image = torch.rand(1, 1, 8, 8)
    again = small()
    load_weights(again, path)
    assert torch.equal(network.eval()(image), again.eval()(image))


@pytest.mark.parametrize(
    "network",
    [
        SegNet(2, 1, 2, convolutions=(1, 1), first_width=4),
        MonaiNetwork("AttentionUnet", 2, 1, 2, arguments={"channels": (4, 8), "strides": (2,)}),
        MonaiNetwork(
            "SegResNet",
            2,
            1,
            2,
            arguments={"init_filters": 8, "blocks_down": [1, 1], "blocks_up": [1]},
        ),
    ],
    ids=lambda network: str(network.describe().get("name", "SegNet")),
)
def test_networks_for_comparison_are_described_by_their_header_too(tmp_path, network):
    path = described(tmp_path / "model.safetensors", network, {"network": network.describe()})
    again = trained_network(path, DEFAULT)
    assert type(again) is type(network)
    load_weights(again, path)
    image = torch.rand(1, 1, 8, 8)
    assert torch.equal(again.eval()(image), network.eval()(image))


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ({"name": "DenseNet121"}, "name must be"),
        ({"name": "SegResNet", "arguments": {"blocks_down": [10**9, 1]}}, "up to 16"),
        ({"name": "SegResNet", "arguments": {"act": "os.system"}}, "has no argument 'act'"),
        ({"name": "AttentionUnet", "arguments": {"channels": [10**15, 10**15, 9]}}, "cannot be"),
    ],
)
def test_a_header_builds_no_other_and_no_endless_network_of_monais(tmp_path, network, message):
    about = {"_target_": "medseg.networks.MonaiNetwork", "spatial_dims": 2, "in_channels": 1}
    described_so = {**about, "out_channels": 2, **network}
    path = described(tmp_path / "model.safetensors", small(), {"network": described_so})
    with pytest.raises(DataError, match=message) as caught:
        trained_network(path, DEFAULT)
    assert "\n" not in str(caught.value)


def test_older_headers_say_some_arguments_and_the_default_the_others(tmp_path):
    settings = {"class_names": ["air", "fat", "bone"], "depth": 2, "epoch": 3, "window": [0, 1]}
    path = described(
        tmp_path / "model.safetensors", UNet(2, 1, 3, depth=2, first_width=8), settings
    )
    network = trained_network(path, DEFAULT)
    assert network.head.out_channels == 3
    load_weights(network, path)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ({**SMALL, "_target_": "os.system"}, r"is 'os\.system'; it can only be medseg\.networks"),
        ({**SMALL, "_target_": ["os.system"]}, "it can only be medseg"),
        ({**SMALL, "command": "rm"}, "has the argument 'command', which medseg.networks.UNet does"),
        ({**SMALL, "depth": "deep"}, "cannot be built"),
        ({**SMALL, "growth": 1e300, "depth": 9}, "cannot be built"),
        ({"_target_": "medseg.networks.UNet"}, "cannot be built: .* missing"),
        ("medseg.networks.UNet", "cannot be built"),
        ({**SMALL, "first_width": 100_000_000}, "is another than that of its weights"),
        ({**SMALL, "depth": 10**12}, "is another than that of its weights"),
        ({**SMALL, "norm_kind": "instance"}, "is another than that of its weights"),
    ],
)
def test_a_header_that_describes_something_else_is_refused_in_one_line(tmp_path, network, message):
    path = described(tmp_path / "model.safetensors", small(), {"network": network})
    with pytest.raises(DataError, match=message) as caught:
        trained_network(path, DEFAULT)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_default_that_is_no_network_is_the_configs_fault(tmp_path):
    with pytest.raises(UsageError, match="has the argument 'width'"):
        trained_network(tmp_path / "model.safetensors", {**DEFAULT, "width": 8})


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (UNet(3, 1, 2, depth=2, first_width=8), "is for 3 spatial axes, this bundle's for 2"),
        (UNet(2, 3, 2, depth=2, first_width=8), "is for 3 image channels, this bundle's for 1"),
    ],
)
def test_weights_of_a_bundle_for_other_images_are_refused(tmp_path, network, message):
    # Whole volumes are labelled slice by slice by a 2-D network, whatever it was trained on.
    path = tmp_path / "model.safetensors"
    save_weights(network, path, {"network": network.describe()})
    default = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2}
    with pytest.raises(DataError, match=message):
        trained_network(path, default)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"network": ' + "9" * 5000 + "}", "{", "[1]"])
def test_settings_that_no_parser_should_follow_are_refused_in_one_line(tmp_path, text):
    path = tmp_path / "model.safetensors"
    safetensors.torch.save_file({"a": torch.zeros(1)}, path, {"settings": text})
    with pytest.raises(DataError, match="its settings are not a JSON object"):
        trained_setting(path, "window", None)
