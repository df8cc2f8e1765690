"""Bundles of other makers under medseg predict: MONAI's labels, or one line on what is missing."""

import nibabel
import numpy as np
import pytest
import torch
from monai.bundle import run
from monai.networks.nets import UNet

from medseg.bundles.foreign.adapter import open_foreign
from medseg.bundles.foreign.fit import importable, is_foreign, missing_for_predict
from medseg.bundles.foreign.weights import bundle_weights
from medseg.bundles.judgement.door import judge_working
from medseg.bundles.judgement.trust import add_trust
from medseg.bundles.opened import open_configs
from medseg.data import read_volume
from medseg.errors import DataError, MedsegError, NeedsTrustError, UsageError
from medseg.networks import save_weights
from tests.bundles.foreign.builders import (
    ARG_MAX,
    BACK,
    NETWORK,
    inference,
    metadata,
    write_bundle,
    write_image,
)

# MONAI says on each use that a config is a program.
pytestmark = pytest.mark.filterwarnings("ignore")


def trust(bundle):
    judged = judge_working(bundle)
    if judged.standing is None:
        add_trust(judged.judgement.digest, name=bundle.name, reason="a test")
    return bundle


def opened(bundle):
    return open_configs(trust(bundle), ["inference"])


def label(bundle, image):
    configs = opened(bundle)
    predictor = open_foreign(configs, bundle_weights(configs))
    return predictor, predictor.label(predictor.prepare(read_volume(image)))


@pytest.fixture
def bundle(tmp_path):
    return write_bundle(tmp_path / "two_organs", inference(), metadata())


def test_the_label_is_that_of_monais_own_run(bundle, tmp_path):
    image = write_image(tmp_path / "ct.nii.gz")
    predictor, ours = label(bundle, image)
    given = {
        "bundle_root": str(bundle),
        "datalist": [str(image)],
        "output_dir": str(tmp_path / "out"),
    }
    run(
        "run",
        config_file=str(bundle / "configs" / "inference.json"),
        logging_file=False,
        imports=["$import glob"],
        **given,
    )
    (path,) = (tmp_path / "out").rglob("*.nii.gz")
    theirs = nibabel.load(path)
    np.testing.assert_array_equal(ours.array, np.asarray(theirs.dataobj).squeeze())
    np.testing.assert_allclose(ours.affine, theirs.affine, atol=1e-4)
    assert set(np.unique(ours.array)) == {0, 1, 2}
    assert predictor.class_names == ("background", "Left Kidney", "Liver")
    assert (predictor.name, predictor.version) == ("two_organs", "0.5.9")


def test_a_label_that_its_config_would_interpolate_is_returned_by_nearest_neighbour(tmp_path):
    # Arg-max before the way back: between classes 0 and 2 linear interpolation would find class 1.
    bundle = write_bundle(tmp_path / "b", inference(after=(ARG_MAX, BACK)), metadata())
    image = write_image(tmp_path / "ct.nii.gz")
    _, nearest = label(bundle, image)
    assert nearest.array.dtype == np.uint8
    assert nearest.array.shape == (22, 18, 20)


def test_a_postprocessing_without_the_way_back_is_told(tmp_path):
    bundle = write_bundle(tmp_path / "b", inference(after=(ARG_MAX,)), metadata())
    with pytest.raises(DataError, match=r"not one label of the image's \(22, 18, 20\)"):
        label(bundle, write_image(tmp_path / "ct.nii.gz"))


def test_a_bundle_that_nobody_trusts_is_not_opened(tmp_path):
    config = inference()
    config["preprocessing"]["transforms"].append(
        {"_target_": "Lambdad", "keys": "image", "func": "$lambda x: x * 1"}
    )
    bundle = write_bundle(tmp_path / "stranger", config, metadata())
    with pytest.raises(NeedsTrustError, match="stranger: needs trust, not run: "):
        open_configs(bundle, ["inference"])
    places = judge_working(bundle).judgement.places
    assert any("Lambdad" in str(place) for place in places)


def test_tensors_of_a_pt_are_kept_as_safetensors_by_its_digest(bundle):
    first = bundle_weights(opened(bundle))
    assert first.suffix == ".safetensors"
    assert not first.is_relative_to(bundle)
    assert bundle_weights(opened(bundle)) == first


def test_safetensors_of_the_bundle_go_first(bundle):
    torch.manual_seed(1)
    path = bundle / "models" / "model.safetensors"
    save_weights(UNet(**NETWORK), path, {})
    assert bundle_weights(opened(bundle)) == path


@pytest.mark.parametrize("content", [b"", b"no pickle", b"PK\x03\x04"])
def test_a_pt_without_tensors_is_one_line(content, bundle):
    (bundle / "models" / "model.pt").write_bytes(content)
    # The door may refuse it before anything is read.
    with pytest.raises(MedsegError) as caught:
        bundle_weights(opened(bundle))
    assert "\n" not in str(caught.value)


def test_weights_of_another_network_are_one_line(bundle):
    other = {**NETWORK, "channels": [4, 16]}
    torch.save(UNet(**other).state_dict(), bundle / "models" / "model.pt")
    configs = opened(bundle)
    with pytest.raises(DataError, match="do not fit the config's network"):
        open_foreign(configs, bundle_weights(configs))


def without(key):
    def change(config, _):
        del config[key]

    return change


def with_channels(config, described):
    described["network_data_format"]["inputs"]["image"]["num_channels"] = 4


def with_classes(config, described):
    described["network_data_format"]["outputs"]["pred"]["format"] = "classes"


def with_code(config, _):
    config["network_def"] = {"_target_": "scripts.networks.unest.UNesT"}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (without("inferer"), "its inference config has no inferer"),
        (without("network_def"), "its inference config has no network_def"),
        (with_channels, "its network takes 4 channels; medseg predict takes 1 or 3"),
        (with_classes, "its output is no label of voxels"),
        (with_code, "needs its own code, scripts.networks.unest.UNesT, which is not in its folder"),
    ],
)
def test_what_is_missing_is_told_before_weights_are_looked_for(change, line, tmp_path):
    config, described = inference(), metadata()
    change(config, described)
    bundle = write_bundle(tmp_path / "b", config, described, weights="none")
    with pytest.raises(UsageError, match=line):
        bundle_weights(opened(bundle))


def test_missing_weights_are_told_with_the_place_for_them(tmp_path):
    bundle = write_bundle(tmp_path / "b", inference(), metadata(), weights="none")
    with pytest.raises(DataError, match=r"no weights; put them at models/model\.safetensors"):
        bundle_weights(opened(bundle))


def test_code_that_is_there_is_not_missing():
    config = {**inference(), "network_def": {"_target_": "scripts.net.Net"}}
    assert missing_for_predict(config, metadata(), ["scripts/net.py"]) is None
    assert missing_for_predict(config, metadata(), ["scripts/other.py"]) is not None


def test_imports_of_packages_that_are_not_there_are_left_out():
    assert importable(inference())["imports"] == ["$import glob"]


def test_a_bundle_of_medsegs_form_is_not_foreign():
    assert is_foreign(inference())
    assert not is_foreign({"preprocessing": {}, "preprocessing_steps": []})
