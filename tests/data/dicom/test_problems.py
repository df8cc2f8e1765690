"""What a check says of a series, and that it says it in a report."""

import numpy as np
import pytest

from medseg.data.datasets.check import check_dataset
from medseg.data.dicom.problems import dicom_problems, series_doubts
from medseg.data.dicom.series import DicomFacts
from medseg.data.images.volume import read_volume
from medseg.data.source import Source
from tests.data.builders import a_case, a_label, a_manifest, write_nifti
from tests.data.dicom.builders import AFFINE, hounsfield, identify, save, slices


def test_files_of_other_formats_have_no_such_problems():
    assert dicom_problems(None, "CT") == ()


def test_a_sound_series_has_none():
    assert dicom_problems(DicomFacts(series_uid="1.2", modality="CT", slices=3), "CT") == ()


def test_another_modality_is_an_error():
    (problem,) = dicom_problems(DicomFacts(series_uid="1.2", modality="MR", slices=3), "CT")
    assert problem.severity == "error"
    assert problem.what == "its modality is MR, not CT"


def test_what_was_left_out_is_a_warning():
    facts = DicomFacts(
        series_uid="1.2", modality="CT", slices=3, copies_left_out=2, scouts_left_out=1
    )
    assert [problem.severity for problem in series_doubts(facts)] == ["warning"] * 2
    assert dicom_problems(facts, "CT") == ()


@pytest.mark.parametrize(
    "keyword", ["ImagesInAcquisition", "NumberOfSeriesRelatedInstances", "NumberOfSlices"]
)
def test_fewer_slices_than_the_headers_speak_of_are_a_warning(tmp_path, keyword):
    made = slices(hounsfield())
    for ds in made:
        setattr(ds, keyword, 10)
    assert read_volume(save(made, tmp_path / "whole")).doubts == ()
    (doubt,) = read_volume(save(made[:8], tmp_path / "part")).doubts
    assert doubt.what == "its headers speak of 10 slices, and 8 were found"


def test_slices_numbered_from_the_third_on_are_a_warning(tmp_path):
    (doubt,) = read_volume(save(slices(hounsfield())[2:], tmp_path)).doubts
    assert doubt.what == "its headers speak of 10 slices, and 8 were found"


def test_a_slice_under_another_series_uid_is_left_out_with_a_warning(tmp_path):
    made = slices(hounsfield())
    made[-1].SeriesInstanceUID = "1.2.3"
    volume = read_volume(save(made, tmp_path))
    np.testing.assert_array_equal(volume.array, hounsfield()[:, :, :-1])
    (doubt,) = volume.doubts
    assert doubt.what == "beside it are 1 series of one slice, which were left out"


def test_a_series_that_was_asked_for_says_nothing_of_others(tmp_path):
    made = slices(hounsfield())
    made[-1].SeriesInstanceUID = "1.2.3"
    source = Source(save(made, tmp_path), str(made[0].SeriesInstanceUID))
    assert read_volume(source).doubts == ()


@pytest.mark.parametrize("first", [0, 1, 1001])
def test_numbers_that_begin_elsewhere_say_nothing(tmp_path, first):
    made = slices(hounsfield())
    for k, ds in enumerate(made):
        ds.InstanceNumber = first + k
    assert read_volume(save(made, tmp_path)).doubts == ()


def check(folder, datasets):
    save(datasets, folder / "ct")
    write_nifti(folder / "label.nii.gz", a_label((7, 6, 10)), AFFINE)
    case = a_case("a", image="ct", label="label.nii.gz")
    (report,) = check_dataset(a_manifest([case]), folder).cases
    return report


def test_a_checked_series_is_measured_as_it_lies(tmp_path):
    report = check(tmp_path, slices(hounsfield()))
    assert report.problems == ()
    assert (report.image.orientation, report.image.dtype) == ("LPS", "int16")


def test_a_checked_series_of_another_modality_is_an_error(tmp_path):
    report = check(tmp_path, slices(hounsfield(), modality="MR"))
    assert [p.what for p in report.problems] == ["its modality is MR, not CT"]


def test_a_checked_series_with_a_gap_is_an_error_that_names_the_slices(tmp_path):
    made = slices(hounsfield())
    report = check(tmp_path, [*made[:4], *made[6:]])
    assert [p.what for p in report.problems] == ["2 slices are missing: 2 after 4"]


def test_positions_in_two_frames_of_reference_are_a_warning(tmp_path):
    made = slices(hounsfield())
    for ds in made[5:]:
        ds.FrameOfReferenceUID = "1.2.3"
    (doubt,) = read_volume(save(made, tmp_path)).doubts
    assert doubt.what.startswith("its slices have 2 frames of reference")


@pytest.mark.parametrize("other", ["another", ""])
def test_slices_of_two_patients_are_a_warning_that_names_neither(tmp_path, other):
    made = slices(hounsfield())
    for ds in made[5:]:
        ds.PatientID = other
    (doubt,) = read_volume(save(made, tmp_path)).doubts
    assert doubt.what == "its slices state 2 patients (PatientID), as if several were mixed"


def test_the_same_patient_with_a_padded_id_is_no_warning(tmp_path):
    made = slices(hounsfield())
    for ds in made[5:]:
        ds.PatientID = f"{made[0].PatientID}  "
    assert read_volume(save(made, tmp_path)).doubts == ()


def test_two_reconstructions_between_one_another_are_a_warning(tmp_path):
    made, others = slices(hounsfield()), slices(hounsfield())
    for k, ds in enumerate(others):
        identify(ds, ds.SOPClassUID, f"other {k}")
        ds.InstanceNumber = 11 + k
        ds.ImagePositionPatient[2] += 1.25
    (doubt,) = read_volume(save([*made, *others], tmp_path)).doubts
    assert doubt.what.startswith("its slices are not numbered (InstanceNumber) in the order")
    assert read_volume(save(made[::-1], tmp_path / "alone")).doubts == ()
