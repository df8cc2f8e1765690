"""Segment codes: SNOMED CT category and type of a label, for DICOM outputs.

DICOM requires a category besides the type. It is looked up in the standard's own lists of types per
category; unlisted concepts, and labels without a concept, are coded as tissue, the least specific
category and so never a wrong one.

Reference:
    DICOM PS3.16, CID 7150 and CIDs 7191 to 7197.
    https://dicom.nema.org/medical/dicom/current/output/chtml/part16/sect_CID_7150.html
"""

from functools import cache
from typing import Any, cast

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from medseg.data.manifest import Label

__all__ = ["ANATOMY", "TISSUE", "segment_codes"]

# pydicom's types say Unknown where a caller needs to know.
_codes = cast("Any", codes)
TISSUE = Code("85756007", "SCT", "Tissue")
ANATOMY = Code("91723000", "SCT", "Anatomical Structure")
# The first list with a concept counts: four kinds of vessel are listed as anatomy and as tissue.
CATEGORIES = {
    ANATOMY: "cid7192",
    TISSUE: "cid7191",
    Code("49755003", "SCT", "Morphologically Abnormal Structure"): "cid7194",
    Code("260787004", "SCT", "Physical object"): "cid7193",
    Code("91720002", "SCT", "Body Substance"): "cid7197",
}
MAX_CHARACTERS = 64


def segment_codes(label: Label) -> tuple[Code, Code]:
    """Category and type of a segment.

    Returns:
        For a SNOMED CT concept that DICOM lists, its category and its meaning there; for any other
        concept, tissue and the concept with the label's name; without a concept, tissue twice.
    """
    if label.snomed is None:
        return TISSUE, TISSUE
    listed = _listed().get(label.snomed)
    return listed or (TISSUE, Code(label.snomed, "SCT", label.name[:MAX_CHARACTERS]))


@cache
def _listed() -> dict[str, tuple[Code, Code]]:
    codes_by_concept: dict[str, tuple[Code, Code]] = {}
    for category, group in CATEGORIES.items():
        for concept in getattr(_codes, group).concepts.values():
            if concept.scheme_designator == "SCT" and len(concept.meaning) <= MAX_CHARACTERS:
                codes_by_concept.setdefault(concept.value, (category, concept))
    return codes_by_concept
