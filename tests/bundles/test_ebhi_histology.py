"""The histology bundle end to end, on drawn glands of two tissue classes, one of them rare."""

import csv
import json
import shutil
import sys

import numpy as np
import pytest

from medseg.bundles import run_bundle
from medseg.cli.main import main
from medseg.data.images.raster import read_raster
from medseg.networks import trained_setting
from tests.conftest import REPOSITORY
from tests.glands import SIZE, write_glands

BUNDLE = REPOSITORY / "bundles" / "ebhi_histology_unet2d"
QUICK = {
    "patch_size": [SIZE, SIZE],
    "first_width": 8,
    "depth": 3,
    "epochs": 3,
    "iterations_per_epoch": 8,
    "learning_rate": 0.01,
    "early_stop_patience": None,
}

# torch and TensorBoard warn of what is theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    write_glands(folder)
    return folder


@pytest.fixture(scope="module")
def trained(pictures, tmp_path_factory):
    """A copy of the bundle, trained in seconds."""
    bundle = tmp_path_factory.mktemp("bundle") / BUNDLE.name
    shutil.copytree(BUNDLE, bundle, ignore=shutil.ignore_patterns("models", "eval"))
    overrides = {"dataset_dir": str(pictures), "ckpt_dir": str(bundle / "models"), **QUICK}
    run_bundle(bundle, configs=["train"], run_id="training", overrides=overrides)
    return bundle


def test_it_trains_on_pictures_and_its_weights_know_how(trained):
    rows = list(csv.DictReader((trained / "eval" / "metrics.csv").read_text().splitlines()))
    assert len(rows) == QUICK["epochs"]
    assert float(rows[-1]["val_mean_dice"]) > 0.5
    weights = trained / "models" / "model.safetensors"
    assert trained_setting(weights, "network", None)["first_width"] == 8
    assert trained_setting(weights, "patch_size", None) == [SIZE, SIZE]


def test_a_quick_pass_trains_beside_a_training_and_is_scored(trained, pictures, tmp_path):
    before = (trained / "models" / "model.safetensors").read_bytes()
    places = {"dataset_dir": str(pictures), "output_dir": str(tmp_path)}
    quick = {"ckpt_dir": str(trained / "models"), "quick": True, **QUICK}
    run_bundle(trained, configs=["train"], run_id="training", overrides=places | quick)
    assert (trained / "models" / "model.safetensors").read_bytes() == before
    weights = {"ckpt_dir": str(trained / "models" / "quick"), "engine": "torch"}
    run_bundle(
        trained, configs=["train", "evaluate"], run_id="evaluating", overrides=places | weights
    )
    assert json.loads((tmp_path / "scores.json").read_text())["scored"] == 3


def test_it_is_scored_on_unseen_pictures_by_tissue_class(trained, pictures, tmp_path, capfd):
    run_bundle(
        trained,
        configs=["train", "evaluate"],
        run_id="evaluating",
        overrides={
            "dataset_dir": str(pictures),
            "output_dir": str(tmp_path),
            "ckpt_path": str(trained / "models" / "model.safetensors"),
            "split": "test",
        },
    )
    told = capfd.readouterr().out
    assert "mean of 1 polyp" in told
    assert "mean of the groups" in told
    rows = list(csv.DictReader((tmp_path / "scores.csv").read_text().splitlines()))
    assert [row["group"] for row in rows] == ["polyp", "adenoma"]
    assert all(float(row["dsc"]) > 0.5 for row in rows)


def test_monais_inferring_and_medseg_predict_write_the_same_label_of_the_pictures_size(
    trained, pictures, tmp_path, monkeypatch
):
    image = pictures / "polyp" / "image" / "6.png"
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(image, alone)
    run_bundle(
        trained,
        configs=["inference"],
        run_id="inferring",
        overrides={"dataset_dir": str(alone), "output_dir": str(tmp_path / "monai")},
    )
    words = ["medseg", "predict", str(trained), str(image), "-o", str(tmp_path / "medseg")]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    labels = [read_raster(tmp_path / name / "6_seg.png", "label") for name in ("monai", "medseg")]
    np.testing.assert_array_equal(*labels)
    assert labels[0].shape == (1, SIZE, SIZE)
    reference = read_raster(pictures / "polyp" / "label" / "6.png", "label") > 127
    assert ((labels[0] > 0) & reference).sum() > 0.5 * reference.sum()
