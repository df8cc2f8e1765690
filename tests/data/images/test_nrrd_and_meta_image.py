"""What reading NRRD and MetaImage files promises: voxels in their place, or a refusal."""

import bz2
import gzip
import os
import zlib

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
    [
        ("left-posterior-superior", (-1, -1, 1)),
        ("LPS", (-1, -1, 1)),
        ("right-anterior-superior", (1, 1, 1)),
        ("RAS", (1, 1, 1)),
        ("left-anterior-superior", (-1, 1, 1)),
        ("LAS", (-1, 1, 1)),
    ],
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


@pytest.mark.parametrize("suffix", ["nrrd", "mha"])
@pytest.mark.parametrize(
    ("shape", "says"), [((2, 4, 5, 6), r"4 axes \(6, 5, 4, 2\)"), ((4, 5), r"2 axes \(5, 4\)")]
)
def test_a_time_series_and_a_slice_are_refused(tmp_path, suffix, shape, says):
    image = sitk.GetImageFromArray(np.zeros(shape, np.int16), isVector=False)
    sitk.WriteImage(image, str(tmp_path / f"a.{suffix}"))
    with pytest.raises(InputError, match=f"has {says}, a volume has 3"):
        read_volume(tmp_path / f"a.{suffix}")


@pytest.mark.parametrize(("suffix", "kind"), [("nrrd", "NRRD"), ("mha", "MetaImage")])
@pytest.mark.parametrize("kept", [0, 40, -100])
def test_a_damaged_file_is_refused(tmp_path, suffix, kind, kept):
    path = write_itk(tmp_path / f"a.{suffix}", an_image())
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(
        InputError, match=rf"cannot be read as {kind} \(.+\); copy or export it again"
    ):
        read_volume(path)


PLACED = (
    "space: left-posterior-superior",
    "space directions: (2,0,0) (0,3,0) (0,0,4)",
    "space origin: (1,2,3)",
)
META = {
    "ObjectType": "Image",
    "NDims": "3",
    "BinaryData": "True",
    "BinaryDataByteOrderMSB": "False",
    "CompressedData": "False",
    "TransformMatrix": "1 0 0 0 1 0 0 0 1",
    "Offset": "1 2 3",
    "ElementSpacing": "2 3 4",
    "DimSize": "6 5 4",
    "ElementType": "MET_SHORT",
    "ElementDataFile": "LOCAL",
}
VOXELS = an_image().astype("<i2").tobytes(order="F")


def write_meta(path, changes=(), voxels=VOXELS):
    """Write a header by hand, with the lines changed, left out (None) or added before the last."""
    fields = {**META, **dict(changes)}
    fields["ElementDataFile"] = fields.pop("ElementDataFile")
    lines = "".join(f"{name} = {value}\n" for name, value in fields.items() if value is not None)
    path.write_bytes(lines.encode() + voxels)
    return path


def agree(path):
    """Read by us and by ITK, with the same voxels in the same places."""
    ours, theirs = read_volume(path), sitk.ReadImage(path)
    np.testing.assert_array_equal(ours.array, sitk.GetArrayFromImage(theirs).T)
    place = LPS_TO_RAS @ theirs.TransformIndexToPhysicalPoint((1, 2, 3))
    np.testing.assert_allclose((ours.affine @ (1, 2, 3, 1))[:3], place, atol=1e-4)
    return ours


