"""What the checks before a training promise."""

import json
import shutil
from pathlib import Path

import pytest

from medseg.data import (
    Manifest,
    datalist,
    find_manifest,
    intensity_window,
    list_images,
    load_manifest,
    require_usable,
)
from medseg.errors import DataError
from tests.data.dicom.builders import hounsfield, save, slices, uid


def test_a_data_sets_own_manifest_comes_before_the_bundles(phantoms, tmp_path):
    assert find_manifest(phantoms, "other.json") == str(phantoms / "manifest.json")
    assert find_manifest(tmp_path, "other.json") == "other.json"


def test_images_are_found_below_a_folder_in_order(phantoms):
    names = [path.rpartition("/")[2] for path in list_images(phantoms / "images")]
    assert names == [f"phantom_00{n}.nii.gz" for n in range(4)]


def test_only_images_are_found_and_links_keep_their_names(tmp_path):
    # What else lies in such folders: copies by macOS, notes, labels of an earlier prediction.
    for name in ("a.nii", "B.NII.GZ", "._a.nii", "a.nii.txt", "a_seg.nii.gz", "sub/B_seg.nii.gz"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    (tmp_path / "4711.nii").touch()
    (tmp_path / "in" / "link.nii").symlink_to(tmp_path / "4711.nii")
    names = [Path(path).name for path in list_images(tmp_path / "in")]
    assert names == ["B.NII.GZ", "a.nii", "link.nii"]


def test_volumes_of_every_format_are_found_without_the_outputs_of_a_prediction(tmp_path):
    names = ["a.nrrd", "b.NHDR", "c.mha", "d.mhd", "e.nii"]
    for name in (*names, "a_seg.nrrd", "c_entropy.nii.gz", "e_overlay.png", "d.raw"):
        (tmp_path / name).touch()
    assert [Path(path).name for path in list_images(tmp_path)] == names


def test_a_dicom_series_is_found_where_there_are_no_volume_files(tmp_path):
    save(slices(hounsfield()), tmp_path / "ct")
    (tmp_path / "page.png").touch()
    assert list_images(tmp_path) == [f"{tmp_path.resolve()}#{uid('a')}"]


def test_pictures_are_found_where_there_are_no_volumes(tmp_path):
    for name in ("t1.tif", "t2.png", "t1_seg.tif", "t2_seg.png", "t2_overlay.png", "notes.txt"):
        (tmp_path / name).touch()
    assert [Path(path).name for path in list_images(tmp_path)] == ["t1.tif", "t2.png"]


def test_a_label_without_its_image_may_be_an_image(tmp_path):
    (tmp_path / "a_seg.nii.gz").touch()
    assert list_images(tmp_path) == [str(tmp_path.resolve() / "a_seg.nii.gz")]


@pytest.mark.parametrize("made", [True, False])
def test_a_missing_or_empty_folder_is_refused(tmp_path, made):
    folder = tmp_path / "images"
    if made:
        folder.mkdir()
    with pytest.raises(DataError, match="no NIfTI, NRRD, Meta" if made else "no such folder"):
        list_images(folder)


def test_other_classes_than_the_networks_are_refused(phantoms):
    manifest = load_manifest(phantoms / "manifest.json")
    cases = datalist(manifest, phantoms, split="training")
    require_usable(cases, manifest, ["background", "lung", "infection"])
    with pytest.raises(
        DataError,
        match=r"set class_names=\[background,lung,infection\] \(the first is the background\)",
    ):
        require_usable(cases, manifest, ["background", "spleen"])


def test_a_case_without_a_label_cannot_train(phantoms, tmp_path):
    shutil.copytree(phantoms, tmp_path / "set")
    manifest = load_manifest(phantoms / "manifest.json")
    cases = datalist(manifest, phantoms, split="training")
    del cases[0]["label"]
    with pytest.raises(DataError, match=r"phantom_00\d: no label"):
        require_usable(cases, manifest, manifest.class_names)


def with_channel(phantoms, **channel):
    content = json.loads((phantoms / "manifest.json").read_text())
    content["channels"] = [{"name": "CT", "unit": "HU", **channel}]
    return Manifest.model_validate(content)


def test_the_manifests_window_comes_first_and_hounsfield_units_need_none(phantoms):
    lung = (-1000.0, 200.0)
    assert intensity_window(with_channel(phantoms, window=[0, 255]), lung) == (0, 255)
    assert intensity_window(with_channel(phantoms), lung) == lung


def test_a_unit_that_differs_from_image_to_image_needs_a_window(phantoms):
    with pytest.raises(DataError, match=r"has no window for CT in arbitrary units; write window="):
        intensity_window(with_channel(phantoms, unit="arbitrary"), (-1000.0, 200.0))


def test_images_behind_links_are_found_and_those_that_were_not_fetched_are_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/a.nii.gz").touch()
    (tmp_path / "in").mkdir()
    (tmp_path / "in/more").symlink_to(tmp_path / "elsewhere")
    assert list_images(tmp_path / "in") == [str(tmp_path / "in/more/a.nii.gz")]
    (tmp_path / "in/b.nii.gz").symlink_to(".git/annex/objects/b")
    with pytest.raises(DataError, match=r"1 links in it .* e\.g\. b\.nii\.gz; fetch them"):
        list_images(tmp_path / "in")


def test_labels_beside_a_dicom_series_are_no_images(tmp_path):
    save(slices(hounsfield()), tmp_path / "ct")
    (tmp_path / "liver_seg.nrrd").touch()
    assert list_images(tmp_path) == [f"{tmp_path}#{uid('a')}"]
    (tmp_path / "scan.nrrd").touch()
    with pytest.raises(DataError, match=r"holds DICOM and 1 other volumes, scan\.nrrd"):
        list_images(tmp_path)
