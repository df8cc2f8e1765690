"""What a DICOM SEG promises: exactly the label, on exactly the source's slices."""

import dataclasses

import highdicom
import numpy as np
import pydicom
import pytest
from highdicom.color import CIELabColor
from hypothesis import given, settings
from hypothesis import strategies as st

from medseg.data import Label, read_dicom_series, write_dicom_seg
from medseg.data.colours import class_colour
from medseg.data.dicom.output_common import series_description
from medseg.data.problems import InputError
from medseg.errors import DataError, UsageError
from tests.data.dicom.builders import (
    AFFINE,
    SHAPE,
    enhanced,
    hounsfield,
    identify,
    recode,
    rotated,
    save,
    slices,
    tilted,
    uid,
)
from tests.data.dicom.output_builders import (
    LABELS,
    assert_in_place,
    by_source,
    dicom_errors,
    label_of,
    random_label,
)


def planes_of(folder, **options):
    return read_dicom_series(folder, **options).facts.planes


def written(folder, path, array=None):
    label = label_of(folder, array)
    write_dicom_seg(label, path, overwrite="replace")
    return label


@settings(max_examples=15)
@given(
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    order=st.permutations(range(SHAPE[2])),
    names=st.permutations(range(SHAPE[2])),
    seed=st.integers(0, 1000),
)
def test_any_orientation_numbering_and_naming_gives_the_label_back(
    tmp_path_factory, angles, order, names, seed
):
    folder = tmp_path_factory.mktemp("series")
    made = slices(hounsfield(), rotated(angles))
    for ds, number in zip(made, order, strict=True):
        ds.InstanceNumber = number + 1
    save([made[k] for k in names], folder / "source")
    label = written(folder / "source", folder / "seg.dcm", random_label(SHAPE, seed))
    planes = planes_of(folder / "source")
    np.testing.assert_array_equal(by_source(folder / "seg.dcm", planes), label.array)
    assert_in_place(folder / "seg.dcm", label)


@settings(max_examples=15)
@given(shape=st.tuples(*[st.integers(3, 9)] * 3), values=st.sets(st.integers(0, 3), min_size=1))
def test_any_size_and_any_set_of_classes_gives_the_label_back(tmp_path_factory, shape, values):
    # Frames of 9 to 81 bits, which do not end where bytes do.
    folder = tmp_path_factory.mktemp("series")
    save(slices(hounsfield(shape)), folder / "source")
    array = np.random.default_rng(0).choice(sorted(values), shape).astype(np.uint8)
    written(folder / "source", folder / "seg.dcm", array)
    back = by_source(folder / "seg.dcm", planes_of(folder / "source"))
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("order", [range(10), [3, 1, 4, 0, 5, 9, 2, 6, 8, 7]])
def test_frames_of_an_enhanced_file_are_named_by_number(tmp_path, order):
    save([enhanced(hounsfield(), rotated((90, 12, 7)), order=order)], tmp_path / "source")
    label = written(tmp_path / "source", tmp_path / "seg.dcm")
    planes = planes_of(tmp_path / "source")
    assert [plane.frame for plane in planes] == [1 + list(order).index(k) for k in range(10)]
    np.testing.assert_array_equal(by_source(tmp_path / "seg.dcm", planes), label.array)
    assert_in_place(tmp_path / "seg.dcm", label)