TYPES = {
    "i1": (sitk.sitkInt8, "signed char", "MET_CHAR"),
    "u1": (sitk.sitkUInt8, "uchar", "MET_UCHAR"),
    "i2": (sitk.sitkInt16, "int16_t", "MET_SHORT"),
    "u2": (sitk.sitkUInt16, "unsigned short", "MET_USHORT"),
    "i4": (sitk.sitkInt32, "int", "MET_INT"),
    "u4": (sitk.sitkUInt32, "uint32", "MET_UINT"),
    "i8": (sitk.sitkInt64, "long long", "MET_LONG_LONG"),
    "u8": (sitk.sitkUInt64, "uint64", "MET_ULONG_LONG"),
    "f4": (sitk.sitkFloat32, "float", "MET_FLOAT"),
    "f8": (sitk.sitkFloat64, "double", "MET_DOUBLE"),
}


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_is_read_as_itk_wrote_it(tmp_path, suffix, dtype, compressed):
    image = sitk.GetImageFromArray(np.abs(an_image() % 100).astype(dtype).T)
    assert image.GetPixelID() == TYPES[dtype][0]
    path = tmp_path / f"a.{suffix}"
    sitk.WriteImage(image, str(path), compressed)
    assert agree(path).dtype == np.dtype(dtype).name


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_and_byte_order_is_read_as_itk_reads_it(tmp_path, dtype, order):
    voxels = np.abs(an_image() % 100).astype(order + dtype).tobytes(order="F")
    _, nrrd, meta = TYPES[dtype]
    endian = {"<": "little", ">": "big"}[order]
    header = ("NRRD0005", f"type: {nrrd}", "dimension: 3", "sizes: 6 5 4", f"endian: {endian}")
    (tmp_path / "a.nrrd").write_bytes(
        ("\n".join((*header, "encoding: raw", *PLACED)) + "\n\n").encode() + voxels
    )
    agree(tmp_path / "a.nrrd")
    changes = {"ElementType": meta, "BinaryDataByteOrderMSB": str(order == ">")}
    agree(write_meta(tmp_path / "a.mha", changes, voxels))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Offset": None},
        {"Offset": None, "Origin": "5 6 7"},
        {"Offset": None, "Position": "5 6 7"},
        {"TransformMatrix": "0 1 0 0 0 1 1 0 0"},
        {"TransformMatrix": None, "Rotation": "0 1 0 0 0 1 1 0 0"},
        {"TransformMatrix": None, "Orientation": "0 -1 0 1 0 0 0 0 1"},
        {"ElementSpacing": None, "ElementSize": "5 6 7"},
        {"ElementSize": "5 6 7"},
        {"CenterOfRotation": "9 9 9", "AnatomicalOrientation": "RAS"},
        {"ElementNumberOfChannels": "1"},
        {"ElementDataFile": "Local"},
        {"dim[0]": "3", "0008|0060": "CT", "descrip": "a: b = c"},
        {"HeaderSize": "-1"},
        {"BinaryDataByteOrderMSB": None},
    ],
)
def test_a_meta_image_header_means_what_it_means_to_itk(tmp_path, changes):
    agree(write_meta(tmp_path / "a.mha", changes))


@pytest.mark.parametrize("name", ["gzip", "gz", "bzip2", "bz2"])
def test_an_nrrd_may_be_compressed_in_several_ways(tmp_path, name):
    pack = gzip.compress if name.startswith("gz") else bz2.compress
    path = write_nrrd(tmp_path / "a.nrrd", an_image(), *PLACED)
    head, voxels = path.read_bytes().split(b"\n\n", 1)
    packed = pack(voxels)
    path.write_bytes(head.replace(b"raw", name.encode()) + b"\n\n" + packed)
    np.testing.assert_array_equal(read_volume(path).array, an_image())
    # The checksum is behind the voxels, where ITK does not look.
    path.write_bytes(path.read_bytes()[:-6] + bytes(6))
    with pytest.raises(InputError, match="cannot be read as NRRD"):
        read_volume(path)


def test_skipped_lines_and_bytes_are_no_voxels(tmp_path):
    path = write_nrrd(tmp_path / "a.nrrd", an_image(), *PLACED, "line skip: 1", "byte skip: 3")
    head, voxels = path.read_bytes().split(b"\n\n", 1)
    path.write_bytes(head + b"\n\na line\nxyz" + voxels)
    agree(path)
    write_nrrd(tmp_path / "b.nrrd", an_image(), *PLACED, "byte skip: -1")
    head, voxels = (tmp_path / "b.nrrd").read_bytes().split(b"\n\n", 1)
    (tmp_path / "b.nrrd").write_bytes(head + b"\n\nwhatever else" + voxels)
    agree(tmp_path / "b.nrrd")


def test_more_skipped_lines_than_the_file_has_are_refused_at_once(tmp_path):
    path = write_nrrd(tmp_path / "a.nrrd", an_image(), *PLACED, f"line skip: {10**17}")
    with pytest.raises(InputError, match="the file ends before its voxels"):
        read_volume(path)


