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
    header[42:48] = b"".join(size.to_bytes(2, "little") for size in (1024, 1024, 140))
    path.write_bytes(igzip.compress(bytes(header[:352]) + bytes(2 * 1024 * 1024 * 140)))
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


@pytest.mark.parametrize("name", ["named.nii", "named.nii.gz"])
def test_the_content_says_whether_a_file_is_compressed_not_its_name(tmp_path, name):
    content = the_bytes() if name.endswith(".gz") else gzip.compress(the_bytes())
    (tmp_path / name).write_bytes(content)
    np.testing.assert_array_equal(read_nifti(tmp_path / name).array, an_image())


def with_field(name, value, array=None, image_type=nib.Nifti1Image):
    """The bytes of a file whose header has one field as it is given, unmended."""
    array = an_image() if array is None else array
    image = image_type(array, AFFINE, dtype=array.dtype)
    content = bytearray(image.to_bytes())
    header = type(image.header)(content[: image.header.structarr.nbytes], check=False)
    header[name] = value
    content[: header.structarr.nbytes] = header.structarr.tobytes()
    return bytes(content)


@pytest.mark.parametrize("image_type", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("vox_offset", 0, "puts the voxels at byte 0, itself ends at"),
        ("vox_offset", 340, "puts the voxels at byte 340, itself ends at"),
        ("vox_offset", 2**31, r"puts the voxels at byte 2.147\d+e\+09"),
        ("dim", [0, 6, 5, 4, 1, 1, 1, 1], "states 0 axes"),
        ("dim", [8, 6, 5, 4, 1, 1, 1, 1], "states 8 axes|cannot be read"),
        ("dim", [3, 6, -5, 4, 1, 1, 1, 1], r"states 3 axes of sizes \[6, -5, 4\]"),
        ("dim", [3, 6, 5, 5, 1, 1, 1, 1], "states 300 bytes of voxels, the file has 240"),
        ("dim", [3, 6, 5, 3, 1, 1, 1, 1], "states 180 bytes of voxels, the file has more"),
        ("dim", [3, 6, 5, 2, 1, 1, 1, 1], "states 120 bytes of voxels, the file has more"),
        ("bitpix", 8, "states 8 bits for values of 16"),
        ("datatype", 2, "states 16 bits for values of 8"),
        ("datatype", 1, "an unknown type, 1"),
        ("datatype", 77, "an unknown type, 77"),
        ("pixdim", [1, 2, -2, 2.5, 0, 0, 0, 0], "voxel size .pixdim. of -2 mm"),
        ("pixdim", [1, 2, 0, 2.5, 0, 0, 0, 0], "voxel size .pixdim. of 0 mm"),
        ("pixdim", [1, 2, np.nan, 2.5, 0, 0, 0, 0], "voxel size .pixdim. of nan mm"),
        ("scl_slope", np.inf, r"scales the values by inf \(scl_slope\)"),
        ("magic", b"ni1", r"its voxels are in another file \(.hdr and .img\)"),
    ],
)
def test_a_header_that_contradicts_itself_or_the_file_is_refused(
    tmp_path, image_type, name, value, message
):
    path = tmp_path / "a.nii"
    for content in (with_field(name, value, image_type=image_type),) * 2:
        path.write_bytes(content)
        with pytest.raises(InputError, match=message):
            read_nifti(path)
        path = tmp_path / "a.nii.gz"


def test_a_single_slice_may_leave_the_distance_to_the_next_at_0(tmp_path):
    content = with_field("pixdim", [1, 2, 2, 0, 0, 0, 0, 0], an_image(shape=(6, 5, 1)))
    (tmp_path / "a.nii").write_bytes(content)
    assert read_nifti(tmp_path / "a.nii").array.shape == (6, 5, 1)


