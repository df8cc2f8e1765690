"""What a class is called in codes."""

import pytest
from pydicom.sr.codedict import codes

from medseg.data import Label
from medseg.data.dicom.codes import CATEGORIES, TISSUE, segment_codes

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


def test_a_concept_that_dicom_does_not_list_is_tissue_called_by_our_name():
    category, kind = segment_codes(Label(value=1, name="pneumonia", snomed="233604007"))
    assert category == TISSUE
    assert (kind.value, kind.meaning) == ("233604007", "pneumonia")


def test_a_class_without_a_concept_is_tissue():
    assert segment_codes(Label(value=1, name="cell")) == (TISSUE, TISSUE)


def test_all_categories_are_the_standards():
    assert all(category in codes.cid7150 for category in CATEGORIES)
