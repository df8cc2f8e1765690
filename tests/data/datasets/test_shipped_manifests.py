"""What the manifests in data_manifests/ promise."""

import csv
import re

import pytest

from medseg.data import (
    FatPhantomSet,
    PhantomSet,
    load_manifest,
    write_fat_phantoms,
    write_phantoms,
)
from tests.conftest import REPOSITORY

MANIFESTS = sorted((REPOSITORY / "data_manifests").glob("*.json"))


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_a_shipped_manifest_keeps_the_rules_and_is_named_after_its_data_set(path):
    assert load_manifest(path).name == path.stem


@pytest.mark.parametrize(
    ("name", "write", "plan"),
    [
        ("chest_phantoms", write_phantoms, PhantomSet(shape=(32, 24, 16))),
        ("abdominal_fat_phantoms", write_fat_phantoms, FatPhantomSet(shape=(32, 16))),
    ],
)
def test_the_phantoms_manifest_is_that_of_the_default_phantoms(tmp_path, name, write, plan):
    # Digests differ from processor to processor, the cases and their folds do not.
    made = write(tmp_path / "set", plan)
    undigested = [case.model_copy(update={"sha256": {}}) for case in made.cases]
    shipped = load_manifest(REPOSITORY / "data_manifests" / f"{name}.json")
    assert list(shipped.cases) == undigested
    assert shipped.labels == made.labels
    assert shipped.channels == made.channels


def test_the_covid_folds_hold_two_patients_each_in_order_of_case_number():
    manifest = load_manifest(REPOSITORY / "data_manifests" / "covid19_ct_seg.json")
    folds = {case.case[-2:]: case.fold for case in manifest.training}
    assert folds == {"01": 0, "02": 0, "04": 1, "05": 1, "07": 2, "08": 2, "09": 3}


def test_hela_frames_are_split_by_blocks_of_time_silver_to_train_gold_to_test():
    manifest = load_manifest(REPOSITORY / "data_manifests" / "dic_c2dh_hela.json")
    frames = {case.case: int(case.case[1:]) for case in manifest.cases}
    assert {frames[case.case] for case in manifest.test} == {2, 5, 31, 33, 34, 39}
    assert all(case.label.startswith("01_GT/") for case in manifest.test)
    assert all(case.label.startswith("01_ST/") for case in manifest.training)
    for case in manifest.cases:
        for other in manifest.cases:
            if case.fold != other.fold:
                assert abs(frames[case.case] - frames[other.case]) >= 4


def test_ebhi_patients_are_the_numbers_in_file_names_and_every_class_is_tested():
    manifest = load_manifest(REPOSITORY / "data_manifests" / "ebhi_seg.json")
    for case in manifest.cases:
        assert case.patient == re.search(r"GT[A-Z]*([0-9]+)-", case.image)[1]
        assert case.group == case.image.partition("/")[0]
    tested = [case.group for case in manifest.test]
    assert {name: tested.count(name) for name in tested} == {
        **dict.fromkeys(["high_grade_in", "low_grade_in", "normal", "polyp"], 4),
        **{"adenocarcinoma": 5, "serrated_adenoma": 4},
    }


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("covid19_ct_seg", "chest_ct/covid19-ct-seg"),
        ("dic_c2dh_hela", "microscopy/dic-c2dh-hela"),
        ("ebhi_seg", "histology/ebhi-seg"),
        ("msd_hippocampus", "mri/hippocampus"),
    ],
)
def test_the_digests_are_those_of_the_images_at_hand(real_data, name, folder):
    rows = csv.reader((real_data / "MANIFEST.tsv").read_text().splitlines(), delimiter="\t")
    digests = {row[0]: row[2] for row in rows}
    for case in load_manifest(REPOSITORY / "data_manifests" / f"{name}.json").cases:
        files = {"image": case.image, "label": case.label}
        assert case.sha256 == {key: digests[f"{folder}/{file}"] for key, file in files.items()}
