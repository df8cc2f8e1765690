"""What `medseg predict` promises with the weights that come with a clone."""

import json

import nibabel
import numpy as np
import pytest

from medseg.data import load_manifest
from medseg.metrics import label_scores
from tests.conftest import REPOSITORY

BUNDLE = REPOSITORY / "bundles" / "hippocampus_mri_unet3d"
MANIFEST = load_manifest(BUNDLE / "configs" / "msd_hippocampus.json")
# Of fold 0, which the weights were not trained on; the first in the manifest.
CASES = [case for case in MANIFEST.training if case.fold == 0][:3]
# MONAI's and TensorBoard's deprecations are theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


def test_a_fresh_clone_labels_a_made_crop_in_the_crops_own_grid(tmp_path, command):
    grey = np.random.default_rng(0).normal(100.0, 20.0, (35, 51, 36)).astype(np.float32)
    nibabel.Nifti1Image(grey, np.eye(4)).to_filename(tmp_path / "made.nii.gz")
    assert command("predict", BUNDLE, tmp_path / "made.nii.gz", "-o", tmp_path / "out") == 0
    label = nibabel.load(tmp_path / "out" / "made_seg.nii.gz")
    assert label.shape == (35, 51, 36)
    assert set(np.unique(np.asarray(label.dataobj))) <= {0, 1, 2}
    assert (tmp_path / "out" / "made_overlay.png").is_file()


@pytest.mark.data
def test_real_hippocampi_that_were_not_trained_on_are_labelled_well(real_data, tmp_path, command):
    folder = real_data / "mri" / "hippocampus"
    images = [folder / case.image for case in CASES]
    assert command("predict", BUNDLE, *images, "-o", tmp_path) == 0
    scores = []
    for case in CASES:
        pred, label = (
            np.asarray(nibabel.load(path).dataobj).astype(np.uint8)
            for path in (tmp_path / f"{case.case}_seg.nii.gz", folder / case.label)
        )
        scores += [
            score.dsc for score in label_scores(pred, label, MANIFEST.class_names, (1, 1, 1))
        ]
    assert np.mean(scores) > 0.85


@pytest.mark.data
def test_an_organ_that_the_weights_never_saw_is_told_on_the_terminal_and_in_the_summary(
    real_data, tmp_path, command, capfd
):
    spleen = nibabel.load(real_data / "body_ct" / "msd-spleen" / "spleen_8_ct.nii.gz")
    # A corner of it, which takes seconds; its spacing and its values are those of the whole.
    spleen.slicer[200:260, 200:260, 10:20].to_filename(tmp_path / "spleen.nii.gz")
    assert command("predict", BUNDLE, tmp_path / "spleen.nii.gz", "-o", tmp_path / "out") == 0
    assert "is unlike the images that the weights were trained on" in capfd.readouterr().err
    (case,) = json.loads((tmp_path / "out" / "summary.json").read_text())["cases"]
    (warning,) = [text for text in case["warnings"] if "is unlike the images" in text]
    assert "spacing along S-I 7.5 mm (there 1)" in warning
    assert "values down to -" in warning


@pytest.mark.data
def test_strict_refuses_what_would_be_warned_about_and_predicts_the_others(
    real_data, tmp_path, command, capfd
):
    spleen = real_data / "body_ct" / "msd-spleen" / "spleen_8_ct.nii.gz"
    good = real_data / "mri" / "hippocampus" / CASES[0].image
    out = tmp_path / "out"
    assert command("predict", BUNDLE, spleen, good, "-o", out, "--strict") == 1
    error = capfd.readouterr().err
    assert "spleen_8_ct.nii.gz" in error
    assert "or predict it without --strict" in error
    assert [path.name for path in out.glob("*_seg*")] == [f"{CASES[0].case}_seg.nii.gz"]
