"""Digest of a data set: what it depends on, and that keys of later versions leave it alone."""

from medseg.data.datasets.data_digest import data_digest
from tests.data.builders import a_case, a_manifest

# As it was before manifests had `rois`; of no files.
WITHOUT_ROIS = "f3c24c774d5204f48f2d88f4680f3090b269426ccceeff6b392184c497aed59b"


def test_a_data_set_without_rois_keeps_the_digest_that_it_had(tmp_path):
    assert data_digest(a_manifest([a_case("a")]), tmp_path, {}) == WITHOUT_ROIS


def test_what_contours_stand_for_is_part_of_the_digest(tmp_path):
    manifests = [a_manifest([a_case("a")], rois=rois) for rois in ({"GTV*": "lung"}, {"*": "lung"})]
    assert len({data_digest(one, tmp_path, {}) for one in manifests} | {WITHOUT_ROIS}) == 3
