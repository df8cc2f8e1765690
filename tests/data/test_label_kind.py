"""How numbered cells and grey masks become one class, wherever labels are read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import ValidationError

from medseg.data.datasets.check import check_dataset
from medseg.data.datasets.collect import DatasetInfo, SplitPlan, collect_manifest
from medseg.data.datasets.intake import read_pair
from medseg.data.label_kind import as_classes
from medseg.data.manifest import Label, load_manifest, save_manifest
from medseg.data.problems import InputError
from tests.data.builders import a_case, a_manifest, an_image, write_nifti

TWO = (Label(value=0, name="background"), Label(value=1, name="cell"))


def a_data_set(folder, label, kind):
    write_nifti(folder / "images/a.nii.gz", an_image(shape=label.shape))
    write_nifti(folder / "labels/a.nii.gz", label)
    return a_manifest([a_case("a")], labels=TWO, label_kind=kind)


def cells():
    label = np.zeros((6, 5, 4), np.uint16)
    label[0, 0], label[2, 2], label[4, 4] = 1, 7, 300
    return label


def test_numbered_cells_are_one_class():
    assert as_classes(np.array([0, 1, 300]), "instances").tolist() == [0, 1, 1]


def test_a_mask_is_cut_at_the_middle():
    assert as_classes(np.array([0, 127, 128, 255], np.uint8), "mask").tolist() == [0, 0, 1, 1]


@given(label=hnp.arrays(np.int16, (3, 4), elements=st.integers(0, 5)))
def test_classes_are_what_they_are(label):
    assert as_classes(label, "classes") is label


def test_what_fits_nowhere_stays_to_be_found():
    odd = np.array([-1.0, 0.5, np.nan, 2.0])
    np.testing.assert_array_equal(as_classes(odd, "instances"), [-1.0, 0.5, np.nan, 1.0])
    np.testing.assert_array_equal(as_classes(np.array([-1, 256]), "mask"), [-1, 256])


@pytest.mark.parametrize(
    ("kind", "label"), [("instances", cells()), ("mask", (cells() > 0).astype(np.uint8) * 200)]
)
def test_a_check_counts_the_class_and_finds_nothing_wrong(tmp_path, kind, label):
    (case,) = check_dataset(a_data_set(tmp_path, label, kind), tmp_path).cases
    assert case.problems == ()
    assert [(fact.name, fact.voxels) for fact in case.labels] == [("background", 108), ("cell", 12)]
    paths = tmp_path / "images/a.nii.gz", tmp_path / "labels/a.nii.gz"
    assert read_pair(*paths, [0, 1], kind).problems == ()
    with pytest.raises(InputError, match="but only 0, 1 are named"):
        read_pair(*paths, [0, 1])


def test_a_manifest_of_ones_own_cells_keeps_the_kind(tmp_path):
    for name in ("a", "b"):
        write_nifti(tmp_path / f"images/{name}.nii.gz", an_image())
        write_nifti(tmp_path / f"labels/{name}.nii.gz", cells())
    about = DatasetInfo(
        modality="microscopy", label_kind="instances", label_names=("background", "cell")
    )
    images, labels = (sorted((tmp_path / kind).iterdir()) for kind in ("images", "labels"))
    made, _ = collect_manifest(images, labels, about, SplitPlan(folds=2))
    save_manifest(made, tmp_path / "manifest.json")
    assert load_manifest(tmp_path / "manifest.json").label_kind == "instances"


def test_objects_are_of_one_class():
    with pytest.raises(ValidationError, match="label_kind instances has background and one class"):
        a_manifest([a_case("a")], label_kind="instances")