def test_a_series_of_several_enhanced_files_is_referred_to_file_by_file(tmp_path):
    made = [enhanced(hounsfield(), order=half) for half in (range(5), range(5, 10))]
    for ds, name in zip(made, "ab", strict=True):
        identify(ds, ds.SOPClassUID, name)
    save(made, tmp_path / "source")
    label = written(tmp_path / "source", tmp_path / "seg.dcm")
    assert_in_place(tmp_path / "seg.dcm", label)
    seg = pydicom.dcmread(tmp_path / "seg.dcm")
    assert [one.ReferencedSOPInstanceUID for one in seg.SourceImageSequence] == [uid("a"), uid("b")]
    for frame in seg.PerFrameFunctionalGroupsSequence:
        named = frame.DerivationImageSequence[0].SourceImageSequence[0]
        k = round((frame.PlanePositionSequence[0].ImagePositionPatient[2] - AFFINE[2, 3]) / 2.5)
        assert named.ReferencedSOPInstanceUID == uid("ab"[k // 5])
        assert named.ReferencedFrameNumber == k % 5 + 1


def test_each_frame_refers_to_the_slice_in_whose_place_it_lies(tmp_path):
    source = slices(hounsfield(), rotated((10, 20, 30)))
    save(source, tmp_path / "source")
    written(tmp_path / "source", tmp_path / "seg.dcm")
    places = {ds.SOPInstanceUID: ds.ImagePositionPatient for ds in source}
    seg = pydicom.dcmread(tmp_path / "seg.dcm")
    for frame in seg.PerFrameFunctionalGroupsSequence:
        named = frame.DerivationImageSequence[0].SourceImageSequence[0]
        assert named.ReferencedSOPClassUID == source[0].SOPClassUID
        found = frame.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_allclose(found, places[named.ReferencedSOPInstanceUID], atol=1e-9)
    assert {one.ReferencedSOPInstanceUID for one in seg.SourceImageSequence} == set(places)
    assert seg.ReferencedSeriesSequence[0].SeriesInstanceUID == source[0].SeriesInstanceUID
    assert len(seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == len(source)


def test_segments_say_what_they_are_and_what_made_them(tmp_path):
    save(slices(hounsfield()), tmp_path / "source")
    written(tmp_path / "source", tmp_path / "seg.dcm")
    seg = highdicom.seg.segread(tmp_path / "seg.dcm")
    lung, infection, tumour = (seg.get_segment_description(number) for number in (1, 2, 3))
    names = [one.segment_label for one in (lung, infection, tumour)]
    assert names == ["lung", "infection", "Tumor, außen"]
    assert lung.segmented_property_category.meaning == "Anatomical Structure"
    assert lung.segmented_property_type.value == "39607008"
    assert lung.segmented_property_type.meaning == "Lung"
    assert infection.segmented_property_type.meaning == "infection"
    made_by = lung.SegmentationAlgorithmIdentificationSequence[0]
    assert lung.SegmentAlgorithmType == "AUTOMATIC"
    assert made_by.AlgorithmName == "covid_lung_ct_unet3d"
    assert made_by.AlgorithmVersion == "0.1.0"
    assert made_by.AlgorithmParameters == f"digest={'ab' * 32},weights={'cd' * 32}"
    assert seg.SegmentationType == "BINARY"
    assert (seg.StudyInstanceUID, seg.FrameOfReferenceUID) == (uid("study"), uid("frame"))
    assert (seg.ContentDate, seg.ContentTime) == ("20260228", "123015.000250")


def test_a_file_says_wherever_it_is_listed_that_it_is_for_research(tmp_path):
    save(slices(hounsfield()), tmp_path / "source")
    written(tmp_path / "source", tmp_path / "seg.dcm")
    seg = pydicom.dcmread(tmp_path / "seg.dcm")
    # "medseg lung, infection and 1 more - research only, phantom weights" has 67 characters.
    assert seg.SeriesDescription == "medseg lung and 2 more - research only, phantom weights"
    assert seg.ContentDescription == "research only: trained on phantoms, not on patients"
    assert seg.ContentQualification == "RESEARCH"
    made_by = [one for one in seg.ContributingEquipmentSequence if "Contribution" in str(one)]
    (bundle,) = [one for one in made_by if one.ManufacturerModelName == "covid_lung_ct_unet3d"]
    assert bundle.SoftwareVersions == "0.1.0"
    assert "phantoms" in bundle.ContributionDescription
    assert "cd" * 32 in bundle.ContributionDescription


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["lung"], "medseg lung - research only, phantom weights"),
        (["left_lung", "cyst"], "medseg left lung, cyst - research only, phantom weights"),
        (["x" * 60], "medseg, 1 structure - research only, phantom weights"),
        ([f"vertebra {k}" for k in range(24)], "medseg vertebra 0 and 23 more - research only"),
    ],
)
def test_a_series_is_described_in_words_that_fit(tmp_path, names, expected):
    labels = [Label(value=k, name=name) for k, name in enumerate(["background", *names])]
    label = dataclasses.replace(
        label_of(save(slices(hounsfield()), tmp_path / "source"), np.zeros(SHAPE, np.uint8)),
        labels=labels,
    )
    text = series_description(label)
    assert text.startswith(expected)
    assert len(text) <= 64


