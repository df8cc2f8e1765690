"""What is written down of a user's own folder, and what is refused."""

import os
from pathlib import Path

import numpy as np
import pytest

from medseg.data.datalists import datalist
from medseg.data.datasets.check import check_dataset
from medseg.data.datasets.collect import DatasetInfo, SplitPlan, collect_manifest, find_files
from medseg.data.datasets.inputs import require_usable
from medseg.data.digest import file_sha256
from medseg.errors import DataError, UsageError
from tests.data.builders import a_label, an_image, write_nifti

ABOUT = DatasetInfo(modality="CT")
TWO_FOLDS = SplitPlan(folds=2)


def write_cases(folder, names=("p1_a", "p1_b", "p2_a", "p3_a"), label=None):
    for seed, name in enumerate(names):
        write_nifti(folder / f"imagesTr/{name}_0000.nii.gz", an_image(seed))
        own = np.roll(a_label(), seed, axis=2)  # two cases with one label are remarkable
        write_nifti(folder / f"labelsTr/{name}.nii.gz", own if label is None else label)


def collect(folder, about=ABOUT, plan=TWO_FOLDS):
    images = find_files(f"{folder}/imagesTr/*.nii.gz", option="--images")
    labels = find_files(f"{folder}/labelsTr/*.nii.gz", option="--labels")
    return collect_manifest(images, labels, about, plan)


def test_a_folder_of_the_decathlons_layout_becomes_a_manifest_that_checks_sound(tmp_path):
    write_cases(tmp_path / "My Data")
    manifest, root = collect(tmp_path / "My Data")
    assert root == tmp_path / "My Data"
    assert manifest.name == "my_data"
    assert manifest.class_names == ["background", "label_1", "label_2"]
    assert manifest.channels[0].unit == "HU"
    case = manifest.training[0]
    assert (case.case, case.patient) == ("p1_a", "p1_a")
    assert (case.image, case.label) == ("imagesTr/p1_a_0000.nii.gz", "labelsTr/p1_a.nii.gz")
    assert case.sha256["image"] == file_sha256(root / case.image)
    report = check_dataset(manifest, root)
    assert report.count("error") == report.count("warning") == 0


def test_what_the_user_says_is_written_down(tmp_path):
    write_cases(tmp_path)
    about = DatasetInfo(
        name="mine", modality="MR", label_names=("background", "a", "b"), licence="CC0-1.0"
    )
    manifest, _ = collect(tmp_path, about)
    assert (manifest.name, manifest.modality, manifest.licence) == ("mine", "MR", "CC0-1.0")
    assert manifest.class_names == ["background", "a", "b"]
    assert manifest.channels[0].unit == "arbitrary"
    assert manifest.source == "not stated"


def test_the_groups_of_cases_may_be_their_folders(tmp_path):
    for seed, name in enumerate(["polyp/image/a", "polyp/image/b", "adenoma/image/a"]):
        write_nifti(tmp_path / f"{name}.nii.gz", an_image(seed))
        label = name.replace("image", "label")
        write_nifti(tmp_path / f"{label}.nii.gz", a_label())
    images = find_files(f"{tmp_path}/*/image/*", option="--images")
    labels = find_files(f"{tmp_path}/*/label/*", option="--labels")
    plan = SplitPlan(folds=2, group_regex="^([^/]+)/")
    manifest, _ = collect_manifest(images, labels, ABOUT, plan)
    groups = {case.image: case.group for case in manifest.cases}
    assert groups == {name: name.partition("/")[0] for name in groups}
    assert set(groups.values()) == {"polyp", "adenoma"}
    with pytest.raises(UsageError, match=r"--group-regex \^\(x\): finds no group in image 'aden"):
        collect_manifest(images, labels, ABOUT, SplitPlan(folds=2, group_regex="^(x)"))


def test_cases_of_a_patient_share_a_fold(tmp_path):
    write_cases(tmp_path)
    manifest, _ = collect(tmp_path, plan=SplitPlan(folds=3, patient_regex="^(p[0-9]+)_"))
    assert [case.patient for case in manifest.cases] == ["p1", "p1", "p2", "p3"]
    assert manifest.cases[0].fold == manifest.cases[1].fold
    assert {case.fold for case in manifest.cases} == {0, 1, 2}


@pytest.mark.parametrize(("patients", "folds"), [(7, 5), (3, 3), (2, 2)])
def test_folds_that_nobody_asked_for_are_five_or_as_many_as_patients(tmp_path, patients, folds):
    write_cases(tmp_path, [f"p{number}" for number in range(patients)])
    manifest, _ = collect(tmp_path, plan=SplitPlan(folds=None))
    assert {case.fold for case in manifest.training} == set(range(folds))


