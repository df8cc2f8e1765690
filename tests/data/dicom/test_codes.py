"""What a class is called in codes."""

import hashlib
from pathlib import Path

import pytest
from pydicom.sr._concepts_dict import concepts
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from medseg.data import Label, load_manifest
from medseg.data.dicom.codes import CATEGORIES, TISSUE, region_code, segment_codes

ROOT = Path(__file__).parents[3]
MANIFESTS = [
    *sorted((ROOT / "data_manifests").glob("*.json")),
    *sorted(p for p in ROOT.glob("bundles/*/configs/*.json") if p.name != "metadata.json"),
]
# pydicom's whole dictionary of SNOMED CT: every meaning of every code.
DICTIONARY: dict[str, set[str]] = {}
for named in concepts["SCT"].values():
    for value, (meaning, _) in named.items():
        DICTIONARY.setdefault(value, set()).add(meaning)

KNOWN = {
    "39607008": ("Anatomical Structure", "Lung"),
    "78961009": ("Anatomical Structure", "Spleen"),
    "52988006": ("Morphologically Abnormal Structure", "Lesion"),
    "87612001": ("Tissue", "Blood"),
    "65818007": ("Physical object", "Stent"),
}


@pytest.mark.parametrize("concept", KNOWN)
def test_a_listed_concept_has_its_category_and_its_meaning(concept):
    category, kind = segment_codes(Label(value=1, name="ours", snomed=concept))
    assert (category.meaning, kind.meaning) == KNOWN[concept]
    assert (kind.value, kind.scheme_designator) == (concept, "SCT")


def test_a_concept_that_dicom_does_not_list_has_the_meaning_and_category_of_the_manifest():
    stated = {"snomed": "233604007", "meaning": "Pneumonia", "category": "abnormality"}
    category, kind = segment_codes(Label(value=1, name="infection", **stated))
    assert (category.value, category.meaning) == ("49755003", "Morphologically Abnormal Structure")
    assert kind == Code("233604007", "SCT", "Pneumonia")


def test_a_code_never_gets_a_class_name_as_its_meaning():
    # 233604007 is pneumonia: called "infection", it would tell two readers two things.
    _, kind = segment_codes(Label(value=1, name="infection", snomed="233604007"))
    assert kind.value != "233604007"
    assert (kind.scheme_designator, kind.meaning) == ("99MEDSEG", "infection")


def test_a_class_without_a_concept_has_a_code_of_its_own_and_is_not_tissue_twice():
    classes = [Label(value=1, name="left_cell"), Label(value=2, name="right_cell")]
    (one, left), (two, right) = map(segment_codes, classes)
    assert (one, two) == (TISSUE, TISSUE)
    assert (left.meaning, right.meaning) == ("left cell", "right cell")
    assert left.value != right.value
    # By hand: sha256(b"left_cell") begins with these 16 digits, as many as a code may have.
    assert left.value == hashlib.sha256(b"left_cell").hexdigest()[:16]
    assert left == segment_codes(Label(value=7, name="left_cell"))[1]


def test_a_region_is_one_that_dicom_lists_or_none():
    assert region_code(Label(value=1, name="a", region="5366008")).meaning == "Hippocampus"
    assert region_code(Label(value=1, name="a", region="233604007")) is None
    assert region_code(Label(value=1, name="a")) is None


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_every_code_that_ships_means_what_the_standards_dictionary_says(path):
    for label in load_manifest(path).labels[1:]:
        category, kind = segment_codes(label)
        assert category in codes.cid7150
        if label.snomed is not None:
            assert (kind.value, kind.scheme_designator) == (label.snomed, "SCT")
            assert kind.meaning in DICTIONARY[label.snomed]
        assert (category.value, kind.value) != (TISSUE.value, TISSUE.value)
        assert label.region is None or region_code(label) is not None


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_no_two_classes_that_ship_have_the_same_codes(path):
    classes = load_manifest(path).labels[1:]
    stated = {(*segment_codes(label), region_code(label)) for label in classes}
    assert len(stated) == len(classes)


@pytest.mark.parametrize("name", ["covid19_ct_seg", "chest_phantoms"])
def test_infection_is_a_lesion_of_the_lung_and_no_diagnosis(name):
    (infection,) = load_manifest(ROOT / f"data_manifests/{name}.json").labels[2:]
    category, kind = segment_codes(infection)
    assert category.meaning == "Morphologically Abnormal Structure"
    assert kind == codes.cid7194.Lesion
    assert region_code(infection).meaning == "Lung"


def test_all_categories_are_the_standards():
    assert all(category in codes.cid7150 for category in CATEGORIES)