def test_segments_have_the_colours_of_the_pictures(tmp_path):
    save(slices(hounsfield()), tmp_path / "source")
    written(tmp_path / "source", tmp_path / "seg.dcm")
    seg = pydicom.dcmread(tmp_path / "seg.dcm")
    for segment in seg.SegmentSequence:
        rgb = CIELabColor.from_dicom_value(segment.RecommendedDisplayCIELabValue).to_rgb()
        np.testing.assert_allclose(rgb, class_colour(segment.SegmentNumber), atol=1)


def test_a_segment_says_where_it_lies_and_the_series_what_it_shows(tmp_path):
    folder = save(slices(hounsfield()), tmp_path / "source")
    infection = Label(value=1, name="infection", category="abnormality", region="39607008")
    label = dataclasses.replace(
        label_of(folder, np.ones(SHAPE, np.uint8)),
        labels=[LABELS[0], infection],
        body_part="CHEST",
    )
    write_dicom_seg(label, tmp_path / "seg.dcm")
    seg = pydicom.dcmread(tmp_path / "seg.dcm")
    (region,) = seg.SegmentSequence[0].AnatomicRegionSequence
    assert (region.CodeValue, region.CodeMeaning) == ("39607008", "Lung")
    assert seg.BodyPartExamined == "CHEST"
    assert dicom_errors(tmp_path / "seg.dcm") == []


@pytest.mark.parametrize(("stated", "expected"), [("ARM", "ARM"), ("Thorax ap", "CHEST")])
def test_the_body_part_is_the_series_own_if_it_states_a_term(tmp_path, stated, expected):
    made = slices(hounsfield())
    for ds in made:
        ds.BodyPartExamined = ""
        ds["BodyPartExamined"]._value = stated
    label = dataclasses.replace(label_of(save(made, tmp_path / "source")), body_part="CHEST")
    write_dicom_seg(label, tmp_path / "seg.dcm")
    assert pydicom.dcmread(tmp_path / "seg.dcm").BodyPartExamined == expected


def test_only_frames_with_a_voxel_are_written(tmp_path):
    save(slices(hounsfield()), tmp_path / "source")
    array = np.zeros(SHAPE, np.uint8)
    array[:, :, 4], array[0, 0, 6] = 1, 3
    written(tmp_path / "source", tmp_path / "seg.dcm", array)
    seg = highdicom.seg.segread(tmp_path / "seg.dcm")
    assert (seg.NumberOfFrames, seg.number_of_segments) == (2, 3)
    planes = planes_of(tmp_path / "source")
    np.testing.assert_array_equal(by_source(tmp_path / "seg.dcm", planes), array)


def test_an_empty_label_is_a_file_of_empty_frames_in_one_place(tmp_path, caplog):
    save(slices(hounsfield()), tmp_path / "source")
    written(tmp_path / "source", tmp_path / "seg.dcm", np.zeros(SHAPE, np.uint8))
    assert caplog.text == ""
    seg = highdicom.seg.segread(tmp_path / "seg.dcm")
    assert (seg.NumberOfFrames, len(seg.SourceImageSequence)) == (3, 10)
    assert not seg.pixel_array.any()
    assert dicom_errors(tmp_path / "seg.dcm") == []


