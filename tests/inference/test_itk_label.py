"""NRRD and MetaImage labels, read back by SimpleITK, which did not write them."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from medseg.data import read_volume
from medseg.inference import save_label


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
@given(
    shape=st.tuples(*[st.integers(1, 6)] * 3),
    angles=st.tuples(*[st.floats(-3, 3)] * 3),
    mirrored=st.booleans(),
    highest=st.sampled_from([3, 300]),
)
def test_values_and_place_come_back(suffix, shape, angles, mirrored, highest):
    values = np.random.default_rng(0).integers(0, highest, shape)
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", angles).as_matrix() * [0.7, 1.1, 2.5]
    affine[:3, 0] *= -1 if mirrored else 1
    affine[:3, 3] = -120.5, 33.25, 1 / 3
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"case_seg{suffix}"
        save_label(path, values, affine)
        volume, image = read_volume(path), SimpleITK.ReadImage(str(path))
    np.testing.assert_array_equal(volume.array, values)
    assert volume.array.dtype == (np.uint8 if values.max() < 256 else np.uint16)
    np.testing.assert_allclose(volume.affine, affine, atol=1e-9)
    last = [n - 1 for n in shape]
    lps = (affine @ [*last, 1])[:3] * [-1, -1, 1]
    np.testing.assert_allclose(image.TransformIndexToPhysicalPoint(last), lps, atol=1e-9)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nii.gz"])
def test_the_same_label_gives_the_same_bytes(suffix, tmp_path):
    values = np.arange(60).reshape(3, 4, 5) % 3
    paths = [tmp_path / name / f"case_seg{suffix}" for name in ("one", "other")]
    for path in paths:
        save_label(path, values, np.eye(4))
    assert paths[0].read_bytes() == paths[1].read_bytes()
