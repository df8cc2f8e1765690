"""Which cases an input holds, how they are named, and that what is left out is told."""

import os
import zipfile

import numpy as np
import pytest

from medseg.data.source import Source
from medseg.errors import UsageError
from medseg.prediction.cases import content_sha256
from medseg.prediction.search import Search, find_cases
from tests.data.builders import an_image, write_nifti
from tests.data.dicom.builders import hounsfield, rotated, save, slices, uid

CT = Search(modality="CT")
ALL = Search(modality="CT", which="all")


def found(*paths, search=CT):
    return find_cases([Source(path) for path in paths], search)


def names(result):
    return [case.name for case in result.cases]


def left_out(result):
    return {one.what: one.count for one in result.left_out}


@pytest.fixture
def study(tmp_path):
    """Two patients' CTs, and what else comes with them."""
    folder = tmp_path / "study"
    save(slices(hounsfield(), series="one"), folder / "1")
    save(slices(hounsfield(), series="two"), folder / "2")
    save(slices(hounsfield(), series="mr", modality="MR"), folder / "3")
    save(slices(hounsfield(), series="sr", modality="SR"), folder / "4")
    save(slices(hounsfield((5, 4, 2)), series="few"), folder / "5")
    made = {
        name: slices(hounsfield(), series=name) for name in ("scout", "capture", "mpr", "smart")
    }
    for ds in made["scout"]:
        ds.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    for ds in made["capture"]:
        del ds.ImagePositionPatient
    for ds in made["mpr"]:
        ds.ImageType = ["DERIVED", "SECONDARY", "MPR"]
    for ds in made["smart"]:
        ds.ImagePositionPatient = made["smart"][0].ImagePositionPatient
    for name, datasets in made.items():
        save(datasets, folder / name)
    return folder


def test_all_series_that_fit_are_cases_and_the_others_are_told(study):
    result = found(study, search=ALL)
    assert sorted(names(result)) == sorted([uid("one"), uid("two")])
    assert left_out(result) == {
        "MR series": 1,
        "SR series": 1,
        "localizers": 1,
        "images that do not say where they lie": 1,
        "series of fewer than 3 places": 2,
        "derived series": 1,
    }
    (line,) = result.told
    assert line.startswith("input 1: left out: ")
    assert "1 MR series" in line
    assert str(study) not in line


def test_without_the_option_several_series_are_refused_and_the_option_is_named(study):
    (refused,) = found(study).refused
    assert "holds 5 CT series that match" in refused.error
    assert "add --all-series to predict each, or choose by series uid: " in refused.error


def test_what_is_left_out_beside_the_only_series_is_told_too(tmp_path):
    save(slices(hounsfield()), tmp_path / "ct")
    save(slices(hounsfield(), series="pet", modality="PT"), tmp_path / "pet")
    result = found(tmp_path)
    assert names(result) == [uid("a")]
    assert left_out(result) == {"PT series": 1}


def test_a_derived_series_is_taken_where_its_study_has_no_other(tmp_path):
    made = slices(hounsfield())
    for ds in made:
        ds.ImageType = ["DERIVED", "SECONDARY"]
    assert names(found(save(made, tmp_path), search=ALL)) == [uid("a")]


def test_a_broken_series_is_an_error_and_the_others_go_on(study):
    made = slices(hounsfield(), series="broken")
    for ds in made:
        ds.RescaleSlope = 0
    save(made, study / "broken")
    result = found(study, search=ALL)
    assert len(result.cases) == 2
    (refused,) = result.refused
    assert "10 of 10 files are damaged or not slices of the series (RescaleSlope is 0)" in (
        refused.error
    )


def test_a_folder_without_a_series_that_fits_is_refused_with_what_there_is(tmp_path):
    save(slices(hounsfield(), modality="MR"), tmp_path)
    (refused,) = found(tmp_path, search=ALL).refused
    assert "its modality is MR, required is CT" in refused.error


def test_one_series_and_all_of_them_do_not_go_together(study):
    search = Search(modality="CT", which="all", series_uid=uid("one"))
    with pytest.raises(UsageError, match="use one of them"):
        found(study, search=search)


@pytest.mark.parametrize("other", ["copy", "zip", "link", "reference"])
def test_a_series_that_is_given_by_two_paths_is_one_case(tmp_path, other):
    series = save(slices(hounsfield()), tmp_path / "ct")
    again = Source(tmp_path / "again")
    if other == "copy":
        save(slices(hounsfield()), again.path, "x{}")
    elif other == "link":
        again.path.symlink_to(series)
    elif other == "zip":
        again = Source(tmp_path / "again.zip")
        with zipfile.ZipFile(again.path, "w") as archive:
            for file in series.iterdir():
                archive.write(file, file.name)
    else:
        again = Source(series, uid("a"))
    result = find_cases([Source(series), again], CT)
    assert names(result) == [uid("a")]
    assert not result.refused
    # Either way it is the same case for the ledger.
    (alone,) = find_cases([again], CT).cases
    assert content_sha256(alone) == content_sha256(result.cases[0])


