"""What a training writes into its weights about where they come from."""

import nibabel
import numpy as np

from medseg.bundles import load_metadata
from medseg.data import load_manifest
from medseg.networks import read_provenance
from tests.conftest import BUNDLE


def test_weights_name_their_bundle_data_set_and_training_images(trained, phantoms):
    found = read_provenance(trained / "models" / "model.safetensors")
    metadata = load_metadata(BUNDLE / "configs" / "metadata.json")
    assert (found.bundle, found.version) == (metadata.name, metadata.version)
    assert (found.data, found.trained_on) == ("chest_phantoms", "phantoms")
    manifest = load_manifest(phantoms / "manifest.json")
    # Fold 0 validates; the test case is never seen.
    cases = [case for case in manifest.training if case.fold != 0]
    images = [nibabel.load(phantoms / case.image) for case in cases]
    assert found.images.modality == "CT"
    assert found.images.count == len(cases) == 2
    spacing = np.array([image.header.get_zooms() for image in images], dtype=float)
    extent = spacing * [image.shape for image in images]
    for stated, right in ((found.images.spacing_mm, spacing), (found.images.extent_mm, extent)):
        assert np.allclose(stated, np.stack([right.min(0), right.max(0)], axis=1), rtol=1e-4)
    for number in (0.5, 50, 99.5):
        values = [np.percentile(image.get_fdata(), number) for image in images]
        stated = found.images.percentiles[str(float(number))]
        assert np.allclose(stated, (min(values), max(values)), atol=1e-3)
