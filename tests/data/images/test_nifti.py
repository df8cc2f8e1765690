"""What reading a NIfTI file promises, above all when the file is damaged."""

import gzip
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import igzip

from medseg.data.images.nifti import read_nifti
from medseg.data.problems import InputError
from tests.data.builders import AFFINE, an_image, write_nifti


def the_bytes():
    return nib.Nifti1Image(an_image(), AFFINE).to_bytes()


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("image_type", [nib.Nifti1Image, nib.Nifti2Image])
def test_voxels_affine_and_type_come_back(tmp_path, name, image_type):
    path = write_nifti(tmp_path / name, an_image(), image_type=image_type)
    array, affine, dtype, doubts = read_nifti(path)
    np.testing.assert_array_equal(array, an_image())
    np.testing.assert_array_equal(affine, AFFINE)
    assert dtype == "int16"
    assert doubts == ()


def test_slope_and_intercept_are_applied_and_the_stored_type_is_told(tmp_path):
    content = bytearray(nib.Nifti1Image(np.full((2, 2, 2), 3, np.uint8), AFFINE).to_bytes())
    # scl_slope and scl_inter, which nibabel sets by itself when it writes
    content[112:120] = np.array([2, -1024], "<f4").tobytes()
    (tmp_path / "a.nii").write_bytes(content)
    array, _, dtype, _ = read_nifti(tmp_path / "a.nii")
    assert np.unique(array).tolist() == [3 * 2 - 1024]
    assert dtype == "uint8"


def changed(place: int, value: int) -> bytes:
    content = bytearray(the_bytes())
    content[place] = value
    return bytes(content)


@pytest.mark.parametrize(("code", "unit"), [(1, "metres"), (3 + 8, "micrometres")])
def test_units_that_are_not_millimetres_are_told_and_nothing_is_scaled(tmp_path, code, unit):
    (tmp_path / "a.nii").write_bytes(changed(123, code))  # xyzt_units; 8 is for seconds
    volume = read_nifti(tmp_path / "a.nii")
    np.testing.assert_array_equal(volume.affine, AFFINE)
    assert [doubt.severity for doubt in volume.doubts] == ["warning"]
    assert volume.doubts[0].what.startswith(f"its header gives voxel sizes in {unit}, but they")


@pytest.mark.parametrize("code", [0, 2, 2 + 8])
def test_millimetres_and_no_unit_raise_no_doubt(tmp_path, code):
    (tmp_path / "a.nii").write_bytes(changed(123, code))
    assert read_nifti(tmp_path / "a.nii").doubts == ()


def test_a_file_without_orientation_raises_doubt_of_its_sides(tmp_path):
    image = nib.Nifti1Image(an_image(), AFFINE)
    image.set_sform(None, code=0)
    image.set_qform(None, code=0)
    (tmp_path / "a.nii").write_bytes(image.to_bytes())
    (doubt,) = read_nifti(tmp_path / "a.nii").doubts
    assert "no orientation (sform and qform codes 0), so left and right are a guess" in doubt.what


def test_a_header_that_nibabel_would_log_about_is_read_in_silence(tmp_path, caplog):
    content = bytearray(the_bytes())
    content[76:80] = np.array([9], "<f4").tobytes()  # pixdim[0] must be 1 or -1
    content[254:256] = (77).to_bytes(2, "little")  # sform_code beyond 5
    (tmp_path / "a.nii").write_bytes(content)
    nib.load(tmp_path / "a.nii")
    assert caplog.records
    caplog.clear()
    read_nifti(tmp_path / "a.nii")
    assert caplog.records == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.nii", b""),
        ("empty.nii.gz", b""),
        ("text.nii", b"hello\n" * 100),
        ("text.nii.gz", b"hello\n" * 100),
        ("compressed_twice.nii.gz", gzip.compress(gzip.compress(the_bytes()))),
        ("cut_header.nii", the_bytes()[:100]),
        ("cut_voxels.nii", the_bytes()[:-1]),
        ("cut_stream.nii.gz", gzip.compress(the_bytes())[:-30]),
        ("cut_checksum.nii.gz", gzip.compress(the_bytes())[:-4]),
    ],
)
def test_a_file_that_is_no_nifti_or_half_of_one_is_refused_in_one_line(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"cannot be read as NIfTI \(.+\); copy or export") as info:
        read_nifti(path)
    assert len(str(info.value).splitlines()) == 1
    assert str(info.value).startswith(f"{path}: ")


