"""Every bundle, trained with overrides: predict, evaluating and inferring give one label.

All run what the bundle's own configs say, with the weights' settings, on images as scanners
store them: axes turned, rescaled integers. What the one leaves out and the other does not, such
as windows of air, shows as a voxel that differs.
"""

import json
import shutil

import nibabel as nib
import numpy as np
import pytest

from medseg.bundles import run_bundle
from medseg.bundles.configs import read_config
from medseg.data.images.raster import read_raster
from medseg.data.phantoms.chest.writer import PhantomSet, write_phantoms
from tests.bundles.test_abdominal_fat import SMALL as FAT
from tests.bundles.test_abdominal_fat import slices as slices
from tests.bundles.test_ebhi_histology import QUICK as HISTOLOGY
from tests.bundles.test_ebhi_histology import pictures as pictures
from tests.bundles.test_hela_cells import TINY as CELLS
from tests.bundles.test_hela_cells import dish as dish
from tests.bundles.test_hippocampus_bundle import crops as crops
from tests.cli.conftest import command as command
from tests.conftest import REPOSITORY, SMALL

pytestmark = pytest.mark.filterwarnings("ignore")

SHORT = {"epochs": 1, "iterations_per_epoch": 4, "val_interval": 1, "precision": "fp32"}
TINY = {"network_def#first_width": 4, "network_def#depth": 3}
RENAMED = ["nothing", "one", "two"]
# The fixture with the cases, what makes a training small, and the overrides that have to agree.
BUNDLES = {
    "covid_lung_ct_unet3d": (
        "phantoms",
        SMALL,
        {
            # Fat is dark in it, air as well.
            "abdomen": {"window": [-112, 161]},
            "dicom": {"spacing_mm": [6.0, 10.0, 9.0]},
            "other": {
                "window": [-1350.0, 150.0],
                "spacing_mm": [9.0, 7.5, 14.0],
                "patch_size": [24, 40, 8],
                "class_names": RENAMED,
            },
        },
    ),
    "hippocampus_mri_unet3d": (
        "crops",
        TINY,
        {
            "other": {
                "spacing_mm": [1.5, 1.2, 2.0],
                "patch_size": [16, 24, 16],
                "measured_voxels": "otsu",
                "class_names": RENAMED,
            }
        },
    ),
    "abdominal_fat_mri_unet2d": (
        "slices",
        FAT,
        {
            "other": {
                "spacing_mm": [4.5, 6.0],
                "patch_size": [64, 40],
                "class_names": RENAMED,
            }
        },
    ),
    "ebhi_histology_unet2d": (
        "pictures",
        HISTOLOGY,
        {"other": {"patch_size": [40, 48], "class_names": RENAMED[:2]}},
    ),
    "hela_cells_unet2d": (
        "dish",
        CELLS,
        {"other": {"pixel_size": [1.5, 1.0], "patch_size": [48, 40], "class_names": RENAMED[:2]}},
    ),
}
RUNS = [(name, which) for name, (_, _, runs) in BUNDLES.items() for which in runs]


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """Phantoms as DICOM series, which are tilted a little against the patient."""
    folder = tmp_path_factory.mktemp("series") / "set"
    plan = PhantomSet(cases=3, test_cases=0, folds=3, shape=(40, 32, 24), file_format="dicom")
    write_phantoms(folder, plan)
    return folder


def turned(path, *, integers):
    """Turn a NIfTI file's first two axes round and swap them; images become rescaled integers."""
    image = nib.load(path)
    turn = nib.orientations.axcodes2ornt(("P", "L", "S"))
    canonical = nib.orientations.io_orientation(image.affine)
    image = image.as_reoriented(nib.orientations.ornt_transform(canonical, turn))
    values = np.asanyarray(image.dataobj)
    if integers:
        # A step that leaves 12 bits or so, and an offset: MR and CT of any scale.
        step = max(float(np.ptp(values)) / 4000, 1e-6)
        stored = np.round((values - values.min()) / step).astype(np.int16)
        made = nib.Nifti1Image(stored, image.affine)
        made.header.set_slope_inter(step, float(values.min()))
    else:
        made = nib.Nifti1Image(values, image.affine)
    nib.save(made, path)


