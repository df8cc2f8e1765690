"""What committed weights promise: small, complete, the card's, and of use on a fresh clone.

Which bundles ship theirs is what `.gitignore` lets through: a training of one's own may lie in any
bundle's `models/`, and promises nothing.
"""

import hashlib
import json
import re

import pytest
import torch
import yaml
from safetensors import safe_open

from medseg.bundles import load_metadata
from medseg.networks import load_weights, read_provenance, trained_network
from medseg.networks.members import weights_members
from tests.conftest import REPOSITORY

# TensorBoard's and MONAI's deprecations are theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

MOST_BYTES = 8_000_000
LET_THROUGH = re.compile(r"^!(bundles/\w+)/models/(?:model|fold_\*)\.safetensors$", re.MULTILINE)
SHIPPING = [
    REPOSITORY / name for name in LET_THROUGH.findall((REPOSITORY / ".gitignore").read_text())
]

every_shipping_bundle = pytest.mark.parametrize("bundle", SHIPPING, ids=lambda path: path.name)


def weights_of(bundle):
    """The file that ships; of an ensemble each fold's."""
    return weights_members(bundle / "models" / "model.safetensors")


def settings_of(path):
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["settings"])


@every_shipping_bundle
def test_shipped_weights_are_small(bundle):
    assert sum(path.stat().st_size for path in weights_of(bundle)) <= MOST_BYTES


@every_shipping_bundle
def test_the_card_tells_the_digest_of_the_weights_and_their_licence(bundle):
    card = (bundle / "docs" / "README.md").read_text()
    for path in weights_of(bundle):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in card
    licence = re.search(r"CC BY(-SA)? [34]\.0|CC0", card)
    assert licence is not None
    assert licence[0] in (bundle / "docs" / "data_license.txt").read_text()


@every_shipping_bundle
def test_the_header_holds_every_setting_of_a_training(bundle):
    train = yaml.safe_load((bundle / "configs" / "train.yaml").read_text())
    for path in weights_of(bundle):
        settings = set(settings_of(path))
        # Older weights have the network's arguments one by one.
        network = {"network"} if "network" in settings else {"first_width", "depth", "norm_kind"}
        assert (set(train["settings"]) - {"network"}) | network <= settings


@every_shipping_bundle
def test_the_metadata_tells_scores(bundle):
    metrics = load_metadata(bundle / "configs" / "metadata.json").eval_metrics
    assert metrics
    assert all(0 <= value <= 1 for name, value in metrics.items() if "dice" in name)


@every_shipping_bundle
def test_they_fit_the_network_they_tell_of_and_give_a_number_for_every_class(bundle):
    for path in weights_of(bundle):
        logits, expected = logits_of(path, settings_of(path))
        assert logits.shape == expected
        assert bool(logits.isfinite().all())


def logits_of(path, settings):
    with safe_open(path, framework="pt") as file:
        axes = file.get_tensor("stem.0.weight").dim() - 2
        channels = file.get_tensor("stem.0.weight").shape[1]
    classes = len(settings["class_names"])
    # What the header says wins over the default.
    default = {"spatial_dims": axes, "in_channels": channels, "out_channels": 1, "first_width": 99}
    network = trained_network(path, default).eval()
    load_weights(network, path)
    image = torch.rand((1, channels, *settings["patch_size"]), generator=torch.manual_seed(0))
    with torch.no_grad():
        return network(image), (1, classes, *settings["patch_size"])


# Of the files that were trained, before their header told of it.
TENSORS = {
    "abdominal_fat_mri_unet2d": "020af574ae0489c42463accc468894f1e37e73473a6285433672602f6bdd861f",
    "covid_lung_ct_unet3d": "6af5b816237d4a84643ada01a66594ef861a04b8c34bdcb127937c0ed75bed4f",
    "ebhi_histology_unet2d": "48c02b51a3d1185c1454d58de449c3e39b205bdf8259ffb2a61fc5f6a578e303",
    "hippocampus_mri_unet3d": "c2e7168ba17acfcb8bc18d444b20531a9655a35ea06521d6e33ef265b5df1fea",
    "nuclei_unet2d": "d3b8b61c5a5503e10a0202cf40b3d1cd900dd4d72586110b9e06dad134e77323",
    "sarcoma_pet_mr_unet3d": [
        "1a3746e74b9e3e1b7ed9a1f5ccaf84510a7825f2b12ac5206ecb9192b44eb662",
        "7d0559c113c17b3eeb8cedff796f1754c375d9afe38083363fb0cb32f092bc29",
        "602282fb20389e47b4bdea01ad20dc1eea38e3fa0b3c629b916a6eb549ea6db7",
        "622dde50aba2db3baf2bcf81841fb6c508db7f217cb92d6cd7fed51166840602",
        "74d9a3e4949360983b57afefd4fa1ca5ab24f94032f1813a5b9b92a192a94dbf",
    ],
}
TRAINED_ON = {
    "abdominal_fat_mri_unet2d": ("abdominal_fat_phantoms", "phantoms", "MR", 160),
    "covid_lung_ct_unet3d": ("chest_phantoms", "phantoms", "CT", 30),
    "ebhi_histology_unet2d": ("ebhi_seg", "images", "histology", 90),
    "hippocampus_mri_unet3d": ("msd_hippocampus", "images", "MR", 139),
    "nuclei_unet2d": ("dsb2018_nuclei", "images", "microscopy", 143),
    # Five folds, of which one holds out six patients and the others five.
    "sarcoma_pet_mr_unet3d": ("sarcoma_pet_mr", "images", "PT", 20, 21),
}


@every_shipping_bundle
def test_they_say_where_they_come_from_and_their_tensors_are_those_that_were_trained(bundle):
    tensors = []
    for path in weights_of(bundle):
        found = read_provenance(path)
        assert found.bundle == bundle.name
        assert found.version in load_metadata(bundle / "configs" / "metadata.json").changelog
        assert found.images is not None
        stated = (found.data, found.trained_on, found.images.modality)
        assert stated == TRAINED_ON[bundle.name][:3]
        assert found.images.count in TRAINED_ON[bundle.name][3:]
        with safe_open(path, framework="pt") as file:
            assert file.metadata()["tensors_sha256"] == found.tensors_sha256
        tensors.append(found.tensors_sha256)
    expected = TENSORS[bundle.name]
    assert tensors == ([expected] if isinstance(expected, str) else expected)


@every_shipping_bundle
def test_phantoms_are_named_where_the_card_names_them(bundle):
    card = (bundle / "docs" / "README.md").read_text()
    phantoms = re.search(r"weights that ship.{0,40}phantoms", card) is not None
    for path in weights_of(bundle):
        assert phantoms == (read_provenance(path).trained_on == "phantoms")