@pytest.mark.parametrize("syntax", ["JPEGLosslessProcess14_1", "JPEGLSLossless", "RLELossless"])
def test_a_compressed_source_gives_the_same_frames(tmp_path, syntax):
    folder = save(slices(hounsfield((40, 36, 3))), tmp_path / "source")
    for path in folder.iterdir():
        recode(path, syntax)
    label = written(folder, tmp_path / "seg.dcm")
    assert_in_place(tmp_path / "seg.dcm", label)


def test_a_slice_with_numbers_too_long_for_dicom_is_placed(tmp_path):
    made = slices(hounsfield())
    for k, ds in enumerate(made):
        ds.add_new("ImagePositionPatient", "DS", "")
        ds[
            "ImagePositionPatient"
        ]._value = f"-40.000000000000000\\-30.00000000000000\\{k * 2.5 - 20}"
    label = written(save(made, tmp_path / "source"), tmp_path / "seg.dcm")
    assert_in_place(tmp_path / "seg.dcm", label)
    assert dicom_errors(tmp_path / "seg.dcm") == []


def test_interpolated_slices_have_no_frame(tmp_path):
    made = slices(hounsfield())
    folder = save([*made[:4], *made[6:]], tmp_path / "source")
    label = label_of(folder, gaps="interpolate")
    write_dicom_seg(label, tmp_path / "seg.dcm")
    planes = planes_of(folder, gaps="interpolate")
    assert [k for k, plane in enumerate(planes) if plane is None] == [4, 5]
    back = by_source(tmp_path / "seg.dcm", [plane for plane in planes if plane])
    np.testing.assert_array_equal(back, np.delete(label.array, [4, 5], axis=2))


def test_on_a_tilted_series_each_slice_takes_the_nearest_voxels(tmp_path):
    # Rows lean by 10 x 2.5 mm x tan 20 degrees = 9 mm over the stack, six pixels of 1.5 mm.
    folder = save(slices(hounsfield(), tilted(20)), tmp_path / "source")
    label = label_of(folder, tilt="resample")
    assert label.array.shape[1] > SHAPE[1]
    write_dicom_seg(label, tmp_path / "seg.dcm")
    back = by_source(tmp_path / "seg.dcm", planes_of(folder, tilt="resample"))
    assert back.shape == SHAPE
    for k in range(SHAPE[2]):
        start = np.linalg.solve(label.affine, tilted(20) @ [0, 0, k, 1])[:3]
        i, j, _ = np.rint(start).astype(int)
        assert np.abs(start - np.rint(start)).max() <= 0.5
        expected = label.array[i : i + SHAPE[0], j : j + SHAPE[1], k]
        np.testing.assert_array_equal(back[:, :, k], expected)


def test_more_classes_than_a_byte_holds_come_back(tmp_path):
    save(slices(hounsfield((14, 10, 2))), tmp_path / "source")
    array = np.arange(280).reshape(14, 10, 2) % 260
    names = [Label(value=value, name=f"part {value}") for value in range(260)]
    label = dataclasses.replace(label_of(tmp_path / "source"), array=array, labels=names)
    write_dicom_seg(label, tmp_path / "seg.dcm")
    back = by_source(tmp_path / "seg.dcm", planes_of(tmp_path / "source"))
    np.testing.assert_array_equal(back, array)


def test_the_same_label_gives_the_same_bytes_and_another_one_other_identifiers(tmp_path):
    save(slices(hounsfield()), tmp_path / "source")
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        written(tmp_path / "source", tmp_path / f"{name}.dcm", random_label(SHAPE, seed))
    a, b, c = (tmp_path / f"{name}.dcm" for name in "abc")
    assert a.read_bytes() == b.read_bytes()
    one, other = pydicom.dcmread(a), pydicom.dcmread(c)
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID"):
        assert one[keyword].value != other[keyword].value
    assert one.StudyInstanceUID == other.StudyInstanceUID