def test_a_single_patient_is_in_no_fold_and_all_of_it_is_trained_on(tmp_path):
    write_cases(tmp_path, ["p1_a", "p1_b"])
    plan = SplitPlan(folds=None, patient_regex="^(p[0-9]+)_")
    manifest, root = collect(tmp_path, plan=plan)
    assert [case.fold for case in manifest.training] == [None, None]
    assert manifest.test == ()
    assert len(datalist(manifest, root, split="training")) == 2


def test_patients_are_set_aside_for_testing_with_all_their_cases(tmp_path):
    write_cases(tmp_path, [f"p{number}_{letter}" for number in range(6) for letter in "ab"])
    plan = SplitPlan(folds=2, test_patients=2, patient_regex="^(p[0-9]+)_")
    manifest, _ = collect(tmp_path, plan=plan)
    assert (len(manifest.training), len(manifest.test)) == (8, 4)
    assert len({case.patient for case in manifest.test}) == 2
    assert {case.fold for case in manifest.test} == {None}


def test_the_same_folder_gives_the_same_manifest(tmp_path):
    write_cases(tmp_path)
    assert collect(tmp_path) == collect(tmp_path)


def test_a_pattern_for_images_may_match_the_labels_too(tmp_path):
    for seed, name in enumerate("ab"):
        write_nifti(tmp_path / f"{name}_ct.nii.gz", an_image(seed))
        write_nifti(tmp_path / f"{name}_mask.nii.gz", a_label())
    images = find_files(f"{tmp_path}/*.nii.gz", option="--images")
    labels = find_files(f"{tmp_path}/*_mask.nii.gz", option="--labels")
    manifest, _ = collect_manifest(images, labels, ABOUT, TWO_FOLDS)
    assert [case.image for case in manifest.cases] == ["a_ct.nii.gz", "b_ct.nii.gz"]
    assert collect_manifest(images, images, ABOUT, TWO_FOLDS) == (manifest, tmp_path)
    with pytest.raises(DataError, match="--images matches no file that --labels does not"):
        collect_manifest(labels, labels, ABOUT, TWO_FOLDS)


def test_patterns_may_be_relative_and_reach_any_depth(tmp_path, monkeypatch):
    write_nifti(tmp_path / "x/y/a.nii", an_image())
    monkeypatch.chdir(tmp_path)
    assert find_files("**/*.nii", option="--images") == [tmp_path / "x/y/a.nii"]


def test_a_pattern_without_a_match_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"--labels .*/\*\.nii: matches no file; check the folder"):
        find_files(f"{tmp_path}/*.nii", option="--labels")


def test_patients_with_names_in_other_scripts_are_three_patients(tmp_path):
    # M\u00fcller in both encodings: macOS stores the second, and the label is found all the same.
    names = {
        "\u738b\u4f1f": "\u738b\u4f1f",
        "\u674e\u5a1c": "\u674e\u5a1c",
        "\u5f20\u654f": "\u5f20\u654f",
        "M\u00f6ller": "M\u00f6ller",
        "M\u00fcller": "Mu\u0308ller",
    }
    for seed, (image, label) in enumerate(names.items()):
        write_nifti(tmp_path / f"imagesTr/{image}.nii.gz", an_image(seed))
        write_nifti(tmp_path / f"labelsTr/{label}.nii.gz", a_label())
    manifest, root = collect(tmp_path)
    assert {case.case for case in manifest.cases} == set(names)
    assert len({case.patient for case in manifest.cases}) == 5
    assert check_dataset(manifest, root).count("error") == 0


def test_linked_folders_are_named_as_they_are_below_the_data_set(tmp_path):
    write_cases(tmp_path / "elsewhere")
    (tmp_path / "set").mkdir()
    for folder in ("imagesTr", "labelsTr"):
        (tmp_path / "set" / folder).symlink_to(tmp_path / "elsewhere" / folder)
    manifest, root = collect(tmp_path / "set")
    assert root == tmp_path / "set"
    cases = datalist(manifest, root, split="training", fold=1)
    assert all(Path(case["image"]).is_relative_to(root) for case in cases)
    require_usable(cases, manifest, manifest.class_names)


def test_cases_are_listed_in_the_order_of_their_numbers(tmp_path):
    for number in (0, 1, 10, 11, 2):
        write_nifti(tmp_path / f"imagesTr/{number}.nii.gz", an_image(number))
        write_nifti(tmp_path / f"labelsTr/{number}.nii.gz", a_label())
    plan = SplitPlan(folds=2, test_patients=0)
    manifest, _ = collect_manifest(
        find_files(f"{tmp_path}/imagesTr/*", option="--images"),
        find_files(f"{tmp_path}/labelsTr/*", option="--labels"),
        ABOUT,
        plan,
    )
    assert [case.case for case in manifest.training] == ["0", "1", "2", "10", "11"]


