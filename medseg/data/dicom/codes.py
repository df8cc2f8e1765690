"""Segment codes: category, type and region of a label, for DICOM outputs.

DICOM requires a category besides the type. Both are looked up in the standard's own lists of types
per category. A concept that these do not list has the meaning that the manifest states, since a
code with another meaning than its own misleads; a class without a concept has a code of medseg's
own, which says no more than the class's name.

Reference:
    DICOM PS3.16, CID 7150 and CIDs 7191 to 7197.
    https://dicom.nema.org/medical/dicom/current/output/chtml/part16/sect_CID_7150.html
"""

import hashlib
from functools import cache
from typing import Any, cast

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from medseg.data.manifest import Category, Label
from medseg.data.wording import in_words

__all__ = ["ANATOMY", "OWN_SCHEME", "TISSUE", "own_code", "region_code", "segment_codes"]

# pydicom's types say Unknown where a caller needs to know.
_codes = cast("Any", codes)
# PS3.16, 8: schemes of one's own begin with 99.
OWN_SCHEME = "99MEDSEG"
TISSUE = Code("85756007", "SCT", "Tissue")
ANATOMY = Code("91723000", "SCT", "Anatomical Structure")
ABNORMALITY = Code("49755003", "SCT", "Morphologically Abnormal Structure")
OBJECT = Code("260787004", "SCT", "Physical object")
SUBSTANCE = Code("91720002", "SCT", "Body Substance")
# The first list with a concept counts: four kinds of vessel are listed as anatomy and as tissue.
CATEGORIES = {
    ANATOMY: "cid7192",
    TISSUE: "cid7191",
    ABNORMALITY: "cid7194",
    OBJECT: "cid7193",
    SUBSTANCE: "cid7197",
}
_NAMED: dict[Category, Code] = {
    "anatomy": ANATOMY,
    "tissue": TISSUE,
    "abnormality": ABNORMALITY,
    "object": OBJECT,
    "substance": SUBSTANCE,
}
MAX_CHARACTERS = 64
# A code value in DICOM has at most 16.
_DIGITS = 16


def segment_codes(label: Label) -> tuple[Code, Code]:
    """Category and type of a segment.

    Returns:
        For a SNOMED CT concept that DICOM lists, its category and its meaning there. For any other
        class the manifest's category, tissue if it states none, which is the least specific; and
        the concept with the meaning that the manifest states, or else `own_code` of the name.
    """
    if label.snomed is not None and label.snomed in _listed():
        return _listed()[label.snomed]
    category = _NAMED[label.category or "tissue"]
    if label.snomed is not None and label.meaning is not None:
        return category, Code(label.snomed, "SCT", label.meaning)
    return category, own_code(label.name)


def region_code(label: Label) -> Code | None:
    """The structure in which a class lies, if the manifest states one that DICOM lists."""
    listed = None if label.region is None else _listed().get(label.region)
    return None if listed is None else listed[1]


def own_code(name: str) -> Code:
    """A code of medseg's own scheme for a name: the same for equal names."""
    meaning = in_words(name)[:MAX_CHARACTERS]
    return Code(hashlib.sha256(name.encode()).hexdigest()[:_DIGITS], OWN_SCHEME, meaning)


@cache
def _listed() -> dict[str, tuple[Code, Code]]:
    codes_by_concept: dict[str, tuple[Code, Code]] = {}
    for category, group in CATEGORIES.items():
        for concept in getattr(_codes, group).concepts.values():
            if concept.scheme_designator == "SCT" and len(concept.meaning) <= MAX_CHARACTERS:
                codes_by_concept.setdefault(concept.value, (category, concept))
    return codes_by_concept
