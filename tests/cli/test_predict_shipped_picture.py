"""What `medseg predict` promises for pictures, with the weights that come with a clone."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from medseg.data import load_manifest
from medseg.data.images.raster import read_raster
from medseg.metrics import label_scores
from tests.conftest import REPOSITORY

BUNDLE = REPOSITORY / "bundles" / "ebhi_histology_unet2d"
MANIFEST = load_manifest(BUNDLE / "configs" / "ebhi_seg.json")
# One of each tissue class, which the weights were not trained on; the first in the manifest.
CASES = list({case.group: case for case in reversed(MANIFEST.test)}.values())
# MONAI's and TensorBoard's deprecations are theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


def test_a_fresh_clone_labels_a_made_picture_in_the_pictures_own_size(tmp_path, command):
    colours = np.random.default_rng(0).integers(90, 220, (150, 260, 3)).astype(np.uint8)
    Image.fromarray(colours).save(tmp_path / "made.png")
    assert command("predict", BUNDLE, tmp_path / "made.png", "-o", tmp_path / "out") == 0
    label = read_raster(tmp_path / "out" / "made_seg.png", "label")
    assert label.shape == (1, 150, 260)
    assert set(np.unique(label)) <= {0, 1}
    assert (tmp_path / "out" / "made_overlay.png").is_file()


def test_a_picture_of_16_bits_is_labelled_as_the_same_one_of_8(tmp_path, command, capfd):
    colours = np.random.default_rng(0).integers(0, 256, (100, 120, 3)).astype(np.uint8)
    Image.fromarray(colours).save(tmp_path / "eight.png")
    deep = colours.astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "sixteen.tif", deep, photometric="rgb")
    words = ("--maps", "probabilities,entropy")
    files = (tmp_path / "eight.png", tmp_path / "sixteen.tif")
    assert command("predict", BUNDLE, *files, "-o", tmp_path / "out", *words) == 0
    out = tmp_path / "out"
    eight = read_raster(out / "eight_seg.png", "label")
    np.testing.assert_array_equal(read_raster(out / "sixteen_seg.tif", "label"), eight)
    probabilities = tifffile.imread(out / "eight_probabilities.tif")
    assert (probabilities.shape, probabilities.dtype) == ((2, 100, 120), np.float32)
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, atol=0.01)
    np.testing.assert_array_equal(probabilities.argmax(axis=0), eight[0])
    assert tifffile.imread(out / "eight_entropy.tif").shape == (100, 120)
    told = "sixteen: image: holds uint16, brought to 0 to 255 by the type's range"
    assert told in capfd.readouterr().err


@pytest.mark.data
def test_real_biopsies_that_were_not_trained_on_are_labelled_well(real_data, tmp_path, command):
    folder = real_data / "histology" / "ebhi-seg"
    scores = []
    for case in CASES:
        image, out = folder / case.image, tmp_path / case.group
        assert command("predict", BUNDLE, image, "-o", out) == 0
        pred = read_raster(out / f"{image.stem}_seg.png", "label")[0]
        label = read_raster(folder / case.label, "label")[0] > 127
        (score,) = label_scores(pred, label.astype(np.uint8), MANIFEST.class_names, (1, 1))
        scores.append(score.dsc)
    assert len(scores) == 6
    assert np.mean(scores) > 0.8
