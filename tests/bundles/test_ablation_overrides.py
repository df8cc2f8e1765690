"""Rows of the published studies, as overrides of a bundle: trained, and scored by its header."""

import csv

import pytest

from medseg.bundles import run_bundle
from medseg.networks import read_provenance, trained_setting
from tests.conftest import REPOSITORY
from tests.glands import SIZE, write_glands

BUNDLE = REPOSITORY / "bundles" / "ebhi_histology_unet2d"
TINY = {
    "patch_size": [SIZE, SIZE],
    "network_def#first_width": 4,
    "network_def#depth": 3,
    "epochs": 1,
    "iterations_per_epoch": 2,
    "tensorboard": "none",
}
OF_IMAGES = {"spatial_dims": 2, "in_channels": 3, "out_channels": "$len(@class_names)"}
DICE = {"_target_": "medseg.losses.SoftDiceLoss", "classes": "foreground"}
JACCARD = {"_target_": "medseg.losses.JaccardLoss", "classes": "foreground"}
PARAMETERS = "$@network.parameters()"

# torch, TensorBoard and MONAI warn of what is theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    write_glands(folder)
    return folder


def train(pictures, folder, **overrides):
    run_bundle(
        BUNDLE,
        configs=["train"],
        run_id="training",
        overrides={
            "dataset_dir": str(pictures), "output_dir": str(folder), **TINY, **overrides
        },
        log="quiet",
    )  # fmt: skip
    return folder / "models" / "model.safetensors"


def evaluate(pictures, weights, folder, **overrides):
    run_bundle(
        BUNDLE,
        configs=["train", "evaluate"],
        run_id="evaluating",
        overrides={
            "dataset_dir": str(pictures),
            "output_dir": str(folder),
            "ckpt_path": str(weights),
            "engine": "torch",
            **overrides,
        },
        log="quiet",
    )
    with (folder / "scores.csv").open(encoding="utf-8") as file:
        return [float(row["dsc"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    "row",
    [
        {
            "network_def": {
                "_target_": "medseg.networks.SegNet",
                "convolutions": [1, 1],
                "first_width": 4,
                **OF_IMAGES,
            },
            "loss": {"_target_": "medseg.losses.CrossEntropyLoss"},
        },
        {
            "network_def": {
                "_target_": "medseg.networks.MonaiNetwork",
                "name": "AttentionUnet",
                "arguments": {"channels": [4, 8], "strides": [2]},
                **OF_IMAGES,
            },
            "loss": {
                "_target_": "medseg.losses.MixedLoss",
                "losses": [DICE, JACCARD],
                "weights": [0.7, 0.3],
            },
        },
        {
            "network_def#norm": "one",
            "network_def#norm_kind": "batch",
            "network_def#input_norm": "batch",
            "network_def#initialisation": "torch",
            "network_def#growth": 1,
            "loss": JACCARD,
            "optimizer": {
                "_target_": "torch.optim.SGD",
                "params": PARAMETERS,
                "lr": "@learning_rate",
                "momentum": 0.9,
            },
            "learning_rate": 0.000003,
        },
        {
            "network_def#norm": "none",
            "optimizer": {
                "_target_": "torch.optim.Adadelta",
                "params": PARAMETERS,
                "lr": "@learning_rate",
            },
            "train_most": 2,
            "label_steps": [
                {
                    "_target_": "medseg.transforms.LabelNoised",
                    "keys": "label",
                    "share": 0.2,
                    "classes": 2,
                    "block_size": 4,
                },
                {"_target_": "medseg.transforms.ClassVoxelsd", "keys": "label"},
            ],
        },
    ],
    ids=["segnet", "attention", "flat", "noisy"],
)
def test_a_row_is_trained_and_scored_without_trust(pictures, tmp_path, row):
    weights = train(pictures, tmp_path / "run", **row)
    assert len(evaluate(pictures, weights, tmp_path / "scores")) == 3


def test_fewer_images_are_those_of_the_seed(pictures, tmp_path):
    def images(seed):
        weights = train(pictures, tmp_path / str(seed), train_most=1, seed=seed)
        return read_provenance(weights).images

    first, second = images(1), images(3)
    assert first.count == second.count == 1
    assert first.percentiles != second.percentiles


def test_a_shift_lowers_the_score_in_the_same_way_each_time(pictures, tmp_path):
    weights = train(
        pictures, tmp_path / "run", epochs=3, iterations_per_epoch=8, learning_rate=0.01
    )
    noise = {"_target_": "medseg.transforms.RandGaussianNoised", "keys": "image"}
    shift = {"shift_steps": [{**noise, "std_range": [90, 90], "prob": 1}]}
    plain = evaluate(pictures, weights, tmp_path / "plain")
    first, again = (
        evaluate(pictures, weights, tmp_path / folder, **shift) for folder in ("first", "again")
    )
    assert first == again
    assert sum(first) < sum(plain)


def test_a_bundle_is_fine_tuned_from_another_ones_weights(pictures, tmp_path):
    first = train(pictures, tmp_path / "first")
    second = train(pictures, tmp_path / "second", init_weights=str(first), freeze="encoder")
    started = read_provenance(second).started_from
    assert started.bundle == BUNDLE.name
    assert started.tensors_sha256 == read_provenance(first).tensors_sha256
    assert trained_setting(second, "network", {})["first_width"] == 4
