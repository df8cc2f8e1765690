"""What a volume is, whatever file it comes from."""

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name its documentation uses
from hypothesis import given
from hypothesis import strategies as st
from monai.transforms import LoadImage

from medseg.data.images.naming import VOLUME_SUFFIXES
from medseg.data.images.volume import read_volume
from medseg.data.problems import InputError
from medseg.data.source import Source
from tests.data.builders import AFFINE, an_image, write_nifti
from tests.data.dicom.builders import hounsfield, save, slices, tilted, uid

LPS_TO_RAS = np.array([-1, -1, 1])


def test_shape_spacing_orientation_and_type_by_hand(tmp_path):
    volume = read_volume(write_nifti(tmp_path / "a.nii.gz", an_image()))
    assert volume.shape == (6, 5, 4)
    assert volume.spacing_mm == (2.0, 2.0, 2.5)
    assert volume.orientation == "RAS"
    assert volume.dtype == "int16"
    # voxel (1, 2, 3) lies at (-10 + 1*2, 20 + 2*2, 5 + 3*2.5)
    assert (volume.affine @ (1, 2, 3, 1))[:3].tolist() == [-8, 24, 12.5]


@given(
    order=st.permutations(range(3)),
    signs=st.tuples(*[st.sampled_from([-1, 1])] * 3),
    spacing=st.tuples(*[st.floats(0.3, 8)] * 3),
)
def test_places_and_values_agree_with_simpleitk(tmp_path_factory, order, signs, spacing):
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, order] * signs * spacing
    affine[:3, 3] = 7, -30, 100
    path = write_nifti(tmp_path_factory.mktemp("oracle") / "a.nii", an_image(), affine)
    volume, oracle = read_volume(path), sitk.ReadImage(path)
    np.testing.assert_array_equal(volume.array, sitk.GetArrayFromImage(oracle).T)
    place = np.array(oracle.TransformIndexToPhysicalPoint((1, 2, 3))) * LPS_TO_RAS
    np.testing.assert_allclose((volume.affine @ (1, 2, 3, 1))[:3], place, atol=1e-3)
    np.testing.assert_allclose(volume.spacing_mm, oracle.GetSpacing(), rtol=1e-5)


@pytest.mark.parametrize("more", [(1,), (1, 1), (1, 1, 1)])
def test_further_axes_of_size_one_are_taken_off(tmp_path, more):
    path = write_nifti(tmp_path / "a.nii.gz", an_image().reshape((*an_image().shape, *more)))
    np.testing.assert_array_equal(read_volume(path).array, an_image())


# MONAI says so whenever it makes its list of readers, on every machine without nvImageCodec.
@pytest.mark.filterwarnings("ignore:NvImgCodecPydicomReader:UserWarning")
def test_a_fourth_axis_of_size_one_is_taken_off_as_monai_does(tmp_path):
    path = write_nifti(tmp_path / "a.nii.gz", an_image()[..., None])
    volume = read_volume(path)
    theirs = LoadImage(reader="NibabelReader", image_only=True, ensure_channel_first=True)(path)
    np.testing.assert_array_equal(volume.array, theirs[0].numpy())
    np.testing.assert_allclose(volume.affine, theirs.affine)


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 4, 2), (6, 5, 4, 1, 3)])
def test_another_number_of_axes_is_refused(tmp_path, shape):
    path = write_nifti(tmp_path / "a.nii.gz", np.zeros(shape, np.int16))
    with pytest.raises(InputError, match=rf"has {len(shape)} axes .*, a volume has 3; save each"):
        read_volume(path)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_volume_without_voxels_is_refused(tmp_path, name):
    path = write_nifti(tmp_path / name, np.zeros((6, 0, 4), np.int16))
    with pytest.raises(InputError, match="has no voxels; export the file again"):
        read_volume(path)


@pytest.mark.parametrize(
    "affine",
    [
        np.diag([1.0, 1.0, 0.0, 1.0]),
        np.array([[1.0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
        np.diag([1.0, np.nan, 1.0, 1.0]),
    ],
    ids=["no thickness", "parallel axes", "NaN"],
)
def test_an_affine_that_places_no_voxel_is_refused(tmp_path, affine):
    content = bytearray(nib.Nifti1Image(an_image(), AFFINE).to_bytes())
    content[280:328] = affine[:3].astype("<f4").tobytes()  # srow_x, srow_y, srow_z
    path = tmp_path / "a.nii"
    path.write_bytes(content)
    with pytest.raises(InputError, match="affine is not invertible"):
        read_volume(path)


def test_big_endian_files_give_native_arrays(tmp_path):
    path = write_nifti(tmp_path / "a.nii", an_image().astype(">i2"))
    volume = read_volume(path)
    assert volume.array.dtype.isnative
    np.testing.assert_array_equal(volume.array, an_image())


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"a\.nii: not there; check the path"):
        read_volume(tmp_path / "a.nii")


def test_another_format_is_refused_with_those_that_can_be_read(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(InputError, match="format not supported; use a NIfTI, NRRD or MetaIm"):
        read_volume(tmp_path / "a.png")


def test_an_error_of_a_label_says_so(tmp_path):
    with pytest.raises(InputError) as info:
        read_volume(tmp_path / "a.nii", where="label")
    assert info.value.problem.where == "label"


def test_a_series_is_a_volume_that_says_which_it_is(tmp_path):
    series = save(slices(hounsfield()), tmp_path / "tree" / "ct")
    for path in (series, series.parent, Source(series.parent, uid("a"))):
        volume = read_volume(path)
        np.testing.assert_array_equal(volume.array, hounsfield())
        assert (volume.orientation, volume.dtype) == ("LPS", "int16")
        assert volume.dicom.series_uid == uid("a")


def test_a_series_is_read_with_the_words_for_tilt_and_gaps(tmp_path):
    made = slices(hounsfield(), tilted(20))
    save([*made[:4], *made[5:]], tmp_path)
    volume = read_volume(tmp_path, tilt="resample", gaps="interpolate")
    assert volume.dicom.interpolated == (4,)
    with pytest.raises(InputError, match=r"^DICOM series .* tilted by 20") as info:
        read_volume(tmp_path, where="label")
    assert info.value.problem.where == "label"


@pytest.mark.parametrize("suffix", VOLUME_SUFFIXES)
def test_every_volume_format_of_the_table_has_a_reader(suffix, tmp_path):
    (tmp_path / f"a{suffix}").write_bytes(b"no image")
    with pytest.raises(InputError, match="cannot be read as"):
        read_volume(tmp_path / f"a{suffix}")
