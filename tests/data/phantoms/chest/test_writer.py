import hashlib
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from medseg.data.datalists import datalist
from medseg.data.manifest import Manifest, load_manifest
from medseg.data.phantoms.chest.phantom import chest_phantom
from medseg.data.phantoms.chest.writer import PhantomSet, write_phantoms
from medseg.errors import DataError, UsageError

PLAN = PhantomSet(cases=6, test_cases=1, folds=2, seed=3, shape=(40, 32, 16))


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[Path, Manifest]:
    """A small NIfTI data set."""
    folder = tmp_path_factory.mktemp("sets") / "nifti"
    return folder, write_phantoms(folder, PLAN)


@pytest.fixture(scope="module")
def series(tmp_path_factory) -> tuple[Path, Manifest]:
    """The same cases as DICOM series."""
    folder = tmp_path_factory.mktemp("sets") / "dicom"
    plan = PhantomSet(cases=4, test_cases=0, folds=2, seed=3, shape=PLAN.shape, file_format="dicom")
    return folder, write_phantoms(folder, plan)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_manifest_in_the_folder_is_the_one_returned(written):
    folder, manifest = written
    assert load_manifest(folder / "manifest.json") == manifest
    assert manifest.class_names == ["background", "lung", "infection"]
    assert manifest.source == "medseg.data.phantoms.chest.phantom, seed 3"
    assert [case.fold for case in manifest.training] == [0, 1, 0, 1, 0]
    assert [case.case for case in manifest.test] == ["phantom_005"]
    # Of the five training cases fold 1 holds two.
    assert len(datalist(manifest, folder, split="training", fold=1)) == 3
    assert len(datalist(manifest, folder, split="validation", fold=1)) == 2


def test_digests_are_those_of_the_files(written):
    folder, manifest = written
    for case in manifest.cases:
        for key, name in (("image", case.image), ("label", case.label)):
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == case.sha256[key]


def test_nibabel_and_simpleitk_read_the_phantom_where_it_is(written):
    folder, manifest = written
    for number, case in enumerate(manifest.cases):
        phantom = chest_phantom(3000 + number, shape=PLAN.shape)
        for name, voxels in ((case.image, phantom.image), (case.label, phantom.label)):
            read = nib.load(folder / name)
            np.testing.assert_array_equal(np.asarray(read.dataobj), voxels)
            assert read.get_data_dtype() == voxels.dtype
            np.testing.assert_allclose(read.affine, phantom.affine, atol=1e-4)
            other = SimpleITK.ReadImage(str(folder / name))
            np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(other).T, voxels)
            for voxel in [(0, 0, 0), (39, 31, 15), (7, 20, 3)]:
                ras = (phantom.affine @ (*voxel, 1))[:3]
                lps = other.TransformIndexToPhysicalPoint(voxel)
                np.testing.assert_allclose(lps, ras * (-1, -1, 1), atol=1e-3)


def test_both_nifti_transforms_are_set_and_equal(written):
    folder, manifest = written
    for case in manifest.cases:
        header = nib.load(folder / case.image).header
        assert int(header["sform_code"]) == int(header["qform_code"]) == 1
        np.testing.assert_allclose(header.get_qform(), header.get_sform(), atol=1e-3)


def test_the_same_set_gives_the_same_bytes_and_another_seed_other_images(written, tmp_path):
    folder, manifest = written
    write_phantoms(tmp_path / "again", PLAN)
    assert _files(tmp_path / "again") == _files(folder)
    fewer = PhantomSet(cases=2, test_cases=0, folds=1, seed=3, shape=PLAN.shape)
    other = PhantomSet(cases=2, test_cases=0, folds=1, seed=4, shape=PLAN.shape)
    digest = manifest.cases[1].sha256
    assert write_phantoms(tmp_path / "fewer", fewer).cases[1].sha256 == digest
    assert write_phantoms(tmp_path / "other", other).cases[1].sha256 != digest


def test_a_dicom_set_holds_the_same_chests_on_the_grid_of_its_labels(series):
    folder, manifest = series
    reader = SimpleITK.ImageSeriesReader()
    for number, case in enumerate(manifest.cases):
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder / case.image)))
        image = reader.Execute()
        label = SimpleITK.ReadImage(str(folder / case.label))
        for voxel in [(0, 0, 0), (39, 31, 15)]:
            np.testing.assert_allclose(
                image.TransformIndexToPhysicalPoint(voxel),
                label.TransformIndexToPhysicalPoint(voxel),
                atol=1e-3,
            )
        phantom = chest_phantom(3000 + number, shape=PLAN.shape)
        if np.linalg.det(phantom.affine) < 0:
            phantom = phantom.flipped(2)
        np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image).T, phantom.image)
        np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(label).T, phantom.label)


def test_the_digest_of_a_series_covers_all_its_files(series):
    folder, manifest = series
    case = manifest.cases[0]
    paths = sorted((folder / case.image).iterdir())
    listed = "".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)
    assert hashlib.sha256(listed.encode()).hexdigest() == case.sha256["image"]
    assert len(paths) == 16


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(DataError, match="exists and is not empty; name another folder"):
        write_phantoms(tmp_path, PLAN)
    with pytest.raises(DataError, match="exists and is not empty"):
        write_phantoms(tmp_path / "note.txt", PLAN)
    assert _files(tmp_path) == {"note.txt": b"mine"}


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "set").mkdir()
    plan = PhantomSet(cases=1, test_cases=0, folds=1, shape=(8, 8, 8))
    write_phantoms(tmp_path / "set", plan)
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == [
        "images",
        "labels",
        "manifest.json",
    ]


def test_a_set_that_fails_half_way_leaves_nothing_behind(tmp_path):
    plan = PhantomSet(cases=2, test_cases=0, folds=1, shape=(8, 8, 4))
    with pytest.raises(ValueError, match="3 whole numbers from 8"):
        write_phantoms(tmp_path / "set", plan)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot write here .*; name another folder"):
        write_phantoms(tmp_path / "file" / "set", PLAN)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"folds": 0}, "folds must be a whole number from 1, got 0"),
        ({"seed": -1}, "seed must be a whole number from 0, got -1"),
        ({"cases": 3, "test_cases": 2, "folds": 2}, "got 3 cases, 2 test cases and 2 folds"),
        ({"test_cases": -1}, "-1 test cases"),
    ],
)
def test_a_set_that_cannot_be_made_is_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        PhantomSet(**changes)
