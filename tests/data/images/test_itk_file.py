"""What reading NRRD and MetaImage files promises: voxels in their place, or a refusal."""

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name its documentation uses
from hypothesis import given
from hypothesis import strategies as st

from medseg.data.images.volume import read_volume
from medseg.data.problems import InputError
from tests.data.builders import AFFINE, an_image, write_nifti
from tests.data.dicom.builders import rotated

SUFFIXES = ["nrrd", "nhdr", "mha", "mhd"]
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])


def write_itk(path, array, affine=AFFINE):
    """Write `(I, J, K)` with its RAS+ affine, as any program based on ITK does."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.T))
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(spacing)
    image.SetDirection((LPS_TO_RAS @ affine[:3, :3] / spacing).ravel())
    image.SetOrigin(LPS_TO_RAS @ affine[:3, 3])
    sitk.WriteImage(image, str(path), True)  # noqa: FBT003 - ITK's signature
    return path


def write_nrrd(path, array, *lines):
    """Write a header by hand, which ITK would not write so."""
    sizes = " ".join(map(str, array.shape))
    kind = f"type: short\ndimension: {array.ndim}\nsizes: {sizes}\nencoding: raw\nendian: little\n"
    header = "NRRD0004\n" + kind + "\n".join(lines) + "\n\n"
    path.write_bytes(header.encode() + array.astype("<i2").tobytes(order="F"))
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(angles=st.tuples(*[st.floats(-180, 180)] * 3))
def test_places_and_values_are_those_of_the_same_nifti(tmp_path_factory, suffix, angles):
    folder, affine = tmp_path_factory.mktemp("itk"), rotated(angles)
    ours = read_volume(write_itk(folder / f"a.{suffix}", an_image(), affine))
    nifti = read_volume(write_nifti(folder / "a.nii", an_image(), affine))
    np.testing.assert_array_equal(ours.array, nifti.array)
    np.testing.assert_allclose(ours.affine, nifti.affine, atol=1e-4)
    assert ours.dtype == "int16"


@pytest.mark.parametrize(
    ("space", "signs"),
    [("left-posterior-superior", (-1, -1, 1)), ("right-anterior-superior", (1, 1, 1))],
)
def test_the_space_of_an_nrrd_counts(tmp_path, space, signs):
    lines = (
        f"space: {space}",
        "space directions: (2,0,0) (0,3,0) (0,0,4)",
        "space origin: (1,2,3)",
    )
    volume = read_volume(write_nrrd(tmp_path / "a.nrrd", an_image(), *lines))
    np.testing.assert_array_equal(volume.array, an_image())
    expected = np.diag([*signs, 1]) @ [[2, 0, 0, 1], [0, 3, 0, 2], [0, 0, 4, 3], [0, 0, 0, 1]]
    np.testing.assert_allclose(volume.affine, expected)


@pytest.mark.parametrize("lines", [["spacings: 2 3 4"], ["space: scanner-xyz"]])
def test_an_nrrd_without_a_known_space_is_refused(tmp_path, lines):
    if "space" in lines[0].split(":"):
        lines = [*lines, "space directions: (2,0,0) (0,3,0) (0,0,4)", "space origin: (1,2,3)"]
    path = write_nrrd(tmp_path / "a.nrrd", an_image(), *lines)
    with pytest.raises(InputError, match="does not say where its axes point"):
        read_volume(path)


@pytest.mark.parametrize("suffix", ["nrrd", "mha"])
def test_colours_are_refused(tmp_path, suffix):
    image = sitk.GetImageFromArray(np.zeros((4, 5, 6, 3), np.uint8), isVector=True)
    sitk.WriteImage(image, str(tmp_path / f"a.{suffix}"))
    with pytest.raises(InputError, match="holds colours or vectors; convert it to one number"):
        read_volume(tmp_path / f"a.{suffix}")


def test_a_time_series_is_refused(tmp_path):
    image = sitk.GetImageFromArray(np.zeros((2, 4, 5, 6), np.int16), isVector=False)
    sitk.WriteImage(image, str(tmp_path / "a.mha"))
    with pytest.raises(InputError, match=r"has 4 axes \(6, 5, 4, 2\), a volume has 3"):
        read_volume(tmp_path / "a.mha")


@pytest.mark.parametrize(("suffix", "kind"), [("nrrd", "NRRD"), ("mha", "MetaImage")])
@pytest.mark.parametrize("kept", [0, 40, -100])
def test_a_damaged_file_is_refused(tmp_path, suffix, kind, kept):
    path = write_itk(tmp_path / f"a.{suffix}", an_image())
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(
        InputError, match=rf"cannot be read as {kind} \(.+\); copy or export it again"
    ):
        read_volume(path)


@pytest.mark.data
def test_a_real_nrrd_lies_where_its_labels_lie(real_data):
    folder = real_data / "chest_ct/cip-ct64"
    image, label = read_volume(folder / "ct-64.nrrd"), read_volume(folder / "lm-64.nrrd")
    assert image.shape == label.shape == (64, 64, 79)
    assert image.orientation == "LPS"
    np.testing.assert_allclose(image.affine, label.affine, atol=1e-3)
