"""What a saved label promises."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel
import numpy as np
import pytest
import SimpleITK
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.data import MetaTensor
from scipy.spatial.transform import Rotation

from medseg.data.images.naming import FORMATS
from medseg.data.images.picture import read_image
from medseg.data.images.raster import read_raster
from medseg.errors import DataError, UsageError
from medseg.inference import SaveLabeld, save_label

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


def test_a_case_that_the_data_names_names_the_file(tmp_path):
    # p01/ct.nii.gz and p02/ct.nii.gz are two cases.
    for case in ("p01", "p02"):
        data = {**prediction(np.zeros((2, 2, 2)), name="ct.nii.gz"), "case": case}
        SaveLabeld("pred", output_dir=str(tmp_path))(data)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p01_seg.nii.gz", "p02_seg.nii.gz"]


@pytest.mark.parametrize("case", ["../a", "/a", "a/b", "a\\b", "c:a", "a\0"])
def test_a_case_that_could_lead_elsewhere_is_refused(tmp_path, case):
    out = tmp_path / "out"
    data = {**prediction(np.zeros((2, 2, 2))), "case": case}
    with pytest.raises(DataError, match="a case is the name of a file here"):
        SaveLabeld("pred", output_dir=str(out))(data)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_the_name_of_an_image_may_hold_a_colon(tmp_path):
    SaveLabeld("pred", output_dir=str(tmp_path))(prediction(np.zeros((2, 2, 2)), "a:1.nii.gz"))
    assert [path.name for path in tmp_path.iterdir()] == ["a:1_seg.nii.gz"]


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


def test_a_qform_that_cannot_hold_the_affine_is_marked_as_unknown(tmp_path):
    # A gantry tilt: each slice lies 1 mm further back; after 40 slices a qform is 40 mm off.
    tilted = np.array([[-1.0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 5, 0], [0, 0, 0, 1]])
    data = {"pred": MetaTensor(torch.zeros(1, 8, 8, 40), affine=tilted)}
    data["pred"].meta["filename_or_obj"] = "tilted.nii"
    SaveLabeld("pred", output_dir=str(tmp_path))(data)
    nifti = nibabel.load(tmp_path / "tilted_seg.nii.gz")
    assert nifti.header["qform_code"] == 0
    assert nifti.header["sform_code"] > 0
    np.testing.assert_allclose(nifti.affine, tilted, atol=1e-5)
    assert nifti.header.get_zooms() == pytest.approx((1.0, 1.0, 26**0.5))


@given(
    axis=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda axis: np.linalg.norm(axis) > 0.1),
    angle=st.floats(0, 3),
    spacing_mm=st.tuples(*[st.floats(0.3, 8)] * 3),
)
def test_a_turned_volume_keeps_both_affines(axis, angle, spacing_mm):
    affine = np.eye(4)
    turn = Rotation.from_rotvec(angle * np.asarray(axis) / np.linalg.norm(axis))
    affine[:3, :3] = turn.as_matrix() * spacing_mm
    affine[:3, 3] = 150, -200, 90
    with TemporaryDirectory() as folder:
        label = MetaTensor(torch.zeros(1, 64, 48, 32), affine=affine)
        label.meta["filename_or_obj"] = "case.nii"
        SaveLabeld("pred", output_dir=folder)({"pred": label})
        nifti = nibabel.load(Path(folder) / "case_seg.nii.gz")
        assert nifti.header["qform_code"] > 0
        np.testing.assert_allclose(nifti.get_qform(), affine, atol=1e-3)
        np.testing.assert_allclose(nifti.get_sform(), affine, atol=1e-4)


def test_more_than_256_classes_take_16_bits(tmp_path):
    SaveLabeld("pred", output_dir=str(tmp_path))(prediction(np.full((2, 2, 2), 300)))
    nifti = nibabel.load(tmp_path / "case_seg.nii.gz")
    assert nifti.get_data_dtype() == np.uint16
    assert np.asarray(nifti.dataobj).max() == 300


def test_an_existing_label_is_refused_and_kept_unless_replace_is_set(tmp_path):
    old, new = np.zeros((2, 2, 2)), np.ones((2, 2, 2))
    SaveLabeld("pred", output_dir=str(tmp_path))(prediction(old))
    with pytest.raises(UsageError, match=r"case_seg\.nii\.gz already exists"):
        SaveLabeld("pred", output_dir=str(tmp_path))(prediction(new))
    assert np.asarray(nibabel.load(tmp_path / "case_seg.nii.gz").dataobj).max() == 0
    SaveLabeld("pred", output_dir=str(tmp_path), overwrite="replace")(prediction(new))
    assert np.asarray(nibabel.load(tmp_path / "case_seg.nii.gz").dataobj).max() == 1


def test_a_wrong_choice_is_refused_at_once(tmp_path):
    with pytest.raises(ValueError, match="SaveLabeld: overwrite must be one of refuse, replace,"):
        SaveLabeld("pred", output_dir=str(tmp_path), overwrite="yes")


@pytest.mark.parametrize(
    ("image", "label"), [("t.tif", "t_seg.tif"), ("t.png", "t_seg.png"), ("t.jpg", "t_seg.png")]
)
def test_the_label_of_a_picture_is_a_picture(tmp_path, image, label):
    cells = (np.arange(30).reshape(5, 6) * 40).astype(np.uint16)
    pred = MetaTensor(torch.as_tensor(cells[None]), meta={"filename_or_obj": f"/a/{image}"})
    SaveLabeld("pred", output_dir=str(tmp_path))({"pred": pred})
    np.testing.assert_array_equal(read_raster(tmp_path / label, "label")[0], cells)
    first = (tmp_path / label).read_bytes()
    SaveLabeld("pred", output_dir=str(tmp_path), overwrite="replace")({"pred": pred})
    assert (tmp_path / label).read_bytes() == first


def test_numbers_of_objects_stay_16_bit_however_few(tmp_path):
    for dtype in (np.uint8, np.uint16):
        save_label(tmp_path / "a.png", np.eye(3, dtype=dtype), np.eye(4))
        assert read_raster(tmp_path / "a.png", "label").dtype == dtype


def test_a_probability_is_no_label(tmp_path):
    with pytest.raises(DataError, match="whole numbers"):
        save_label(tmp_path / "a.nii.gz", np.full((2, 2, 2), 0.5), np.eye(4))
    assert list(tmp_path.iterdir()) == []


def test_a_volume_is_no_picture(tmp_path):
    with pytest.raises(DataError, match="not a picture"):
        save_label(tmp_path / "a.png", np.zeros((2, 2, 3), np.uint8), np.eye(4))


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
def test_labels_of_every_format_are_written_as_its_table_says(one, tmp_path):
    values = np.arange(6, dtype=np.uint8).reshape((2, 3, 1) if one.kind == "volume" else (2, 3))
    save_label(tmp_path / f"a{one.label}", values, np.eye(4))
    found = read_image(tmp_path / f"a{one.label}", where="label").array
    np.testing.assert_array_equal(found, values.reshape(2, 3, 1))
