"""A bundle trained on labels from a clinic: the same as on the same labels as files of voxels."""

import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file

from medseg.bundles import run_bundle
from medseg.data import read_image, save_manifest, write_dicom_seg
from medseg.data.dicom.label import DicomLabel
from medseg.data.manifest import load_manifest
from medseg.data.phantoms.chest.writer import PhantomSet, write_phantoms
from medseg.inference import save_label
from tests.conftest import BUNDLE, SMALL
from tests.data.dicom.output_builders import ALGORITHM, CREATED


@pytest.mark.slow
def test_training_on_segs_gives_the_weights_of_training_on_voxels(tmp_path):
    """Phantoms as DICOM series, their labels once as NRRD and once as SEG, names for numbers."""
    phantoms = PhantomSet(cases=3, test_cases=0, folds=3, shape=(40, 32, 24), file_format="dicom")
    write_phantoms(tmp_path / "voxels", phantoms)
    shutil.copytree(tmp_path / "voxels", tmp_path / "clinic")
    manifest = load_manifest(tmp_path / "voxels/manifest.json")
    plain, cases = [], []
    for case in manifest.training:
        image = tmp_path / "clinic" / case.image
        label = read_image(tmp_path / "clinic" / case.label, where="label")
        # In the grid of the series, to the last digit, which NIfTI's 32 bits have not.
        series = read_image(image)
        np.testing.assert_allclose(label.affine, series.affine, atol=1e-3)
        nrrd = case.label.replace(".nii.gz", ".nrrd")
        save_label(tmp_path / "voxels" / nrrd, label.array, series.affine)
        plain.append(case.model_copy(update={"label": nrrd, "sha256": {}}))
        of_series = DicomLabel(
            array=label.array.astype(np.uint8),
            affine=series.affine,
            reference=image,
            labels=manifest.labels,
            algorithm=ALGORITHM,
            created=CREATED,
        )
        seg = case.label.replace(".nii.gz", ".dcm")
        write_dicom_seg(of_series, tmp_path / "clinic" / seg)
        cases.append(case.model_copy(update={"label": seg, "sha256": {}}))
    for folder, listed in (("voxels", plain), ("clinic", cases)):
        changed = manifest.model_copy(update={"training": tuple(listed)})
        save_manifest(changed, tmp_path / folder / "manifest.json")
    weights = [trained(tmp_path, folder) for folder in ("voxels", "clinic")]
    assert weights[0].keys() == weights[1].keys()
    for name, tensor in weights[0].items():
        np.testing.assert_array_equal(tensor, weights[1][name], err_msg=name)


def trained(folder, data):
    bundle = folder / f"bundle_{data}"
    shutil.copytree(BUNDLE, bundle, ignore=shutil.ignore_patterns("models", "eval"))
    overrides = {"dataset_dir": str(folder / data), "ckpt_dir": str(bundle / "models"), **SMALL}
    run_bundle(bundle, configs=["train"], run_id="training", overrides=overrides)
    return load_file(bundle / "models/model.safetensors")