def test_a_name_that_is_not_utf_8_is_refused_in_a_line(tmp_path):
    name = os.fsdecode(b"M\xfcller.nii.gz")
    write_nifti(tmp_path / "images/a.nii.gz", an_image()).rename(tmp_path / "images" / name)
    with pytest.raises(DataError, match=r"M\\xfcller\.nii\.gz: holds .* not UTF-8"):
        find_files(f"{tmp_path}/images/*", option="--images")


def test_a_mask_of_0_and_255_is_told_its_label_kind(tmp_path):
    write_cases(tmp_path, label=(a_label() > 0).astype(np.uint8) * 255)
    with pytest.raises(DataError, match=r"holds 255, .*; if it is a mask, set label_kind to mask"):
        collect(tmp_path)


def test_negative_values_are_refused(tmp_path):
    write_cases(tmp_path, label=a_label().astype(np.int16) - 1)
    with pytest.raises(DataError, match=r"p1_a\.nii\.gz: holds -1, but label values count up"):
        collect(tmp_path)


def test_a_gap_in_the_values_is_refused_unless_all_values_are_named(tmp_path):
    write_cases(tmp_path, label=np.where(a_label() == 2, 3, a_label()))
    with pytest.raises(DataError, match=r"none holds 2, but .*p1_a\.nii\.gz holds 3; renumber"):
        collect(tmp_path)
    about = DatasetInfo(modality="CT", label_names=("background", "a", "b", "c"))
    assert len(collect(tmp_path, about)[0].labels) == 4


def test_too_few_names_are_refused(tmp_path):
    write_cases(tmp_path)
    about = DatasetInfo(modality="CT", label_names=("background", "lung"))
    with pytest.raises(
        UsageError, match=r"2 names, but .* holds 2; name every value from 0, the background, up"
    ):
        collect(tmp_path, about)


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        ({0: 0, 1: 255, 2: 255}, "if it is a mask, set label_kind to mask"),
        ({0: 0, 1: 200, 2: 90}, "or use --label-kind mask .grey pictures. or instances"),
    ],
    ids=["black and white", "soft edges"],
)
def test_two_names_for_a_grey_mask_hear_of_its_kind(tmp_path, values, advice):
    write_cases(tmp_path, label=np.vectorize(values.get)(a_label()).astype(np.uint8))
    about = DatasetInfo(modality="CT", label_names=("background", "lung"))
    with pytest.raises((UsageError, DataError), match=advice):
        collect(tmp_path, about)


def test_labels_that_are_all_background_are_refused_unless_named(tmp_path):
    write_cases(tmp_path, label=a_label() * 0)
    with pytest.raises(DataError, match="all are background"):
        collect(tmp_path)
    about = DatasetInfo(modality="CT", label_names=("background", "lung"))
    assert collect(tmp_path, about)[0].class_names == ["background", "lung"]


def test_a_label_of_fractions_is_refused_by_name(tmp_path):
    write_cases(tmp_path)
    write_nifti(tmp_path / "labelsTr/p2_a.nii.gz", a_label() / np.float32(2))
    with pytest.raises(DataError, match=r"p2_a\.nii\.gz: holds values that are not whole numbers"):
        collect(tmp_path)


@pytest.mark.parametrize("pattern", ["^q([0-9]+)", "^p[0-9]+", "^p1_a()"])
def test_a_pattern_that_finds_no_patient_is_refused(tmp_path, pattern):
    write_cases(tmp_path)
    with pytest.raises(UsageError, match=r"finds no patient in case 'p1_a'; put the part"):
        collect(tmp_path, plan=SplitPlan(folds=2, patient_regex=pattern))


def test_a_pattern_that_is_none_is_refused(tmp_path):
    write_cases(tmp_path)
    with pytest.raises(UsageError, match=r"--patient-regex \(: .*; correct the pattern"):
        collect(tmp_path, plan=SplitPlan(folds=2, patient_regex="("))


def test_more_folds_than_patients_are_refused(tmp_path):
    write_cases(tmp_path)
    with pytest.raises(UsageError, match="5 folds need 5 patients, got 4"):
        collect(tmp_path, plan=SplitPlan())


def test_a_name_that_no_manifest_takes_is_refused_in_one_line(tmp_path):
    write_cases(tmp_path)
    with pytest.raises(UsageError, match=r"would break a rule: name: .*, got 'My Data'") as info:
        collect(tmp_path, DatasetInfo(name="My Data", modality="CT"))
    assert len(str(info.value).splitlines()) == 1
