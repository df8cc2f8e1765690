from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from medseg.data.datalists import datalist
from medseg.data.digest import path_sha256
from medseg.data.manifest import Manifest, load_manifest
from medseg.data.phantoms.fat.phantom import fat_phantom
from medseg.data.phantoms.fat.writer import FatPhantomSet, write_fat_phantoms
from medseg.errors import DataError, UsageError

PLAN = FatPhantomSet(patients=5, test_patients=1, slices=3, folds=2, seed=4, shape=(64, 32))


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[Path, Manifest]:
    folder = tmp_path_factory.mktemp("sets") / "fat"
    return folder, write_fat_phantoms(folder, PLAN)


def test_the_manifest_in_the_folder_is_the_one_returned(written):
    folder, manifest = written
    assert load_manifest(folder / "manifest.json") == manifest
    assert manifest.class_names == ["background", "sat", "vat"]
    assert manifest.modality == "MR"
    assert manifest.channels[0].window is None
    assert manifest.source == "medseg.data.phantoms.fat.phantom, seed 4"


def test_each_slice_is_a_case_and_all_of_a_patient_are_in_one_fold(written):
    folder, manifest = written
    assert len(manifest.cases) == 15
    places = {(case.patient, case.fold) for case in manifest.cases}
    assert sorted(places, key=str) == [
        ("fat_000", 0),
        ("fat_001", 1),
        ("fat_002", 0),
        ("fat_003", 1),
        ("fat_004", None),
    ]
    assert [case.case for case in manifest.test] == ["fat_004_00", "fat_004_01", "fat_004_02"]
    assert len(datalist(manifest, folder, split="validation", fold=1)) == 6


def test_files_hold_the_phantom_where_it_is_and_their_digests_are_told(written):
    folder, manifest = written
    for number, case in enumerate(manifest.cases):
        phantom = fat_phantom(4000 + number // 3, number % 3, shape=PLAN.shape)
        for name, voxels in ((case.image, phantom.image), (case.label, phantom.label)):
            read = nib.load(folder / name)
            assert read.shape == (64, 32, 1)
            np.testing.assert_array_equal(np.asarray(read.dataobj), voxels)
            np.testing.assert_allclose(read.affine, phantom.affine, atol=1e-4)
        assert case.sha256["image"] == path_sha256(folder / case.image)
        assert case.sha256["label"] == path_sha256(folder / case.label)


def test_a_slice_does_not_depend_on_how_many_there_are(written, tmp_path):
    _, manifest = written
    fewer = FatPhantomSet(patients=2, test_patients=0, slices=2, seed=4, shape=PLAN.shape)
    digests = {case.case: case.sha256 for case in manifest.cases}
    for case in write_fat_phantoms(tmp_path / "fewer", fewer).cases:
        assert case.sha256 == digests[case.case]


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(DataError, match="exists and is not empty"):
        write_fat_phantoms(tmp_path, PLAN)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slices": 0}, "slices must be a whole number from 1, got 0"),
        ({"folds": 0}, "folds must be a whole number from 1, got 0"),
        ({"patients": 3, "test_patients": 2}, "got 3 cases, 2 test cases and 2 folds"),
    ],
)
def test_a_set_that_cannot_be_made_is_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        FatPhantomSet(**changes)
