"""What a saved label promises."""

import nibabel
import numpy as np
import pytest
import SimpleITK
import torch
from monai.data import MetaTensor

from medseg.errors import UsageError
from medseg.inference import SaveLabeld

AFFINE = np.array([[-2.0, 0.1, 0, 10], [0, -1.5, 0, 20], [0, 0.2, 4.0, -30], [0, 0, 0, 1]])


def prediction(values, name="case.nii.gz"):
    tensor = torch.as_tensor(values, dtype=torch.float32)[None]
    return {"pred": MetaTensor(tensor, affine=AFFINE, meta={"filename_or_obj": f"/a/{name}"})}


def test_values_shape_and_affine_are_read_back(tmp_path):
    values = np.arange(24).reshape(2, 3, 4) % 3
    SaveLabeld("pred", output_dir=str(tmp_path))(prediction(values))
    nifti = nibabel.load(tmp_path / "case_seg.nii.gz")
    assert nifti.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asarray(nifti.dataobj), values)
    np.testing.assert_allclose(nifti.affine, AFFINE, atol=1e-5)


def test_sform_and_qform_say_the_same_where_both_can(tmp_path):
    turned = np.diag([-2.0, -1.5, 4.0, 1.0])
    data = {"pred": MetaTensor(torch.zeros(1, 2, 3, 4), affine=turned)}
    data["pred"].meta["filename_or_obj"] = "case.nii"
    SaveLabeld("pred", output_dir=str(tmp_path))(data)
    nifti = nibabel.load(tmp_path / "case_seg.nii.gz")
    assert nifti.header["sform_code"] > 0
    assert nifti.header["qform_code"] > 0
    np.testing.assert_allclose(nifti.get_sform(), nifti.get_qform(), atol=1e-5)
    image = SimpleITK.ReadImage(str(tmp_path / "case_seg.nii.gz"))
    assert image.GetSpacing() == pytest.approx((2.0, 1.5, 4.0))


def test_more_than_256_classes_take_16_bits(tmp_path):
    SaveLabeld("pred", output_dir=str(tmp_path))(prediction(np.full((2, 2, 2), 300)))
    nifti = nibabel.load(tmp_path / "case_seg.nii.gz")
    assert nifti.get_data_dtype() == np.uint16
    assert np.asarray(nifti.dataobj).max() == 300


def test_an_existing_label_is_refused_and_kept_unless_told(tmp_path):
    old, new = np.zeros((2, 2, 2)), np.ones((2, 2, 2))
    SaveLabeld("pred", output_dir=str(tmp_path))(prediction(old))
    with pytest.raises(UsageError, match=r"case_seg\.nii\.gz is there already"):
        SaveLabeld("pred", output_dir=str(tmp_path))(prediction(new))
    assert np.asarray(nibabel.load(tmp_path / "case_seg.nii.gz").dataobj).max() == 0
    SaveLabeld("pred", output_dir=str(tmp_path), overwrite="replace")(prediction(new))
    assert np.asarray(nibabel.load(tmp_path / "case_seg.nii.gz").dataobj).max() == 1


def test_a_wrong_choice_is_refused_at_once(tmp_path):
    with pytest.raises(ValueError, match="overwrite must be 'refuse' or 'replace', got 'yes'"):
        SaveLabeld("pred", output_dir=str(tmp_path), overwrite="yes")
