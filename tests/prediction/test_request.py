"""What a bundle says of its images before one is read."""

import pytest

from medseg.data.datasets.expected import Expected
from medseg.prediction.request import expected_of
from tests.conftest import REPOSITORY


@pytest.mark.parametrize(
    ("bundle", "window", "expected"),
    [
        ("covid_lung_ct_unet3d", (-1000, 200), Expected(modality="CT", unit="HU")),
        ("covid_lung_ct_unet3d", (0, 255), Expected(modality="CT")),
        ("hippocampus_mri_unet3d", None, Expected(modality="MR")),
        ("ebhi_histology_unet2d", None, Expected(modality="histology")),
        ("hela_cells_unet2d", None, Expected(modality="microscopy")),
    ],
)
def test_modality_and_unit_are_those_of_the_metadata_and_the_weights_window(
    bundle, window, expected
):
    found = expected_of(REPOSITORY / "bundles" / bundle, window)
    assert (found.modality, found.unit, found.window) == (expected.modality, expected.unit, window)
