"""Fine-tuning: layers that fit are taken, the rest is told; a frozen encoder does not move."""

import logging

import pytest
import torch

from medseg.errors import DataError, UsageError
from medseg.networks import Provenance, UNet, load_weights, read_provenance, save_weights
from medseg.training.freeze import freeze_parts
from medseg.training.init_weights import init_weights
from tests.training.tiny import network, train

CHOICES = {"depth": 3, "first_width": 4, "norm_kind": "batch", "dropout": 0.2}


def unet(in_channels=1, out_channels=2, axes=2, **choices):
    return UNet(axes, in_channels, out_channels, **{**CHOICES, **choices})


@pytest.fixture
def weights(tmp_path):
    """A bundle's folder with weights of grey images and two classes."""
    path = tmp_path / "other" / "models" / "model.safetensors"
    path.parent.mkdir(parents=True)
    provenance = Provenance(bundle="other", version="1.2.0", data="cells", tensors_sha256="")
    torch.manual_seed(5)
    save_weights(unet(), path, {"class_names": ["background", "cell"]}, provenance)
    return path


def state_of(path):
    net = unet()
    load_weights(net, path)
    return net.state_dict()


def test_all_but_the_first_convolution_and_the_head_are_taken(weights, caplog):
    torch.manual_seed(6)
    net = unet(in_channels=3, out_channels=4)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    theirs = state_of(weights)
    with caplog.at_level(logging.INFO):
        init_weights(net, weights.parent.parent)
    for name, value in net.state_dict().items():
        fits = not name.startswith(("stem.0.", "head."))
        assert torch.equal(value, theirs[name] if fits else before[name]), name
    (line,) = caplog.messages
    assert f"{len(before) - 4} of {len(before)} tensors from other" in line
    assert "stem.0 ((4, 1, 3, 3) there, (4, 3, 3, 3) here)" in line
    assert "head ((2, 4, 1, 1) there, (4, 4, 1, 1) here)" in line


def test_a_layer_is_taken_whole_or_not(weights):
    # The stem's bias would fit, but belongs to a kernel that does not.
    net = unet(in_channels=3)
    init_weights(net, weights)
    assert not net.stem[0].bias.any()


def test_what_is_half_as_precise_is_taken_too(weights, tmp_path):
    from medseg.networks import halve_weights

    halve_weights(weights, tmp_path / "half.safetensors")
    net = unet()
    init_weights(net, tmp_path / "half.safetensors")
    for name, value in net.state_dict().items():
        assert torch.allclose(value.float(), state_of(weights)[name].float(), atol=1e-3), name
        assert value.dtype == state_of(weights)[name].dtype


def test_weights_of_volumes_fit_no_pictures(weights):
    with pytest.raises(UsageError, match="no convolution of it fits this network") as caught:
        init_weights(unet(axes=3), weights)
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="the same width"):
        init_weights(unet(first_width=6), weights)


def test_a_pickle_is_not_read(weights):
    with pytest.raises(DataError, match="safetensors"):
        init_weights(unet(), weights.with_suffix(".pt"))


def test_a_folder_without_weights_is_named(tmp_path):
    with pytest.raises(DataError, match=r"model\.safetensors"):
        init_weights(unet(), tmp_path)


def padded(size=8):
    rng = torch.Generator().manual_seed(0)
    return [
        {
            "image": torch.rand(1, size, size, generator=rng).numpy(),
            "label": torch.randint(0, 2, (1, size, size), generator=rng).byte().numpy(),
            "case": f"case_{n}",
        }
        for n in range(4)
    ]


def fine_tune(folder, weights, **choices):
    torch.manual_seed(9)
    choices = {"init_weights": str(weights), "epochs": 2, "ema": 0.9, **choices}
    return train(folder, net=unet(out_channels=2), data=padded(), **choices)


def test_the_header_says_whose_weights_it_started_from(weights, tmp_path):
    fine_tune(tmp_path / "run", weights)
    started = read_provenance(tmp_path / "run" / "models" / "model.safetensors").started_from
    assert (started.bundle, started.version, started.data) == ("other", "1.2.0", "cells")
    assert started.tensors_sha256 == read_provenance(weights).tensors_sha256


def test_a_frozen_encoder_does_not_move_nor_its_statistics(weights, tmp_path):
    trainer = fine_tune(tmp_path / "run", weights, freeze="encoder", clip_gradients=1.0)
    theirs = state_of(weights)
    saved = state_of(tmp_path / "run" / "models" / "model.safetensors")
    for state in (trainer.network.state_dict(), saved):
        moved = {name for name, value in state.items() if not torch.equal(value, theirs[name])}
        assert not {name for name in moved if name.startswith(("stem", "down"))}
        assert {"up.0.up.weight", "up.1.block.0.weight", "head.bias"} <= moved
        assert "up.1.block.1.running_mean" in moved


def test_a_frozen_part_computes_as_in_evaluation():
    net = unet()
    freeze_parts(net, "encoder")
    net.train()
    image = torch.randn(2, 1, 8, 8)
    first = net.stem(image)
    assert torch.equal(first, net.stem(image))  # no dropout
    assert torch.equal(first, net.eval().stem(image))  # the stored statistics
    assert not first.requires_grad


def test_a_layer_that_did_not_fit_is_trained_within_a_frozen_encoder():
    net = unet(in_channels=3)
    freeze_parts(net, "encoder", new={"stem.0"})
    net.train()(torch.rand(2, 3, 8, 8)).sum().backward()
    trained = {name for name, weight in net.named_parameters() if weight.grad is not None}
    frozen = {name for name in trained if name.startswith(("stem", "down"))}
    assert frozen == {"stem.0.weight", "stem.0.bias"}


def test_a_frozen_training_is_resumed_to_the_same_weights(weights, tmp_path):
    whole = fine_tune(tmp_path / "whole", weights, freeze="encoder", epochs=3)
    fine_tune(tmp_path / "parts", weights, freeze="encoder", epochs=1)
    parts = fine_tune(tmp_path / "parts", weights, freeze="encoder", epochs=3, start="resume")
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, parts.network.state_dict()[name]), name


def test_it_is_not_resumed_thawed_or_from_other_weights(weights, tmp_path):
    fine_tune(tmp_path / "run", weights, freeze="encoder", epochs=1)
    with pytest.raises(UsageError, match="freeze was 'encoder', is absent"):
        fine_tune(tmp_path / "run", weights, epochs=2, start="resume")
    other = tmp_path / "third.safetensors"
    save_weights(unet(), other, {})
    with pytest.raises(UsageError, match=r"init_weights\.StartedFrom\.bundle was 'other'"):
        fine_tune(tmp_path / "run", other, freeze="encoder", epochs=2, start="resume")


def test_a_network_that_does_not_say_its_encoder_is_not_frozen(tmp_path):
    with pytest.raises(UsageError, match="Sequential does not say what its encoder is"):
        train(tmp_path, net=network(), freeze="encoder")
    assert not list(tmp_path.rglob("*.safetensors"))
