"""What the manifests in data_manifests/ promise."""

import csv

import pytest

from medseg.data import PhantomSet, load_manifest, write_phantoms
from tests.conftest import REPOSITORY

MANIFESTS = sorted((REPOSITORY / "data_manifests").glob("*.json"))


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_a_shipped_manifest_keeps_the_rules_and_is_named_after_its_data_set(path):
    assert load_manifest(path).name == path.stem


def test_the_phantoms_manifest_is_that_of_the_default_phantoms(tmp_path):
    # Digests differ from processor to processor, the cases and their folds do not.
    made = write_phantoms(tmp_path / "set", PhantomSet(shape=(32, 24, 16)))
    undigested = [case.model_copy(update={"sha256": {}}) for case in made.cases]
    shipped = load_manifest(REPOSITORY / "data_manifests" / "chest_phantoms.json")
    assert list(shipped.cases) == undigested
    assert shipped.labels == made.labels
    assert shipped.channels == made.channels


def test_the_covid_folds_hold_two_patients_each_in_order_of_case_number():
    manifest = load_manifest(REPOSITORY / "data_manifests" / "covid19_ct_seg.json")
    folds = {case.case[-2:]: case.fold for case in manifest.training}
    assert folds == {"01": 0, "02": 0, "04": 1, "05": 1, "07": 2, "08": 2, "09": 3}


@pytest.mark.data
def test_the_covid_digests_are_those_of_the_images_at_hand(real_data):
    rows = csv.reader((real_data / "MANIFEST.tsv").read_text().splitlines(), delimiter="\t")
    digests = {row[0].rpartition("/")[2]: row[2] for row in rows}
    manifest = load_manifest(REPOSITORY / "data_manifests" / "covid19_ct_seg.json")
    for case in manifest.training:
        assert case.sha256 == {"image": digests[case.image], "label": digests[case.label]}