def test_an_axis_of_one_that_is_none_of_space_is_taken_off(tmp_path):
    path = write_nrrd(
        tmp_path / "a.nrrd",
        an_image()[None],
        PLACED[0],
        "space directions: none (2,0,0) (0,3,0) (0,0,4)",
        "kinds: vector domain domain domain",
    )
    volume = read_volume(path)
    np.testing.assert_array_equal(volume.array, an_image())
    assert volume.spacing_mm == (2, 3, 4)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("kinds: vector domain domain domain",), "holds colours or vectors"),
        (("kinds: 3-color domain domain domain",), "holds colours or vectors"),
        ((), "holds colours or vectors"),
    ],
)
def test_vectors_at_each_voxel_are_refused(tmp_path, lines, message):
    directions = "space directions: none (2,0,0) (0,3,0) (0,0,4)"
    array = np.zeros((3, 6, 5, 4), np.int16)
    path = write_nrrd(tmp_path / "a.nrrd", array, PLACED[0], directions, *lines)
    with pytest.raises(InputError, match=message):
        read_volume(path)


def test_a_list_of_volumes_is_refused(tmp_path):
    directions = "space directions: (2,0,0) (0,3,0) (0,0,4) none"
    array = np.zeros((6, 5, 4, 2), np.int16)
    path = write_nrrd(
        tmp_path / "a.nrrd", array, PLACED[0], directions, "kinds: domain domain domain list"
    )
    with pytest.raises(InputError, match=r"has 4 axes \(6, 5, 4, 2\), a volume has 3"):
        read_volume(path)


