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
from medseg.networks import load_weights, trained_network
from tests.conftest import REPOSITORY

# TensorBoard's and MONAI's deprecations are theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

MOST_BYTES = 8_000_000
LET_THROUGH = re.compile(r"^!(bundles/\w+)/models/model\.safetensors$", re.MULTILINE)
SHIPPING = [
    REPOSITORY / name for name in LET_THROUGH.findall((REPOSITORY / ".gitignore").read_text())
]

every_shipping_bundle = pytest.mark.parametrize("bundle", SHIPPING, ids=lambda path: path.name)


def weights_of(bundle):
    return bundle / "models" / "model.safetensors"


def settings_of(bundle):
    with safe_open(weights_of(bundle), framework="pt") as file:
        return json.loads(file.metadata()["settings"])


@every_shipping_bundle
def test_shipped_weights_are_small(bundle):
    assert weights_of(bundle).stat().st_size <= MOST_BYTES


@every_shipping_bundle
def test_the_card_tells_the_digest_of_the_weights_and_their_licence(bundle):
    card = (bundle / "docs" / "README.md").read_text()
    assert hashlib.sha256(weights_of(bundle).read_bytes()).hexdigest() in card
    licence = re.search(r"CC BY(-SA)? 4\.0|CC0", card)
    assert licence is not None
    assert licence[0] in (bundle / "docs" / "data_license.txt").read_text()


@every_shipping_bundle
def test_the_header_holds_every_setting_of_a_training(bundle):
    train = yaml.safe_load((bundle / "configs" / "train.yaml").read_text())
    settings = set(settings_of(bundle))
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
    path, settings = weights_of(bundle), settings_of(bundle)
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
        logits = network(image)
    assert logits.shape == (1, classes, *settings["patch_size"])
    assert bool(logits.isfinite().all())
