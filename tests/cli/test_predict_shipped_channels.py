"""What `medseg predict` promises with the shipped folds of PET and MR, whose mean predicts."""

import json

import nibabel
import numpy as np
import pytest

from medseg.data import load_manifest
from medseg.metrics import label_scores
from tests.conftest import REPOSITORY
from tests.data.channel_builders import write_patient

BUNDLE = REPOSITORY / "bundles" / "sarcoma_pet_mr_unet3d"
MANIFEST = BUNDLE / "configs" / "sarcoma_pet_mr.json"
# MONAI's and TensorBoard's deprecations are theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


def test_a_fresh_clone_labels_a_made_patient_in_the_grid_of_the_pet(tmp_path, command):
    folder = write_patient(tmp_path / "p1")
    files = ("--channel", f"pet={folder}/pet.nii.gz", "--channel", f"mr={folder}/mr.nii.gz")
    assert command("predict", BUNDLE, *files, "-o", tmp_path / "out") == 0
    label = nibabel.load(tmp_path / "out" / "pet_seg.nii.gz")
    assert label.shape == (14, 14, 12)
    assert set(np.unique(np.asarray(label.dataobj))) <= {0, 1}
    # All five folds predict.
    assert '"members": 5' in (tmp_path / "out" / "summary.json").read_text()


def test_a_channel_is_not_taken_for_the_other_when_one_is_missing(tmp_path, command, capsys):
    folder = write_patient(tmp_path / "p1")
    one = ("--channel", f"pet={folder}/pet.nii.gz")
    assert command("predict", BUNDLE, *one, "-o", tmp_path / "out") != 0
    assert "mr" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.data
def test_real_patients_whom_no_fold_saw_are_labelled_as_the_card_says(real_data, tmp_path, command):
    folder, manifest = real_data / "sarcoma_ct_mr_pet", load_manifest(MANIFEST)
    listed = ("--manifest", MANIFEST, "--dataset-dir", folder, "--split", "test")
    assert command("predict", BUNDLE, *listed, "-o", tmp_path) == 0
    scores = []
    for case in manifest.test:
        pred, label = (
            nibabel.load(path)
            for path in (tmp_path / f"{case.case}_seg.nii.gz", folder / str(case.label))
        )
        arrays = (np.asarray(one.dataobj).astype(np.uint8) for one in (pred, label))
        spacing = label.header.get_zooms()[:3]
        scores += [score.dsc for score in label_scores(*arrays, manifest.class_names, spacing)]
    told = json.loads((BUNDLE / "configs" / "metadata.json").read_text())["eval_metrics"]
    assert np.mean(scores) == pytest.approx(told["test_dice_tumour"], abs=0.01)