def test_other_units_and_a_missing_orientation_are_told(tmp_path):
    nrrd = write_nrrd(tmp_path / "a.nrrd", an_image(), *PLACED, 'space units: "um" "um" "um"')
    (doubt,) = read_volume(nrrd).doubts
    assert "gives voxel sizes in 'um', but they are read as millimetres" in doubt.what
    (doubt,) = read_volume(write_meta(tmp_path / "a.mha", {"DistanceUnits": "um"})).doubts
    assert "gives voxel sizes in 'um'" in doubt.what
    (doubt,) = read_volume(write_meta(tmp_path / "b.mha", {"TransformMatrix": None})).doubts
    assert "no orientation, so left and right are a guess" in doubt.what
    (doubt,) = read_volume(write_meta(tmp_path / "c.mha", {"Offset": None})).doubts
    assert "no origin, so where it lies in the patient is a guess" in doubt.what
    (doubt,) = read_volume(write_nrrd(tmp_path / "c.nrrd", an_image(), *PLACED[:2])).doubts
    assert "no origin" in doubt.what
    units = write_nrrd(tmp_path / "b.nrrd", an_image(), *PLACED, 'space units: "mm" "mm" "mm"')
    assert read_volume(units).doubts == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"NDims": "2"}, "states NDims = 2 and sizes"),
        ({"DimSize": "6 5 -4"}, "and sizes"),
        ({"DimSize": "6 5 5"}, "states 300 bytes of voxels, the file has 240"),
        ({"DimSize": "6 5 3"}, "states 180 bytes of voxels, the file has more"),
        ({"ElementType": "MET_STRING"}, "values of type 'MET_STRING'"),
        ({"ElementType": None}, "lacks ElementType"),
        ({"ElementSpacing": None}, "lacks ElementSize"),
        ({"ElementSpacing": "2 3 nan"}, "ElementSpacing is '2 3 nan', not 3 numbers"),
        ({"ElementSpacing": "2 3"}, "ElementSpacing is '2 3', not 3 numbers"),
        ({"ElementSpacing": "2 3 0"}, "affine is not invertible"),
        ({"Offset": "1 2 1e999"}, "too large a number"),
        ({"TransformMatrix": "1 0 0 0 1 0"}, "TransformMatrix is '1 0 0 0 1 0', not 9 numbers"),
        ({"BinaryData": "False"}, "its voxels are text"),
        ({"CompressedData": "perhaps"}, "CompressedData is 'perhaps', not True or False"),
        ({"CompressedData": "True"}, "cannot be read as MetaImage"),
        (
            {"CompressedDataSize": "240"},
            "CompressedDataSize is 240, the file has 240, packed as raw",
        ),
        ({"Offset\0": "1 2 3"}, "a line break or an end of text within a line"),
        ({"CenterOfRotation": "0 0"}, "CenterOfRotation is '0 0', not 3 numbers"),
        ({"ElementByteOrderMSB": "True"}, "two values for 'BinaryDataByteOrderMSB'"),
        ({"ElementToIntensityFunctionSlope": "2"}, "its header scales the values"),
        ({"HeaderSize": "40"}, "HeaderSize 40 cannot be used"),
        ({"ElementNumberOfChannels": "3"}, "holds colours or vectors"),
    ],
)
def test_a_meta_image_that_contradicts_itself_is_refused(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        read_volume(write_meta(tmp_path / "a.mha", changes))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sizes: 6 5 4", "sizes: 6 5 5", "states 300 bytes of voxels, the file has 240"),
        ("sizes: 6 5 4", "sizes: 6 5 3", "states 180 bytes of voxels, the file has more"),
        ("sizes: 6 5 4", "sizes: 6 5", "states 3 axes of sizes"),
        ("sizes: 6 5 4", "sizes: 6 5 4_0", "sizes is '4_0', no whole number"),
        ("type: short", "type: block", "values of type 'block'"),
        ("endian: little", "content: x", "lacks 'endian'"),
        ("encoding: raw", "encoding: hex", "encoding 'hex' is none of raw, gzip, bzip2"),
        ("encoding: raw", "encoding: gzip", "cannot be read as NRRD"),
        ("(2,0,0)", "(2,0,nan)", "a space direction is '2 0 nan', not 3 numbers"),
        ("(2,0,0)", "none", "holds colours or vectors|axes"),
        ("space directions", "spacings", "does not say where its axes point"),
        ("space origin: (", "space origin: ", "is no vector in parentheses"),
        ("(2,0,0)", "(\r2,0,0)", "a line break or an end of text within a line"),
        ("(2,0,0)", "(2 0,0)", "a space direction is '2 0 0', not 3 numbers"),
        ("dimension: 3", "dimension: 3\ndimension: 3", "a second value for 'dimension'"),
        ("space origin", "space oJigin", "a field 'space ojigin', which is none of NRRD's"),
        ("NRRD0004", "NRRD0009", "it does not begin like one"),
    ],
)
def test_an_nrrd_that_contradicts_itself_is_refused(tmp_path, old, new, message):
    path = write_nrrd(tmp_path / "a.nrrd", an_image(), *PLACED)
    head, voxels = path.read_bytes().split(b"\n\n", 1)
    assert old.encode() in head
    path.write_bytes(head.replace(old.encode(), new.encode()) + b"\n\n" + voxels)
    with pytest.raises(InputError, match=message):
        read_volume(path)


def detached(tmp_path, suffix, named):
    """A header in a folder that names a file as its voxels."""
    folder = tmp_path / "study"
    folder.mkdir()
    path = folder / f"a.{suffix}"
    if suffix == "mhd":
        return write_meta(path, {"ElementDataFile": named}, b"")
    write_nrrd(path, an_image(), *PLACED, f"data file: {named}")
    path.write_bytes(path.read_bytes()[: -len(VOXELS)])
    return path


@pytest.mark.parametrize("suffix", ["mhd", "nhdr"])
@pytest.mark.parametrize(
    "named",
    [
        "../secret",
        "/etc/hostname",
        "sub/voxels",
        "..",
        "LIST",
        "a%03d.raw 1 4 1",
        "C:\\voxels",
        "b\\c",
    ],
)
def test_a_header_may_name_no_file_but_one_beside_it(tmp_path, suffix, named):
    (tmp_path / "secret").write_bytes(VOXELS)
    with pytest.raises(InputError, match=r"it may only name one file beside it"):
        read_volume(detached(tmp_path, suffix, named))