def as_scanned(dataset, folder, names):
    """A copy of a data set with turned images and, if there are any, other names of classes."""
    shutil.copytree(dataset, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    for label, name in zip(manifest["labels"], names, strict=bool(names)):
        label.update(name=name, snomed=None)
    # Digests of the files as they were.
    for case in [*manifest["training"], *manifest.get("test", [])]:
        if case["image"].endswith(".nii.gz"):
            for key in ("image", "label"):
                turned(folder / case[key], integers=key == "image")
        for key in [key for key in case if "sha256" in key]:
            del case[key]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def read_label(path):
    """Voxels and affine of a label, by nibabel where that reads it."""
    if path.name.endswith(".nii.gz"):
        image = nib.load(path)
        return np.asanyarray(image.dataobj), image.affine
    return read_raster(path)[0], np.eye(4)


@pytest.mark.parametrize(("name", "which"), RUNS)
def test_predict_evaluating_and_inferring_give_the_same_label(
    name, which, request, tmp_path, command
):
    fixture, small, runs = BUNDLES[name]
    own = runs[which]
    fixture = "series" if which == "dicom" else fixture
    dataset = as_scanned(
        request.getfixturevalue(fixture), tmp_path / "data", own.get("class_names", [])
    )
    bundle, weights = REPOSITORY / "bundles" / name, tmp_path / "models"
    places = {"dataset_dir": str(dataset), "ckpt_dir": str(weights)}
    run_bundle(
        bundle,
        configs=["train"],
        run_id="training",
        overrides={**places, "output_dir": str(tmp_path / "eval"), **small, **SHORT, **own},
        log="quiet",
    )
    cells = {"threshold": 0.5, "waist_px": 1.0, "least_px": 4} if "cells" in name else {}
    plain = {"engine": "torch", "precision": "fp32", **cells}
    # Nothing of the training's overrides is repeated.
    run_bundle(
        bundle,
        configs=["train", "evaluate"],
        run_id="evaluating",
        overrides={**places, "output_dir": str(tmp_path / "scores"), **plain},
        log="quiet",
    )
    cases = {
        case["case"]: dataset / case["image"]
        for case in json.loads((dataset / "manifest.json").read_text())["training"]
        if case["fold"] == 0
    }
    run_bundle(
        bundle,
        configs=["inference"],
        run_id="inferring",
        overrides={
            "datalist": [str(image) for image in cases.values()],
            "ckpt_path": str(weights / "model.safetensors"),
            "output_dir": str(tmp_path / "inferred"),
            **plain,
        },
        log="quiet",
    )
    sets = [word for key, value in plain.items() for word in ("--set", f"{key}={value}")]
    out, predictions = tmp_path / "out", tmp_path / "scores" / "predictions"
    options = ["--weights", weights / "model.safetensors", "-o", out, *sets]
    assert command("predict", bundle, *cases.values(), *options) == 0
    found = set()
    for case, image in cases.items():
        # A series is named by its UID.
        stem = "*" if image.is_dir() else image.name.partition(".")[0]
        places = ((out, stem), (predictions, case), (tmp_path / "inferred", stem))
        (label, affine), *others = (
            read_label(next(folder.glob(f"{name}_seg.*"))) for folder, name in places
        )
        for theirs, their_affine in others:
            assert label.dtype == theirs.dtype
            np.testing.assert_array_equal(label, theirs)
            np.testing.assert_array_equal(affine, their_affine)
        found |= set(np.unique(label).tolist())
    # Else nothing was compared.
    assert len(found) > 1
    scores = json.loads((tmp_path / "scores" / "scores.json").read_text())
    columns = (out / "volumes.csv").read_text().splitlines()[0]
    for scored in scores["summary"]["classes"]:
        assert f"{scored['name']}_" in columns


@pytest.mark.parametrize("name", sorted(BUNDLES))
def test_evaluate_and_inference_say_the_same_of_what_makes_a_label(name):
    configs = REPOSITORY / "bundles" / name / "configs"
    inference = read_config([str(configs / "inference.yaml")])
    evaluate = read_config([str(configs / f"{part}.yaml") for part in ("train", "evaluate")])
    settings = read_config([str(configs / "train.yaml")])["settings"].keys() - {"network"}
    for key in (
        *settings,
        "skip",
        "window_batch",
        "reader",
        "engine",
        "precision",
        "device",
        "preprocessing_steps",
    ):
        assert evaluate[key] == inference[key], key
    assert evaluate["val_overlap"] == inference["overlap"]
    scored, given = evaluate["validate"]["inferer"]["inferer"], inference["inferer"]["inferer"]
    # Gaussian is what an inferer does by itself.
    assert {**scored, "blend": "gaussian", "overlap": "@overlap"} == given
    for step, same in zip(
        evaluate["validate"]["postprocessing"]["transforms"],
        inference["postprocessing"]["transforms"],
        strict=True,
    ):
        if step["_target_"] != "medseg.inference.SaveLabeld":
            # By the same keys, or with the values that these have in inference.yaml.
            assert step in (
                same,
                {key: inference.get(f"{word}"[1:], word) for key, word in same.items()},
            )
    assert evaluate["kept_parts"] == inference["kept_parts"]
