"""Folds that cannot be cross-validated are refused in a line, before anything is trained."""

import numpy as np
import pytest

from medseg.data.manifest import Case, Manifest
from medseg.errors import DataError
from medseg.inference.save import save_label
from medseg.planning.crossvalidation.folds import require_all_classes, require_folds
from tests.data.dicom.labels.builders import contoured_patients


def a_case(name, fold, label="there"):
    return Case(
        case=name,
        patient=name,
        image=f"{name}.nii.gz",
        label=f"{name}_label.nii.gz" if label == "there" else None,
        fold=fold,
    )


def a_manifest(*cases, labels=("background", "lung", "tumour")):
    return Manifest.model_validate(
        {
            "name": "mine",
            "description": "",
            "source": "",
            "licence": "",
            "citation": "",
            "modality": "CT",
            "channels": [{"name": "ct", "unit": "HU"}],
            "labels": [{"value": value, "name": name} for value, name in enumerate(labels)],
            "training": [case.model_dump(exclude_none=True) for case in cases],
        }
    )


def write_labels(folder, values):
    for name, present in values.items():
        array = np.zeros((4, 4, 4), np.uint8)
        array.flat[: len(present)] = present
        save_label(folder / f"{name}_label.nii.gz", array, np.eye(4))


def test_folds_are_those_of_the_manifest():
    assert require_folds(a_manifest(a_case("a", 0), a_case("b", 1), a_case("c", None))) == (0, 1)


def test_fewer_than_two_folds_are_refused():
    with pytest.raises(DataError, match=r"mine: has 1 fold, and .* at least 2; deal"):
        require_folds(a_manifest(a_case("a", 0), a_case("b", 0)))
    with pytest.raises(DataError, match="has 0 folds"):
        require_folds(a_manifest(a_case("a", None)))


def test_a_fold_without_cases_is_refused():
    with pytest.raises(DataError, match=r"fold 1 has no case; its folds are 0, 2"):
        require_folds(a_manifest(a_case("a", 0), a_case("b", 2)))


def test_a_fold_without_labels_is_refused():
    with pytest.raises(DataError, match="fold 1 has no case with a label"):
        require_folds(a_manifest(a_case("a", 0), a_case("b", 1, label="missing")))


def test_a_class_in_one_fold_alone_is_refused_since_one_training_would_lack_it(tmp_path):
    write_labels(tmp_path, {"a": [1, 2], "b": [1], "c": [1, 2]})
    manifest = a_manifest(a_case("a", 0), a_case("b", 1), a_case("c", 0))
    with pytest.raises(DataError, match=r"tumour is in fold 0 alone \(a, c\).*never see it; deal"):
        require_all_classes(manifest, tmp_path)


def test_classes_of_contours_are_those_that_their_rois_stand_for(tmp_path):
    contoured_patients(tmp_path)
    cases = [
        Case(
            case=name,
            patient=name,
            image=f"{name}/ct",
            label=next((tmp_path / name).glob("RS*")).relative_to(tmp_path).as_posix(),
            fold=fold,
        )
        for fold, name in enumerate(("anna", "bert"))
    ]
    manifest = a_manifest(*cases, labels=("background", "tumour"))
    require_all_classes(manifest.model_copy(update={"rois": {"GTV*": "tumour"}}), tmp_path)
    both = a_manifest(*cases, labels=("background", "body", "tumour"))
    lopsided = both.model_copy(update={"rois": {"BODY": "body", "GTV_anna": "tumour"}})
    with pytest.raises(DataError, match=r"tumour is in fold 0 alone \(anna\)"):
        require_all_classes(lopsided, tmp_path)


def test_a_class_in_no_label_is_refused(tmp_path):
    write_labels(tmp_path, {"a": [1], "b": [1]})
    manifest = a_manifest(a_case("a", 0), a_case("b", 1))
    with pytest.raises(DataError, match=r"tumour \(value 2\) is in no label that is trained on"):
        require_all_classes(manifest, tmp_path)


def test_a_class_of_cases_that_are_in_every_training_passes(tmp_path):
    write_labels(tmp_path, {"a": [1], "b": [1], "c": [2]})
    manifest = a_manifest(a_case("a", 0), a_case("b", 1), a_case("c", None))
    require_all_classes(manifest, tmp_path)


def test_a_label_that_cannot_be_read_is_left_to_the_training(tmp_path):
    write_labels(tmp_path, {"a": [1, 2]})
    (tmp_path / "b_label.nii.gz").write_bytes(b"no image")
    require_all_classes(a_manifest(a_case("a", 0), a_case("b", 1)), tmp_path)