@pytest.mark.parametrize("suffix", ["mhd", "nhdr"])
def test_the_file_beside_a_header_is_a_regular_one_of_the_voxels_length(tmp_path, suffix):
    path = detached(tmp_path, suffix, "voxels.raw")
    voxels = path.parent / "voxels.raw"
    with pytest.raises(InputError, match=r"voxels.raw: not there"):
        read_volume(path)
    os.mkfifo(voxels)
    with pytest.raises(InputError, match=r"voxels.raw: a pipe"):
        read_volume(path)
    voxels.unlink()
    for content, message in ((VOXELS + bytes(60), "has more"), (VOXELS[:-1], "the file has 239")):
        voxels.write_bytes(content)
        with pytest.raises(InputError, match=message):
            read_volume(path)
    # As git-annex lays files.
    (tmp_path / "annexed").write_bytes(VOXELS)
    voxels.unlink()
    voxels.symlink_to(tmp_path / "annexed")
    agree(path)


def zeros_behind(packing):
    pack = {"gzip": gzip.compress, "zlib": zlib.compress}[packing]
    return pack(VOXELS + bytes(2**24))


def test_zeros_behind_the_voxels_are_refused_before_they_cost_anything(tmp_path):
    nrrd = write_nrrd(tmp_path / "a.nrrd", an_image(), *PLACED)
    head = nrrd.read_bytes()[: -len(VOXELS)].replace(b"raw", b"gzip")
    nrrd.write_bytes(head + zeros_behind("gzip"))
    mha = write_meta(tmp_path / "a.mha", {"CompressedData": "True"}, zeros_behind("zlib"))
    for path in (nrrd, mha):
        with pytest.raises(InputError, match="states 240 bytes of voxels, the file has more"):
            read_volume(path)


@pytest.mark.parametrize("suffix", ["nrrd", "mha"])
def test_voxels_that_so_small_a_file_cannot_hold_are_refused(tmp_path, suffix):
    if suffix == "mha":
        changes = {"CompressedData": "True", "DimSize": "1000 1000 1000"}
        path = write_meta(tmp_path / "a.mha", changes, zlib.compress(VOXELS))
    else:
        path = write_nrrd(tmp_path / "a.nrrd", an_image(), *PLACED)
        head = path.read_bytes()[: -len(VOXELS)].replace(b"raw", b"gzip")
        large = head.replace(b"sizes: 6 5 4", b"sizes: 1000 1000 1000")
        path.write_bytes(large + gzip.compress(VOXELS))
    with pytest.raises(InputError, match="states 2000000000 bytes of voxels, the file has"):
        read_volume(path)


def outcome(path):
    try:
        return read_volume(path)
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("suffix", ["nrrd", "mha"])
@given(data=st.data())
def test_whatever_byte_of_the_header_is_damaged_the_user_gets_one_line(
    tmp_path_factory, suffix, data
):
    path = write_itk(tmp_path_factory.mktemp("damaged") / f"a.{suffix}", an_image())
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, 299))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    result = outcome(path)
    assert not isinstance(result, str) or len(result.splitlines()) == 1


@pytest.mark.data
def test_a_real_nrrd_lies_where_its_labels_lie(real_data):
    folder = real_data / "chest_ct/cip-ct64"
    image, label = read_volume(folder / "ct-64.nrrd"), read_volume(folder / "lm-64.nrrd")
    assert image.shape == label.shape == (64, 64, 79)
    assert image.orientation == "LPS"
    np.testing.assert_allclose(image.affine, label.affine, atol=1e-3)


@pytest.mark.parametrize(
    "lines",
    [
        ["space dimension: 3"],
        ["kinds: domain domain"],
        ["kinds: domain domain /etc/passwd"],
        ["kinds: domain list domain"],
        ["space directions: (1,0,0) (0,1,0) (0,0,1) domain"],
        ["space directions: (1,0,0) (0,1,0)0(0,0,1)"],
    ],
)
def test_an_nrrd_header_that_contradicts_itself_is_refused_as_by_itk(tmp_path, lines):
    given = ["space: RAS", "space directions: (1,0,0) (0,1,0) (0,0,1)"]
    if lines[0].startswith("space directions"):
        del given[1]
    path = write_nrrd(tmp_path / "a.nrrd", an_image(), *given, *lines)
    with pytest.raises(InputError, match="cannot be read as NRRD"):
        read_volume(path)
    with pytest.raises(RuntimeError):
        sitk.ReadImage(str(path))