@pytest.mark.parametrize("slope", [0, np.nan, 1, 0.5, -3])
@pytest.mark.parametrize("inter", [0, -1024, 0.25])
@pytest.mark.parametrize("dtype", ["<i2", ">i2", ">f4", "u1", "<u4", "<i8", "<f8"])
def test_values_are_scaled_as_nibabel_scales_them(tmp_path, slope, inter, dtype):
    path = tmp_path / "a.nii"
    content = bytearray(with_field("scl_slope", slope, np.abs(an_image() % 100).astype(dtype)))
    content[116:120] = np.array([inter], dtype[0] + "f4" if dtype[0] in "<>" else "<f4").tobytes()
    path.write_bytes(content)
    oracle = np.asanyarray(nib.load(path).dataobj)
    ours = read_nifti(path).array
    np.testing.assert_array_equal(ours, oracle)
    assert ours.dtype.newbyteorder("=") == oracle.dtype.newbyteorder("=")


def saved(path, array):
    nib.save(nib.Nifti1Image(array, AFFINE, dtype=array.dtype), path)
    return path


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_whole_numbers_beyond_those_of_a_double_are_kept(tmp_path, dtype):
    large = np.full((2, 2, 2), 2**53 + 1, dtype)
    array = read_nifti(saved(tmp_path / "a.nii", large)).array
    assert array.ravel()[0] == 2**53 + 1


def test_two_orientations_that_differ_by_more_than_a_voxel_are_told(tmp_path):
    image = nib.Nifti1Image(an_image(), AFFINE)
    image.set_sform(AFFINE, code=1)
    image.set_qform(AFFINE + np.array([[0, 0, 0, 1.9], *[[0] * 4] * 3]), code=1)
    (tmp_path / "a.nii").write_bytes(image.to_bytes())
    assert read_nifti(tmp_path / "a.nii").doubts == ()
    image.set_qform(AFFINE + np.array([[0, 0, 0, 7], *[[0] * 4] * 3]), code=1)
    (tmp_path / "a.nii").write_bytes(image.to_bytes())
    (doubt,) = read_nifti(tmp_path / "a.nii").doubts
    assert "two orientations, sform and qform, which put a corner 3.5 voxels apart" in doubt.what
    # A mirrored one is off by the whole width, 5 voxels.
    image.set_qform(np.diag([-1, 1, 1, 1]) @ AFFINE, code=1)
    (tmp_path / "a.nii").write_bytes(image.to_bytes())
    assert len(read_nifti(tmp_path / "a.nii").doubts) == 1


def test_zeros_behind_the_voxels_cost_nothing_and_are_refused(tmp_path):
    path = tmp_path / "a.nii.gz"
    # 4 GiB of zeros in 18 MB, were it read to its end; here the first of 4000 members are.
    path.write_bytes(gzip.compress(the_bytes()) + igzip.compress(bytes(2**20)) * 4000)
    with pytest.raises(InputError, match="states 240 bytes of voxels, the file has more"):
        read_nifti(path)


def test_voxels_that_so_small_a_file_cannot_hold_are_refused_without_unpacking(tmp_path):
    content = bytearray(the_bytes())
    content[42:48] = (1000).to_bytes(2, "little") * 3
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(InputError, match="states 2000000000 bytes of voxels, the file has"):
        read_nifti(path)


def test_more_voxels_than_the_limit_are_refused_with_what_to_set(tmp_path, monkeypatch):
    path = write_nifti(tmp_path / "a.nii.gz", an_image())
    monkeypatch.setenv("MEDSEG_MAX_VOXELS", "119")
    with pytest.raises(InputError, match="6 x 5 x 4 voxels, more than the limit of 119"):
        read_nifti(path)


def test_a_block_that_was_filled_up_is_no_further_slice(tmp_path):
    (tmp_path / "a.nii").write_bytes(the_bytes() + bytes(59))
    np.testing.assert_array_equal(read_nifti(tmp_path / "a.nii").array, an_image())
    (tmp_path / "a.nii").write_bytes(the_bytes() + bytes(60))
    with pytest.raises(InputError, match="the file has more"):
        read_nifti(tmp_path / "a.nii")
