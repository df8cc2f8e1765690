"""What only the whole data set shows."""

import shutil

import numpy as np

from medseg.data.datasets.check import check_dataset
from medseg.data.datasets.collect import DatasetInfo, SplitPlan, collect_manifest
from tests.data.builders import a_case, a_label, a_manifest, an_image, write_dataset, write_nifti


def found(manifest, folder):
    return [(p.severity, p.what) for p in check_dataset(manifest, folder).problems]


def test_one_image_in_two_folds_is_a_leak_whatever_it_is_stored_as(tmp_path):
    manifest = write_dataset(tmp_path, ["a", "b", "c"])
    write_nifti(tmp_path / "images/c.nii.gz", an_image(0).astype(np.float32))
    what = "a, c hold the same image and are in fold 0, fold 2, which is a leak"
    assert found(manifest, tmp_path) == [("error", what)]


def test_one_image_twice_in_one_fold_is_a_warning(tmp_path):
    write_dataset(tmp_path, ["a", "b", "c"])
    write_nifti(tmp_path / "images/c.nii.gz", an_image(0))
    manifest = a_manifest([a_case("a", 0), a_case("b", 1), a_case("c", 0)])
    assert found(manifest, tmp_path) == [("warning", "a, c hold the same image")]


def test_a_training_image_among_the_test_cases_is_a_leak(tmp_path):
    write_dataset(tmp_path, ["a", "b", "c"])
    write_nifti(tmp_path / "images/c.nii.gz", an_image(1))
    manifest = a_manifest([a_case("a", 0), a_case("b", 1)], test=(a_case("c", None),))
    assert found(manifest, tmp_path) == [
        ("error", "b, c hold the same image and are in fold 1, test, which is a leak")
    ]


def test_files_that_are_not_listed_are_summed_up(tmp_path):
    write_dataset(tmp_path, list("abcdef"))
    (tmp_path / "README.txt").write_text("not an image")
    (tmp_path / "images/.hidden.nii.gz").write_bytes(b"")
    manifest = a_manifest([a_case("a", 0), a_case("f", 1)])
    # Images and labels of b, c, d and e: 8.
    ((severity, what),) = found(manifest, tmp_path)
    assert severity == "warning"
    assert "8 in all: images/b.nii.gz, images/c.nii.gz, images/d.nii.gz and 5 more" in what


def test_files_in_a_linked_folder_are_seen_too(tmp_path):
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    manifest = write_dataset(folder)
    write_nifti(elsewhere / "c.nii.gz", an_image(7))
    (folder / "more").symlink_to(elsewhere)
    ((severity, what),) = found(manifest, folder)
    assert severity == "warning"
    assert what.endswith("1 in all: more/c.nii.gz")


def test_one_label_file_for_two_images_is_told(tmp_path):
    about = DatasetInfo(modality="CT", label_names=("background", "lung", "infection"))
    for seed, name in enumerate("abc"):
        write_nifti(tmp_path / f"images/{name}.nii.gz", an_image(seed))
        write_nifti(tmp_path / f"labels/{name}.nii.gz", np.roll(a_label(), seed, axis=0))

    def problems():
        images = sorted((tmp_path / "images").iterdir())
        labels = sorted((tmp_path / "labels").iterdir())
        manifest, root = collect_manifest(images, labels, about, SplitPlan(folds=2))
        return found(manifest, root)

    assert problems() == []
    shutil.copy(tmp_path / "labels/a.nii.gz", tmp_path / "labels/c.nii.gz")
    assert problems() == [
        ("warning", "a, c have the same label file, and different images"),
    ]


def test_empty_labels_may_be_copies_of_one_another(tmp_path):
    about = DatasetInfo(modality="CT", label_names=("background", "lung"))
    for seed, name in enumerate("ab"):
        write_nifti(tmp_path / f"images/{name}.nii.gz", an_image(seed))
        write_nifti(tmp_path / f"labels/{name}.nii.gz", a_label() * 0)
    images, labels = (sorted((tmp_path / name).iterdir()) for name in ("images", "labels"))
    manifest, root = collect_manifest(images, labels, about, SplitPlan(folds=2))
    assert not any("same label file" in what for _, what in found(manifest, root))


def test_a_label_that_no_case_has_is_a_warning(tmp_path):
    manifest = write_dataset(tmp_path)
    for name in "ab":
        write_nifti(tmp_path / f"labels/{name}.nii.gz", np.minimum(a_label(), 1))
    assert found(manifest, tmp_path) == [("warning", "no case has a voxel of label 2 (infection)")]


def test_a_single_fold_leaves_nothing_to_train_on(tmp_path):
    write_dataset(tmp_path)
    manifest = a_manifest([a_case("a", 3), a_case("b", 3)])
    what = "all training cases are in fold 3, so none is left to train on"
    assert found(manifest, tmp_path) == [("warning", what)]


def test_training_cases_without_folds_are_no_problem(tmp_path):
    write_dataset(tmp_path)
    assert found(a_manifest([a_case("a", None), a_case("b", None)]), tmp_path) == []


def test_a_manifest_without_cases_is_an_error(tmp_path):
    (tmp_path / "README.txt").write_text("no image")
    assert found(a_manifest([]), tmp_path) == [("error", "the manifest lists no cases")]
