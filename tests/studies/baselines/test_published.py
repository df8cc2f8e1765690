"""The published table of EBHI-Seg, as far as its rule can be known: Otsu, bright side as gland."""

import numpy as np
import pytest

from medseg.data.images.picture import read_image
from medseg.data.manifest import load_manifest
from medseg.metrics.voxel_counts import confusion, one_against_rest, overlap_scores
from medseg.studies.baselines.otsu import otsu
from tests.conftest import REPOSITORY

# Shi et al. 2023, table 3, row OTSU: Dice, Jaccard, precision, recall.
PUBLISHED = {
    "high_grade_in": (0.249, 0.150, 0.373, 0.191),
    "polyp": (0.400, 0.259, 0.413, 0.399),
    "serrated_adenoma": (0.393, 0.248, 0.565, 0.315),
}


@pytest.mark.data
@pytest.mark.parametrize("group", PUBLISHED)
def test_otsus_published_scores_are_those_of_the_bright_side(real_data, group):
    folder = real_data / "histology" / "ebhi-seg"
    manifest = load_manifest(REPOSITORY / "data_manifests" / "ebhi_seg.json")
    counts = []
    for case in (case for case in manifest.cases if case.group == group):
        image = read_image(folder / case.image).array[:, :, 0].astype(float)
        label = read_image(folder / case.label, where="label").array[:, :, 0] > 127.5
        counts.append(one_against_rest(confusion(otsu(image, 2), label.astype(np.uint8), 2))[1])
    scores = overlap_scores(np.array(counts))
    means = [scores[metric].mean() for metric in ("dsc", "iou", "precision", "recall")]
    assert means == pytest.approx(PUBLISHED[group], abs=0.025)
