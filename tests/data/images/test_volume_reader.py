"""MONAI's LoadImaged with our reader: the volume of MONAI's own, and no second opinion."""

import gzip
import pickle

import nibabel as nib
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.transforms import LoadImage

from medseg.data import VolumeReader, read_volume
from medseg.errors import DataError
from tests.data.builders import AFFINE, an_image, write_nifti

READER = "medseg.data.VolumeReader"


def load(path, reader=READER):
    return LoadImage(reader=reader, image_only=True, ensure_channel_first=True)(str(path))


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.NII.GZ"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", ">i2", "float32", "float64"])
def test_a_nifti_loads_as_it_does_with_monais_reader(tmp_path, name, dtype):
    path = write_nifti(tmp_path / name, an_image().astype(dtype))
    ours, theirs = load(path), load(path, "NibabelReader")
    assert torch.equal(ours.as_tensor(), theirs.as_tensor())
    assert ours.dtype == theirs.dtype
    assert torch.equal(ours.affine, theirs.affine)
    for key in ("original_affine", "spatial_shape"):
        np.testing.assert_array_equal(ours.meta[key], theirs.meta[key])


def test_one_slice_keeps_its_third_axis(tmp_path):
    path = write_nifti(tmp_path / "a.nii.gz", an_image()[:, :, :1])
    assert load(path).shape == load(path, "NibabelReader").shape == (1, *an_image().shape[:2], 1)


@pytest.mark.parametrize("name", ["a.nrrd", "a.mha"])
def test_nrrd_and_metaimage_load_as_read_volume_reads_them(tmp_path, name):
    import SimpleITK

    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(an_image()), str(tmp_path / name))
    expected = read_volume(tmp_path / name)
    np.testing.assert_array_equal(load(tmp_path / name)[0], expected.array)
    np.testing.assert_array_equal(load(tmp_path / name).affine, expected.affine)


def test_a_damaged_file_is_given_to_no_other_reader(tmp_path):
    image = an_image(shape=(20, 20, 20))
    # Stored without compression, so that the damage stays in one voxel, and nibabel takes it.
    content = bytearray(gzip.compress(nib.Nifti1Image(image, AFFINE).to_bytes(), compresslevel=0))
    content[-50] ^= 1
    path = tmp_path / "a.nii.gz"
    path.write_bytes(content)
    assert load(path, "NibabelReader").shape[0] == 1
    with pytest.raises(DataError, match=r"a.nii.gz: cannot be read as NIfTI \(CRC check failed"):
        load(path)


def test_other_files_go_to_the_next_reader(tmp_path):
    np.save(tmp_path / "a.npy", an_image())
    assert not VolumeReader().verify_suffix(tmp_path / "a.npy")
    np.testing.assert_array_equal(load(tmp_path / "a.npy", ["NumpyReader", READER])[0], an_image())
    with pytest.raises(ValueError, match=r"not a .nii .* file; use another reader"):
        VolumeReader().read(tmp_path / "a.npy")


def test_several_files_are_the_channels_of_one_image(tmp_path):
    for name, value in (("a.nii", 1), ("b.nii", 2)):
        voxels = np.full((3, 4, 5), value, np.int16)
        nib.save(nib.Nifti1Image(voxels, np.eye(4)), tmp_path / name)
    array, meta = VolumeReader().get_data(
        VolumeReader().read([tmp_path / "a.nii", tmp_path / "b.nii"])
    )
    assert array.shape == (2, 3, 4, 5)
    assert array.dtype == np.int16
    assert (array[0] == 1).all()
    assert (array[1] == 2).all()
    assert meta["original_channel_dim"] == 0


def test_a_reader_and_what_it_notes_can_be_pickled(tmp_path):
    reader = pickle.loads(pickle.dumps(VolumeReader()))
    noted = reader.read(tmp_path / "a.nii")
    assert pickle.loads(pickle.dumps(noted)) == noted


@given(shape=st.tuples(*[st.integers(1, 40)] * 3), order=st.sampled_from("CF"))
def test_volumes_come_in_c_order_whatever_the_files_is(tmp_path_factory, shape, order):
    voxels = np.arange(np.prod(shape), dtype=np.int32).reshape(shape, order=order)
    path = tmp_path_factory.mktemp("order") / "a.nii.gz"
    path.write_bytes(gzip.compress(nib.Nifti1Image(voxels, AFFINE).to_bytes(), 1))
    array = read_volume(path).array
    np.testing.assert_array_equal(array, voxels)
    assert array.flags.c_contiguous
    assert array.flags.writeable


@pytest.mark.parametrize(
    ("stored", "loaded"),
    [
        ("uint8", "uint8"),
        (">i2", "int16"),
        ("uint16", "float32"),
        ("int32", "float32"),
        ("float32", "float32"),
        ("float64", "float32"),
    ],
)
def test_without_a_dtype_voxels_stay_as_stored_where_torch_computes_with_that(
    tmp_path, stored, loaded
):
    voxels = an_image().clip(0, 255).astype(stored)
    image = LoadImage(reader=READER, dtype=None, image_only=True)(
        write_nifti(tmp_path / "a.nii", voxels)
    )
    assert image.dtype == getattr(torch, loaded)
    np.testing.assert_array_equal(image, voxels)
