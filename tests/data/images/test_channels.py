"""Channels of one image: brought to the grid of the first, and refused if of another place."""

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from medseg.data import DicomSeriesReader, VolumeReader
from medseg.data.images.channels import on_first_grid, read_channels
from medseg.data.images.one_grid import overlap, resampled
from medseg.errors import DataError
from tests.data.channel_builders import PET_SHAPE, save, write_patient
from tests.data.dicom.builders import hounsfield, rotated, slices
from tests.data.dicom.builders import save as save_dicom

sitk = SimpleITK


def itk_image(array, affine):
    """The volume in ITK's LPS."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.transpose(2, 1, 0)))
    lps = np.diag([-1.0, -1.0, 1.0]) @ affine[:3]
    spacing = np.linalg.norm(lps[:, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:, 3].tolist())
    return image


angles = st.integers(-40, 40)
steps = st.sampled_from([1.0, 1.7, 2.5, 4.0])


@settings(max_examples=20)
@given(turn=st.tuples(angles, angles, angles), mm=st.tuples(steps, steps, steps), data=st.data())
def test_a_channel_is_interpolated_as_itk_does_it(turn, mm, data):
    shape, to_shape = (9, 8, 7), (6, 7, 8)
    array = data.draw(st.integers(0, 99).map(lambda seed: hounsfield(shape, seed)))
    whole = data.draw(st.booleans())
    affine = rotated((0, 0, 0) if whole else turn, np.diag([*mm, 1.0]))
    target = np.array([[0, 2.5, 0, 3], [-2, 0, 0, 14], [0, 0, 2.2, 2], [0, 0, 0, 1.0]])
    found = resampled(array, affine, target, to_shape)
    ours = itk_image(array.astype(np.float32), affine)
    theirs = sitk.Resample(
        ours,
        itk_image(np.zeros(to_shape, np.float32), target),
        sitk.Transform(),
        sitk.sitkLinear,
        float(array.min()),
    )
    expected = sitk.GetArrayFromImage(theirs).transpose(2, 1, 0)
    places = np.stack([*np.indices(to_shape), np.ones(to_shape)])
    there = np.tensordot(np.linalg.inv(affine) @ target, places, 1)[:3]
    ends = np.reshape(shape, (3, 1, 1, 1))
    # At the very edge of the field of view, rounding decides which side a voxel is on.
    sure = (np.abs(there + 0.5) > 1e-3).all(0) & (np.abs(there - ends + 0.5) > 1e-3).all(0)
    np.testing.assert_allclose(found[sure], expected[sure], atol=0.5)


def test_a_channel_in_the_same_grid_is_not_touched():
    array = hounsfield()
    assert resampled(array, np.eye(4), np.eye(4), array.shape) is array


def test_between_two_voxels_lies_their_mean_and_outside_is_no_signal():
    # Voxels at 0 and 2 mm with 10 and 30; wanted at -3, 1 and 5 mm. At 1 mm: (10 + 30) / 2.
    array = np.array([10.0, 30.0]).reshape(2, 1, 1)
    affine, target = np.diag([2.0, 1, 1, 1]), np.diag([4.0, 1, 1, 1])
    target[0, 3] = -3
    assert resampled(array, affine, target, (3, 1, 1)).ravel().tolist() == [0, 20, 0]


def test_air_in_hu_is_what_lies_outside():
    array = np.array([-1000, 40], np.int16).reshape(2, 1, 1)
    target = np.diag([9.0, 1, 1, 1])
    assert resampled(array, np.eye(4), target, (2, 1, 1)).ravel().tolist() == [-1000, -1000]


def test_half_of_the_field_of_view_lies_in_the_other():
    shifted = np.eye(4)
    shifted[0, 3] = 12
    assert overlap(np.eye(4), (24, 4, 4), shifted, (24, 4, 4)) == 0.5
    assert overlap(np.eye(4), (24, 4, 4), np.eye(4), (48, 8, 8)) == 1


def test_two_channels_of_a_patient_are_one_image_in_the_grid_of_the_first(tmp_path):
    folder = write_patient(tmp_path)
    image = read_channels([folder / "pet.nii.gz", folder / "mr.nii.gz"])
    stack = on_first_grid(image)
    assert stack.shape == (2, *PET_SHAPE)
    assert stack.dtype == np.float32
    hot = np.asarray(nib.load(folder / "mask.nii.gz").dataobj) > 0
    assert stack[0][hot].min() > 4
    # Dark in the MR where it is hot in the PET, but for the rim of a coarse voxel.
    assert abs(np.median(stack[1][hot]) - 300) < 20
    assert [channel.dtype for channel in image.channels] == ["float32", "int16"]


def test_channels_of_different_patients_are_refused(tmp_path):
    one = write_patient(tmp_path / "p1")
    other = write_patient(tmp_path / "p2", at=(400.0, 0.0, 0.0))
    with pytest.raises(DataError, match=r"mr.nii.gz: shows another place than .*p1.*patients\?"):
        read_channels([one / "pet.nii.gz", other / "mr.nii.gz"])


def test_a_channel_that_covers_little_of_the_first_is_told(tmp_path):
    save(tmp_path / "body.nii.gz", np.zeros((40, 40, 40), np.int16), np.diag([9.0, 9, 9, 1]))
    small = np.diag([1.0, 1, 1, 1])
    small[:3, 3] = 100
    save(tmp_path / "knee.nii.gz", np.zeros((50, 50, 50), np.int16), small)
    image = read_channels([tmp_path / "body.nii.gz", tmp_path / "knee.nii.gz"])
    (doubt,) = image.others[0].doubts
    assert doubt.severity == "warning"
    assert "covers 0 % of the first channel's field of view" in doubt.what


def test_a_file_that_holds_all_channels_is_given_once_for_each(tmp_path):
    array = np.arange(2 * 60, dtype=np.int16).reshape(3, 4, 5, 2)
    path = save(tmp_path / "both.nii.gz", array, np.eye(4))
    image = read_channels([path, path])
    np.testing.assert_array_equal(on_first_grid(image), np.moveaxis(array, -1, 0))
    with pytest.raises(DataError, match=r"has axes \(3, 4, 5, 2\), where an image of 3 channels"):
        read_channels([path] * 3)


def test_pictures_of_one_size_are_channels(tmp_path):
    for name, value in (("dapi.png", 7), ("gfp.png", 9)):
        Image.fromarray(np.full((20, 30), value, np.uint8)).save(tmp_path / name)
    stack = on_first_grid(read_channels([tmp_path / "dapi.png", tmp_path / "gfp.png"]))
    assert stack.shape == (2, 20, 30)
    assert [int(plane.max()) for plane in stack] == [7, 9]
    Image.fromarray(np.zeros((20, 31), np.uint8)).save(tmp_path / "wide.png")
    with pytest.raises(DataError, match=r"wide.png: has shape \(20, 31\)"):
        read_channels([tmp_path / "dapi.png", tmp_path / "wide.png"])
    colours = np.broadcast_to(np.uint8([1, 2, 3]), (20, 30, 3)).copy()
    Image.fromarray(colours).save(tmp_path / "rgb.png")
    with pytest.raises(DataError, match=r"rgb.png: is in colour, where one channel"):
        read_channels([tmp_path / "dapi.png", tmp_path / "rgb.png"])


def test_a_picture_and_a_volume_are_not_one_image(tmp_path):
    Image.fromarray(np.zeros((20, 30), np.uint8)).save(tmp_path / "a.png")
    save(tmp_path / "b.nii.gz", np.zeros((3, 4, 5), np.int16), np.eye(4))
    with pytest.raises(DataError, match=r"a.png and another channel: one is a picture"):
        read_channels([tmp_path / "a.png", tmp_path / "b.nii.gz"])


def test_a_dicom_series_and_a_file_are_channels_of_one_image(tmp_path):
    save_dicom(slices(hounsfield()), tmp_path / "ct")
    series = DicomSeriesReader()
    alone, meta = series.get_data(series.read(tmp_path / "ct"))
    path = save(tmp_path / "same.nii.gz", alone, np.asarray(meta["affine"]))
    assert not VolumeReader().verify_suffix([tmp_path / "ct", path])
    both, _ = series.get_data(series.read([tmp_path / "ct", path]))
    assert both.dtype == np.int16
    np.testing.assert_array_equal(both, [alone, alone])


def test_series_of_two_patients_are_refused_without_a_name(tmp_path):
    for name in ("one", "other"):
        files = slices(hounsfield(), affine=np.diag([-2.0, -1.5, 2.5, 1.0]))
        for number, file in enumerate(files):
            file.PatientID = f"{name}-4711"
            file.SeriesInstanceUID = f"1.2.3.{len(name)}"
            file.SOPInstanceUID = f"1.2.3.{len(name)}.{number + 1}"
            file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID
        save_dicom(files, tmp_path / name)
    with pytest.raises(DataError, match="of another patient than the first channel") as refused:
        read_channels([tmp_path / "one", tmp_path / "other"])
    assert "4711" not in str(refused.value)


@pytest.mark.data
def test_real_pet_and_mr_are_brought_together_as_itk_does_it(real_data):
    folder = real_data / "sarcoma_ct_mr_pet" / "STS_002"
    files = [folder / "PET_image.nii.gz", folder / "MR_T1_image.nii.gz"]
    pet, mr = (sitk.ReadImage(str(file)) for file in files)
    theirs = sitk.GetArrayFromImage(sitk.Resample(mr, pet, sitk.Transform(), sitk.sitkLinear, 0.0))
    np.testing.assert_allclose(
        on_first_grid(read_channels(files))[1], theirs.transpose(2, 1, 0), atol=1e-3
    )
