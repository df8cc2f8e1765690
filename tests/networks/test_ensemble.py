"""What an ensemble promises: the mean of its members' probabilities, as logits of one network."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from medseg.errors import DataError, UsageError
from medseg.inference import open_engine
from medseg.networks import (
    Ensemble,
    UNet,
    load_weights,
    read_provenance,
    save_weights,
    trained_network,
    trained_setting,
)
from medseg.networks.members import (
    fold_file,
    fold_of,
    joint_sha256,
    one_fold,
    stands_for,
    weights_members,
    with_fold,
)
from medseg.networks.provenance import Provenance

SMALL = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2, "first_width": 2, "depth": 2}


class Says(nn.Module):
    """A network that returns the same logits for every pixel."""

    def __init__(self, *logits):
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, images):
        return self.logits[None, :, None, None].expand(len(images), -1, *images.shape[2:])


def small(seed, **changes):
    torch.manual_seed(seed)
    return UNet(**{**SMALL, **changes}).eval()


def put(folder, count, *, folds=None, settings=None, bundle="mine", **changes):
    """Weights of folds, as a cross-validation places them."""
    networks = [small(number, **changes) for number in range(count)]
    for number, network in enumerate(networks):
        path = folder / "trained" / f"{number}.safetensors"
        stated = {"window": [0.0, 1.0], "network": network.describe(), "epoch": number}
        provenance = Provenance(bundle=bundle, version="1.0.0", data="set", tensors_sha256="")
        save_weights(network, path, {**stated, **(settings or {}).get(number, {})}, provenance)
        fold_file(folder, number).write_bytes(with_fold(path, number, folds or count))
    return networks


def test_the_mean_of_two_probabilities_by_hand():
    # 0.9 and 0.5 for class 1: the mean is 0.7, whatever the networks call it.
    one, two = Says(0.0, math.log(9)), Says(3.0, 3.0)
    logits = Ensemble([one, two])(torch.zeros(1, 1, 2, 2))
    assert logits.softmax(dim=1)[0, :, 0, 0].tolist() == pytest.approx([0.3, 0.7], abs=1e-6)


def test_classes_that_overlap_are_averaged_each_by_itself():
    # sigmoid(0) = 0.5 and sigmoid(log 9) = 0.9 for both classes at once.
    one, two = Says(0.0, math.log(9)), Says(math.log(9), math.log(9))
    logits = Ensemble([one, two], "sigmoid")(torch.zeros(1, 1, 2, 2))
    assert logits.sigmoid()[0, :, 0, 0].tolist() == pytest.approx([0.7, 0.9], abs=1e-6)


@given(
    logits=st.lists(st.lists(st.floats(-80, 80), min_size=3, max_size=3), min_size=1, max_size=4),
    activation=st.sampled_from(["softmax", "sigmoid"]),
)
def test_it_is_finite_and_no_member_order_matters(logits, activation):
    image = torch.zeros(1, 1, 1, 1)
    forward = Ensemble([Says(*one) for one in logits], activation)(image)
    backward = Ensemble([Says(*one) for one in logits[::-1]], activation)(image)
    assert torch.isfinite(forward).all()
    torch.testing.assert_close(forward, backward, rtol=1e-4, atol=1e-4)


def test_one_member_alone_gives_its_own_probabilities():
    network, image = small(0), torch.randn(1, 1, 16, 16)
    with torch.no_grad():
        alone, member = Ensemble([network])(image), network(image)
    torch.testing.assert_close(alone.softmax(dim=1), member.softmax(dim=1))


def test_an_ensemble_without_members_or_of_another_kind_is_refused():
    with pytest.raises(UsageError, match="at least one network"):
        Ensemble([])
    with pytest.raises(UsageError, match=r"activation must be one of softmax, sigmoid"):
        Ensemble([small(0)], "tanh")


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_openvino_computes_the_same(activation):
    pytest.importorskip("openvino")
    ensemble = Ensemble([small(0), small(1)], activation).eval()
    engine = open_engine(
        ensemble,
        engine="openvino",
        precision="fp32",
        window=(16, 16),
        channels=1,
        device=torch.device("cpu"),
    )
    windows = torch.randn(2, 1, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(engine(windows), ensemble(windows), rtol=1e-3, atol=1e-3)


def test_folds_stand_for_the_weights_that_are_not_there(tmp_path):
    networks = put(tmp_path, 3)
    path = tmp_path / "model.safetensors"
    ensemble = trained_network(path, SMALL)
    assert isinstance(ensemble, Ensemble)
    load_weights(ensemble, path)
    image = torch.randn(1, 1, 16, 16)
    with torch.no_grad():
        mean = sum(one(image).softmax(dim=1) for one in networks) / 3
        torch.testing.assert_close(ensemble.eval()(image).softmax(dim=1), mean)
    assert trained_setting(path, "window", None) == [0.0, 1.0]
    assert stands_for(path)
    assert weights_members(tmp_path) == weights_members(path)


def test_weights_that_are_there_are_used_alone(tmp_path):
    put(tmp_path, 2)
    path = tmp_path / "model.safetensors"
    save_weights(small(7), path, {"network": small(7).describe()})
    assert weights_members(path) == (path,)
    assert isinstance(trained_network(path, SMALL), UNet)


def test_their_provenance_is_one_with_a_digest_of_all(tmp_path):
    put(tmp_path, 2)
    found = read_provenance(tmp_path / "model.safetensors")
    each = [read_provenance(fold_file(tmp_path, fold)).tensors_sha256 for fold in (0, 1)]
    assert (found.bundle, found.version, found.data, found.members) == ("mine", "1.0.0", "set", 2)
    assert found.tensors_sha256 == joint_sha256(each)
    assert found.tensors_sha256 not in each


def test_a_fold_says_which_it_is_and_its_tensors_are_as_they_were(tmp_path):
    put(tmp_path, 2)
    assert fold_of(fold_file(tmp_path, 1)) == (1, 2)
    whole = read_provenance(tmp_path / "trained" / "1.safetensors")
    assert read_provenance(fold_file(tmp_path, 1)).tensors_sha256 == whole.tensors_sha256


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_an_ensemble_that_lacks_a_fold_is_refused_and_names_it(tmp_path, missing):
    put(tmp_path, 3)
    fold_file(tmp_path, missing).unlink()
    with pytest.raises(DataError, match=rf"fold_{missing}\.safetensors: missing, one of 3 folds"):
        weights_members(tmp_path / "model.safetensors")


def test_folds_of_different_settings_are_no_ensemble(tmp_path):
    put(tmp_path, 2, settings={1: {"window": [0.0, 2.0]}})
    with pytest.raises(DataError, match=r"fold_1\.safetensors: was trained with another window"):
        trained_setting(tmp_path / "model.safetensors", "window", None)


def test_folds_of_two_bundles_are_no_ensemble(tmp_path):
    put(tmp_path, 2)
    other = tmp_path / "other"
    put(other, 2, bundle="yours")
    fold_file(tmp_path, 1).write_bytes(fold_file(other, 1).read_bytes())
    with pytest.raises(DataError, match="trained by yours on set"):
        read_provenance(tmp_path / "model.safetensors")


def test_a_fold_that_is_not_there_is_told_with_those_that_are(tmp_path):
    put(tmp_path, 2)
    assert one_fold(tmp_path, 1) == fold_file(tmp_path, 1)
    with pytest.raises(UsageError, match=r"--fold 4: .* has folds 0, 1"):
        one_fold(tmp_path, 4)
    with pytest.raises(UsageError, match="medseg crossvalidate trains them"):
        one_fold(tmp_path / "trained", 0)


def test_an_ensemble_does_not_score_cases_that_its_members_were_trained_on(tmp_path):
    put(tmp_path, 2)
    path = tmp_path / "model.safetensors"
    ensemble = trained_network(path, SMALL)
    with pytest.raises(DataError, match=r"split=test\).*ckpt_path=.*fold_1\.safetensors"):
        load_weights(ensemble, path, held_out=1)
    load_weights(small(5), fold_file(tmp_path, 1), held_out=1)
    with pytest.raises(DataError, match=r"did not see: fold=1"):
        load_weights(small(5), fold_file(tmp_path, 1), held_out=0)


def test_the_weights_of_folds_do_not_load_into_one_network(tmp_path):
    put(tmp_path, 2)
    with pytest.raises(DataError, match="weights of 2 networks, and the config has 1"):
        load_weights(small(0), tmp_path / "model.safetensors")
