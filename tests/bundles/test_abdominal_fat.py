"""The abdominal fat bundle end to end, on phantoms of a few pixels: slices and a volume."""

import csv
import shutil
import sys

import nibabel as nib
import numpy as np
import pytest

from medseg.bundles import run_bundle
from medseg.cli.main import main
from medseg.data import FatPhantomSet, write_fat_phantoms
from medseg.data.phantoms.fat.phantom import fat_phantom
from medseg.data.phantoms.files import write_nifti
from medseg.networks import trained_setting
from tests.conftest import REPOSITORY

BUNDLE = REPOSITORY / "bundles" / "abdominal_fat_mri_unet2d"
SMALL = {
    "spacing_mm": [5.6, 5.6],
    "patch_size": [96, 48],
    "first_width": 8,
    "depth": 3,
    "batch_size": 4,
    "iterations_per_epoch": 8,
    "epochs": 3,
    "val_interval": 3,
}
SHAPE = (96, 48)

# torch and TensorBoard warn of what is theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def slices(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fat") / "set"
    plan = FatPhantomSet(patients=5, test_patients=1, slices=2, folds=2, shape=SHAPE)
    write_fat_phantoms(folder, plan)
    return folder


@pytest.fixture(scope="module")
def trained(slices, tmp_path_factory):
    """A copy of the bundle, trained in seconds."""
    bundle = tmp_path_factory.mktemp("bundle") / BUNDLE.name
    shutil.copytree(BUNDLE, bundle, ignore=shutil.ignore_patterns("models", "eval"))
    overrides = {"dataset_dir": str(slices), "ckpt_dir": str(bundle / "models"), **SMALL}
    run_bundle(bundle, configs=["train"], run_id="training", overrides=overrides)
    return bundle


@pytest.fixture
def medseg(monkeypatch):
    """The command line; its exit code."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["medseg", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code or 0

    return run


def rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def dsc(label, reference, value):
    one, other = label == value, reference == value
    return 2 * (one & other).sum() / (one.sum() + other.sum())


def test_each_epoch_has_its_row_and_each_fat_its_curve(trained):
    table = rows(trained / "eval" / "metrics.csv")
    assert [row["epoch"] for row in table] == ["1", "2", "3"]
    assert float(table[-1]["val_dice_sat"]) > 0.3
    assert float(table[-1]["val_dice_vat"]) > 0.3
    assert trained_setting(trained / "models" / "model.safetensors", "spacing_mm", None) == [
        5.6,
        5.6,
    ]


def test_slices_come_back_as_slices_and_are_scored(trained, slices, tmp_path):
    run_bundle(
        trained,
        configs=["train", "evaluate"],
        run_id="evaluating",
        overrides={"dataset_dir": str(slices), "split": "test", "output_dir": str(tmp_path)},
    )
    scores = rows(tmp_path / "scores.csv")
    assert {(row["case"], row["name"]) for row in scores} >= {
        (f"fat_004_0{number}", name) for number in (0, 1) for name in ("sat", "vat")
    }
    image = nib.load(slices / "images" / "fat_004_00.nii.gz")
    label = nib.load(tmp_path / "predictions" / "fat_004_00_seg.nii.gz")
    assert label.shape == image.shape == (*SHAPE, 1)
    np.testing.assert_allclose(label.affine, image.affine, atol=1e-5)


def test_a_volume_is_predicted_slice_by_slice(trained, tmp_path, medseg):
    made = [fat_phantom(99, level=level, shape=SHAPE) for level in (0.2, 0.4, 0.6)]
    images, references = (
        np.concatenate([getattr(phantom, name) for phantom in made], axis=2)
        for name in ("image", "label")
    )
    write_nifti(tmp_path / "volume.nii.gz", images, made[0].affine)
    out = tmp_path / "labels"
    assert medseg("predict", trained, tmp_path / "volume.nii.gz", "-o", out) == 0
    label = nib.load(out / "volume_seg.nii.gz")
    assert label.shape == (*SHAPE, 3)
    np.testing.assert_allclose(label.affine, made[0].affine, atol=1e-5)
    for value in (1, 2):
        assert dsc(np.asarray(label.dataobj), references, value) > 0.3
    measured = rows(out / "volumes.csv")[0]
    assert float(measured["sat_ml"]) > 0


def test_training_on_a_volume_is_refused_in_one_line(slices, tmp_path, medseg, capsys):
    folder = tmp_path / "set"
    shutil.copytree(slices, folder)
    image = nib.load(folder / "images" / "fat_000_00.nii.gz")
    for kind in ("images", "labels"):
        array = np.asarray(nib.load(folder / kind / "fat_001_00.nii.gz").dataobj)
        write_nifti(folder / kind / "fat_001_00.nii.gz", np.repeat(array, 3, 2), image.affine)
    places = {"dataset_dir": folder, "ckpt_dir": tmp_path / "m", "output_dir": tmp_path / "o"}
    pairs = [f"{key}={value}" for key, value in {**SMALL, **places}.items()]
    assert medseg("train", BUNDLE, *pairs) != 0
    told = capsys.readouterr().err.splitlines()
    assert "3 spatial axes" in told[-1]
    assert not any(line.startswith("Traceback") for line in told)


def test_a_quick_pass_goes_through_beside_a_training(slices, trained):
    before = (trained / "models" / "model.safetensors").read_bytes()
    places = {"dataset_dir": str(slices), "ckpt_dir": str(trained / "models")}
    overrides = {**places, **SMALL, "quick": True}
    run_bundle(trained, configs=["train"], run_id="training", overrides=overrides)
    assert (trained / "models" / "quick" / "model.safetensors").is_file()
    assert (trained / "models" / "model.safetensors").read_bytes() == before