def test_parts_of_a_series_in_two_inputs_are_refused_and_others_go_on(tmp_path):
    made = slices(hounsfield())
    parts = [save(made[:5], tmp_path / "x"), save(made[5:], tmp_path / "y")]
    other = save(slices(hounsfield(), series="b"), tmp_path / "z")
    result = found(*parts, other)
    assert names(result) == [uid("b")]
    (refused,) = result.refused
    assert "inputs hold different slices of it; give one folder that holds all" in refused.error


def test_a_series_is_another_case_for_the_ledger_if_a_slice_changes(tmp_path):
    made = slices(hounsfield())
    before = content_sha256(found(save(made, tmp_path / "a")).cases[0])
    made[3].RescaleIntercept = 0
    assert content_sha256(found(save(made, tmp_path / "b")).cases[0]) != before


@pytest.mark.parametrize("name", ["liver_seg.nrrd", "mask.nii.gz", "x-labels.nii", "labels/7.nrrd"])
def test_labels_beside_dicom_are_no_images(tmp_path, name):
    save(slices(hounsfield()), tmp_path / "ct")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    result = found(tmp_path)
    assert names(result) == [uid("a")]
    assert left_out(result) == {"volumes that are labels by their names": 1}


@pytest.mark.parametrize("name", ["000.dcm", "IM0001", "1.2.840.5"])
def test_dicom_and_another_volume_are_refused_with_what_to_do(tmp_path, name):
    save(slices(hounsfield())[:1], tmp_path / "ct", name)
    write_nifti(tmp_path / "scan.nii.gz", an_image())
    (refused,) = found(tmp_path).refused
    assert "holds DICOM and 1 other volumes, scan.nii.gz; give the folder of the DICOM alone" in (
        refused.error
    )


def test_labels_beside_volumes_without_dicom_are_taken_as_before(tmp_path):
    write_nifti(tmp_path / "scan.nii.gz", an_image())
    write_nifti(tmp_path / "other_mask.nii.gz", an_image())
    assert sorted(names(found(tmp_path))) == ["other_mask", "scan"]


def test_an_image_that_was_not_fetched_is_an_error_and_the_others_go_on(tmp_path):
    write_nifti(tmp_path / "a.nii.gz", an_image())
    (tmp_path / "b.nii.gz").symlink_to(".git/annex/objects/b")
    os.mkfifo(tmp_path / "c.nii.gz")
    result = found(tmp_path)
    assert names(result) == ["a"]
    assert [one.shown for one in result.refused] == ["b.nii.gz", "c.nii.gz"]
    assert "a link to a file that is not there; fetch them (git annex get" in (
        result.refused[0].error
    )
    assert "a pipe, device or socket" in result.refused[1].error
    assert str(tmp_path) not in result.refused[0].without_path


def test_images_in_a_linked_folder_are_found(tmp_path):
    write_nifti(tmp_path / "elsewhere/a.nii.gz", an_image())
    (tmp_path / "in").mkdir()
    (tmp_path / "in/more").symlink_to(tmp_path / "elsewhere")
    assert names(found(tmp_path / "in")) == ["a"]


def test_a_folder_of_which_nothing_was_fetched_says_so(tmp_path):
    (tmp_path / "b.xyz").symlink_to(".git/annex/objects/b")
    (refused,) = found(tmp_path).refused
    assert "1 links in it lead to files that are not there; fetch them" in refused.error


def test_series_are_the_same_cases_in_any_orientation_and_order(tmp_path):
    save(slices(hounsfield(), rotated((90, 0, 0))), tmp_path / "b")
    save(slices(np.flip(hounsfield(), 2), series="z"), tmp_path / "a")
    assert names(found(tmp_path, search=ALL)) == sorted([uid("a"), uid("z")])


def test_images_that_are_left_out_of_a_folder_of_volumes_are_told(tmp_path):
    write_nifti(tmp_path / "a.nii.gz", an_image(0))
    for name in ("b.mgz", "c.hdr", "c.img", "view.png", "notes.txt", "a_overlay.png"):
        (tmp_path / name).write_bytes(b"")
    result = found(tmp_path)
    assert names(result) == ["a"]
    assert left_out(result) == {
        "pictures, as there are volumes": 1,
        "files of formats that are not read (.hdr, .img, .mgz)": 3,
    }
    (line,) = result.told
    assert line.startswith("input 1: left out: 1 pictures, as there are volumes, 3 files")


def test_pictures_of_other_formats_beside_pictures_are_told(tmp_path):
    for name in ("a.png", "b.webp", "B.SVS"):
        (tmp_path / name).write_bytes(b"")
    result = found(tmp_path)
    assert names(result) == ["a"]
    assert left_out(result) == {"files of formats that are not read (.svs, .webp)": 2}
