"""What the hippocampus bundle promises from the first command to the last, on crops made here."""

import json

import nibabel
import numpy as np
import pytest

from medseg.bundles import run_bundle
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.filterwarnings("ignore")

BUNDLE = REPOSITORY / "bundles" / "hippocampus_mri_unet3d"
NAMES = ("background", "anterior_hippocampus", "posterior_hippocampus")


def made_crop(seed):
    """An ellipsoid, the front half brighter than the back, in noise; and its label."""
    rng = np.random.default_rng(seed)
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in (35, 50, 36)), indexing="ij")
    inside = sum((axis / size) ** 2 for axis, size in zip(axes, (0.5, 0.7, 0.4), strict=True)) < 1
    label = np.where(inside, np.where(axes[1] > 0, 1, 2), 0).astype(np.uint8)
    # No two files have one scale.
    image = 10.0**seed * (np.array([100, 300, 200])[label] + rng.normal(0, 20, label.shape))
    return image.astype(np.float32), label


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crops")
    cases = []
    for number in range(4):
        name = f"made_{number}"
        case = {"case": name, "patient": name, "fold": number % 2}
        for kind, array in zip(("image", "label"), made_crop(number), strict=True):
            nibabel.Nifti1Image(array, np.eye(4)).to_filename(folder / f"{name}_{kind}.nii.gz")
            case[kind] = f"{name}_{kind}.nii.gz"
        cases.append(case)
    about = dict.fromkeys(("description", "source", "licence", "citation"), "made by a test")
    manifest = {
        "name": "made_crops",
        **about,
        "modality": "MR",
        "channels": [{"name": "T1", "unit": "arbitrary"}],
        "labels": [{"value": value, "name": name} for value, name in enumerate(NAMES)],
        "training": cases,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_a_quick_pass_trains_keeps_its_weights_apart_and_evaluates_them(crops, tmp_path):
    weights, results = tmp_path / "models", tmp_path / "eval"
    places = {"dataset_dir": crops, "ckpt_dir": weights, "output_dir": results}
    places = {key: str(place) for key, place in places.items()}
    run_bundle(BUNDLE, configs=["train"], run_id="training", overrides={**places, "quick": True})
    assert (weights / "quick" / "model.safetensors").is_file()
    header = (results / "quick" / "metrics.csv").read_text().splitlines()[0]
    assert all(f"val_dice_{name}" in header for name in NAMES[1:])
    run_bundle(
        BUNDLE,
        configs=["train", "evaluate"],
        run_id="evaluating",
        overrides={**places, "ckpt_dir": str(weights / "quick")},
    )
    scores = json.loads((results / "scores.json").read_text())
    assert scores["scored"] == 2
    assert [entry["name"] for entry in scores["summary"]["classes"]] == list(NAMES[1:])