def test_a_flipped_bit_that_nibabel_does_not_notice_is_refused(tmp_path):
    image = an_image(shape=(20, 20, 20))
    # Stored without compression, so that the damage stays in one voxel.
    damaged = bytearray(gzip.compress(nib.Nifti1Image(image, AFFINE).to_bytes(), compresslevel=0))
    damaged[-50] ^= 1
    path = tmp_path / "a.nii.gz"
    path.write_bytes(damaged)
    assert np.sum(np.asanyarray(nib.load(path).dataobj) != image) == 1
    with pytest.raises(InputError, match="CRC check failed"):
        read_nifti(path)


@pytest.mark.parametrize("slope", [1, 2])
def test_a_header_that_promises_more_than_the_file_holds_is_refused(tmp_path, slope):
    header = bytearray(the_bytes())
    header[42:48] = (32767).to_bytes(2, "little") * 3
    header[112:116] = np.array([slope], "<f4").tobytes()
    path = tmp_path / "a.nii"
    path.write_bytes(header)
    with pytest.raises(InputError, match=r"its header states 70362301923326 bytes .* file has 240"):
        read_nifti(path)


LITTLE_MEMORY = """
import resource, sys
from medseg.data.images.nifti import read_nifti
from medseg.data.problems import InputError
from pathlib import Path
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, resource.RLIM_INFINITY))
try:
    read_nifti(Path(sys.argv[1]))
except InputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as Linux does")
def test_a_volume_larger_than_the_memory_is_refused(tmp_path):
    path = tmp_path / "a.nii.gz"
    header = bytearray(the_bytes())
    header[42:48] = b"".join(size.to_bytes(2, "little") for size in (1024, 1024, 300))
    path.write_bytes(igzip.compress(bytes(header[:352]) + bytes(2 * 1024 * 1024 * 300)))
    program = [sys.executable, "-c", LITTLE_MEMORY, str(path)]
    told = subprocess.run(program, check=True, capture_output=True, text=True).stdout
    assert told.strip().endswith(
        "larger than the memory, or its header is damaged; copy the file again, or use a machine "
        "with more memory"
    )


def test_all_members_of_a_compressed_file_are_read(tmp_path):
    content = the_bytes()
    path = tmp_path / "a.nii.gz"
    # As bgzip and pigz may write them.
    path.write_bytes(b"".join(gzip.compress(part) for part in (content[:400], content[400:], b"")))
    np.testing.assert_array_equal(read_nifti(path)[0], an_image())


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [(np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]), "colours"), (np.complex64, "complex")],
)
def test_colours_and_complex_numbers_are_refused(tmp_path, dtype, kind):
    path = write_nifti(tmp_path / "a.nii", np.zeros((2, 2, 2), dtype))
    with pytest.raises(InputError, match=rf"holds {kind}.*; convert it to one number per voxel"):
        read_nifti(path)


def outcome(path):
    try:
        return read_nifti(path)
    except InputError as error:
        return str(error)


@given(place=st.integers(0, 351), value=st.integers(0, 255), compressed=st.booleans())
def test_whatever_byte_of_the_header_is_damaged_the_user_gets_one_line(
    tmp_path_factory, place, value, compressed
):
    content = bytearray(the_bytes())
    content[place] = value
    path = tmp_path_factory.mktemp("damaged") / ("a.nii.gz" if compressed else "a.nii")
    path.write_bytes(gzip.compress(bytes(content)) if compressed else content)
    result = outcome(path)
    if isinstance(result, str):
        assert len(result.splitlines()) == 1
    else:
        assert result[1].shape == (4, 4)
