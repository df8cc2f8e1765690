"""What a check of a data set finds, and that it never stops at the first."""

import shutil

import numpy as np
import pytest

from medseg.data.datasets.check import check_dataset
from medseg.data.dicom.ct_writer import write_ct_series
from medseg.data.digest import path_sha256
from medseg.data.manifest import load_manifest
from medseg.errors import DataError
from tests.conftest import REPOSITORY
from tests.data.builders import (
    AFFINE,
    a_case,
    a_label,
    a_manifest,
    an_image,
    write_dataset,
    write_nifti,
)


def found(report, name):
    (case,) = (case for case in report.cases if case.case == name)
    return [(problem.severity, problem.where, problem.what) for problem in case.problems]


def test_a_sound_data_set_has_facts_and_no_problems(tmp_path):
    report = check_dataset(write_dataset(tmp_path), tmp_path)
    assert report.problems == ()
    assert [(case.case, case.place, case.problems) for case in report.cases] == [
        ("a", "fold 0", ()),
        ("b", "fold 1", ()),
    ]
    assert report.cases[0].image.shape == (6, 5, 4)
    assert [label.voxels for label in report.cases[0].labels] == [117, 2, 1]


@pytest.mark.data
def test_the_real_covid_cases_are_sound(real_data):
    manifest = load_manifest(REPOSITORY / "data_manifests/covid19_ct_seg.json")
    report = check_dataset(manifest, real_data / "chest_ct/covid19-ct-seg")
    assert report.count("error") == report.count("warning") == 0
    # Voxels of lung and infection in case 01 as the data's own description gives them.
    assert [label.voxels for label in report.cases[0].labels[1:]] == [257087, 44781]


def test_every_bad_case_is_reported_and_the_good_one_too(tmp_path):
    manifest = write_dataset(tmp_path, ["cut", "gone", "good", "nan", "shape", "stranger"])
    images, labels = tmp_path / "images", tmp_path / "labels"
    cut = images / "cut.nii.gz"
    cut.write_bytes(cut.read_bytes()[:-20])
    (images / "gone.nii.gz").unlink()
    write_nifti(images / "nan.nii.gz", np.full((6, 5, 4), np.nan, np.float32))
    write_nifti(labels / "shape.nii.gz", a_label((6, 5, 3)))
    write_nifti(labels / "stranger.nii.gz", a_label() * 2)
    report = check_dataset(manifest, tmp_path)
    assert [case.case for case in report.cases if not case.problems] == ["good"]
    assert found(report, "cut")[0][2].startswith("cannot be read as NIfTI")
    assert found(report, "gone") == [("error", "image", "not there")]
    assert "120 of 120 voxels are NaN or infinite" in found(report, "nan")[0][2]
    assert "shape (6, 5, 3) differs" in found(report, "shape")[0][2]
    assert "holds 4, but only 0, 1, 2 are named" in found(report, "stranger")[0][2]
    assert report.count("error") == 5


def test_an_empty_label_is_a_warning(tmp_path):
    manifest = write_dataset(tmp_path)
    write_nifti(tmp_path / "labels/b.nii.gz", a_label() * 0)
    report = check_dataset(manifest, tmp_path)
    assert found(report, "b") == [("warning", "label", "is all background")]
    assert report.count("error") == 0


def test_a_label_without_its_image_is_still_read(tmp_path):
    manifest = write_dataset(tmp_path)
    (tmp_path / "images/a.nii.gz").unlink()
    case = check_dataset(manifest, tmp_path).cases[0]
    assert case.image is None
    assert [label.voxels for label in case.labels] == [117, 2, 1]


def test_a_training_case_needs_a_label_and_a_test_case_does_not(tmp_path):
    write_dataset(tmp_path)
    training = a_case("a", label=None), a_case("b", fold=1)
    test = (a_case("c", fold=None, image="images/c.nii.gz", label=None),)
    write_nifti(tmp_path / "images/c.nii.gz", an_image(3))
    report = check_dataset(a_manifest(training, test=test), tmp_path)
    assert found(report, "a") == [("error", "case", "a training case has no label")]
    assert found(report, "c") == []


def test_a_file_that_changed_since_the_manifest_is_an_error(tmp_path):
    write_dataset(tmp_path)
    digests = {
        "image": path_sha256(tmp_path / "images/a.nii.gz"),
        "label": path_sha256(tmp_path / "labels/a.nii.gz"),
    }
    manifest = a_manifest([a_case("a", sha256=digests), a_case("b", fold=1)])
    assert found(check_dataset(manifest, tmp_path), "a") == []
    write_nifti(tmp_path / "labels/a.nii.gz", a_label()[::-1])
    (problem,) = found(check_dataset(manifest, tmp_path), "a")
    assert problem[:2] == ("error", "label")
    assert "SHA-256 differs from the manifest's" in problem[2]


def test_a_missing_file_is_one_problem_not_two(tmp_path):
    write_dataset(tmp_path)
    manifest = a_manifest([a_case("a", sha256={"image": 64 * "0"}), a_case("b", fold=1)])
    (tmp_path / "images/a.nii.gz").unlink()
    assert found(check_dataset(manifest, tmp_path), "a") == [("error", "image", "not there")]


def test_an_image_may_be_a_folder_of_dicom_slices_with_its_digest(tmp_path):
    write_dataset(tmp_path)
    series = tmp_path / "images/a"
    series.mkdir()
    write_ct_series(series, an_image(), AFFINE, case="a")
    case = a_case("a", image="images/a", sha256={"image": path_sha256(series)})
    (tmp_path / "images/a.nii.gz").unlink()
    report = check_dataset(a_manifest([case, a_case("b", fold=1)]), tmp_path)
    assert report.count("error") == report.count("warning") == 0
    sorted(series.iterdir())[0].unlink()
    assert "SHA-256" in found(check_dataset(a_manifest([case]), tmp_path), "a")[0][2]


def test_a_missing_folder_is_refused(tmp_path):
    manifest = write_dataset(tmp_path)
    with pytest.raises(DataError, match=r"gone: no such folder; use the one that holds toy"):
        check_dataset(manifest, tmp_path / "gone")


def test_an_empty_folder_is_refused_as_such(tmp_path):
    manifest = write_dataset(tmp_path / "full")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: the folder is empty"):
        check_dataset(manifest, tmp_path / "empty")


def test_checking_changes_nothing(tmp_path):
    manifest = write_dataset(tmp_path / "data")
    shutil.copytree(tmp_path / "data", tmp_path / "before")
    check_dataset(manifest, tmp_path / "data")
    files = sorted(path.relative_to(tmp_path / "data") for path in (tmp_path / "data").rglob("*"))
    assert files == sorted(
        p.relative_to(tmp_path / "before") for p in (tmp_path / "before").rglob("*")
    )