def test_a_file_is_replaced_only_if_asked_and_never_half(tmp_path):
    folder, path = save(slices(hounsfield()), tmp_path / "source"), tmp_path / "out" / "seg.dcm"
    label = label_of(folder)
    write_dicom_seg(label, path)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="already exists"):
        write_dicom_seg(label, path)
    with pytest.raises(ValueError, match="overwrite must be one of"):
        write_dicom_seg(label, path, overwrite="yes")
    other = label_of(folder, random_label(SHAPE, 1))
    (path.parent / "not a folder").touch()
    with pytest.raises(OSError, match="not a folder"):
        write_dicom_seg(other, path.parent / "not a folder" / "seg.dcm")
    assert path.read_bytes() == before
    write_dicom_seg(other, path, overwrite="replace")
    assert path.read_bytes() != before
    assert sorted(file.name for file in path.parent.iterdir()) == ["not a folder", "seg.dcm"]


GRIDS = {
    "another shape": lambda array, affine: (array[:, :, 1:], affine),
    "beside the slices": lambda array, affine: (array, affine + np.eye(4, k=3) * 0.5),
    "another way": lambda array, affine: (array, affine @ np.diag([-1, 1, 1, 1])),
}


@pytest.mark.parametrize("how", GRIDS)
def test_a_label_in_another_grid_is_refused(tmp_path, how):
    folder = save(slices(hounsfield()), tmp_path / "source")
    label = label_of(folder)
    array, affine = GRIDS[how](label.array, label.affine)
    moved = dataclasses.replace(label, array=array, affine=affine)
    with pytest.raises(InputError, match="not in the grid of the series") as caught:
        write_dicom_seg(moved, tmp_path / "seg.dcm")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "seg.dcm").exists()


@pytest.mark.parametrize("keyword", ["FrameOfReferenceUID", "StudyInstanceUID", "SOPClassUID"])
def test_a_source_without_an_identifier_is_refused(tmp_path, keyword):
    made = slices(hounsfield())
    for ds in made:
        setattr(ds, keyword, "")
    folder = tmp_path / "source"
    folder.mkdir()
    for k, ds in enumerate(made):
        ds.save_as(folder / f"{k}.dcm", enforce_file_format=False)
    with pytest.raises(DataError, match=f"has no {keyword}"):
        write_dicom_seg(label_of(folder), tmp_path / "seg.dcm")


@pytest.mark.parametrize("keyword", ["FrameOfReferenceUID", "PatientID"])
def test_slices_of_two_frames_of_reference_or_patients_are_refused(tmp_path, keyword):
    made = slices(hounsfield())
    setattr(made[3], keyword, uid("another"))
    folder = save(made, tmp_path / "source")
    with pytest.raises(DataError, match=f"differ in {keyword}"):
        write_dicom_seg(label_of(folder), tmp_path / "seg.dcm")


def test_a_source_that_is_no_dicom_is_refused(tmp_path):
    folder = save(slices(hounsfield()), tmp_path / "source")
    (tmp_path / "scan.nii").write_bytes(b"no DICOM")
    label = dataclasses.replace(label_of(folder), reference=tmp_path / "scan.nii")
    with pytest.raises(UsageError, match="need a DICOM input"):
        write_dicom_seg(label, tmp_path / "seg.dcm")


@pytest.mark.parametrize("make", [slices, lambda array: [enhanced(array)]])
def test_dciodvfy_finds_no_error(tmp_path, make):
    folder = save(make(hounsfield()), tmp_path / "source")
    written(folder, tmp_path / "seg.dcm")
    assert dicom_errors(tmp_path / "seg.dcm") == []


def test_a_reader_sees_all_classes_named(tmp_path):
    folder = save(slices(hounsfield()), tmp_path / "source")
    written(folder, tmp_path / "seg.dcm")
    seg = highdicom.seg.segread(tmp_path / "seg.dcm")
    assert list(seg.segment_numbers) == [label.value for label in LABELS[1:]]
