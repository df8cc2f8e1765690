"""Our bundles in the way of MONAI Label 0.8.5: part by part, from a parser that is told the root.

MONAI Label itself cannot be installed beside medseg, since it needs jsonschema below 4; the steps
here are those of its `BundleInferTask` and `BasicInferTask`.
"""

import shutil

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.transforms import LoadImaged, SaveImaged
from PIL import Image
from safetensors.torch import load_file

from medseg.bundles import open_predictor
from medseg.data import read_volume
from medseg.data.images.picture import read_picture
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.filterwarnings("ignore")


PLAIN = {"engine": "torch", "precision": "fp32"}


def infer(bundle, image):
    """The entries of one image after all steps but those that write."""
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.yaml"))
    parser.config.update({"bundle_root": str(bundle), "device": "cpu", **PLAIN})
    network = parser.get_parsed_content("network_def")
    state = torch.load(bundle / "models" / "model.pt", weights_only=True)
    network.load_state_dict(state)
    # What a client asked for lies beside the image.
    data = {"image": str(image), "image_path": str(image), "device": "cpu", "model": bundle.name}
    for step in parser.get_parsed_content("preprocessing").transforms:
        if isinstance(step, LoadImaged):
            assert all(isinstance(data[key], str) for key in step.keys)
            step._loader.image_only = False
        data = step(data)
    with torch.no_grad():
        data["pred"] = parser.get_parsed_content("inferer")(data["image"][None], network.eval())[0]
    for step in parser.get_parsed_content("postprocessing").transforms:
        if not isinstance(step, SaveImaged):
            data = step(data)
    return data


def test_a_volume_gets_the_label_of_predict(trained, phantoms):
    image = phantoms / "images" / "phantom_003.nii.gz"
    data = infer(trained, image)
    predictor = open_predictor(trained, overrides=PLAIN)
    ours = predictor.label(predictor.prepare(read_volume(image)))
    np.testing.assert_array_equal(data["pred"][0].numpy(), ours.array)
    np.testing.assert_allclose(data["pred"].affine[0], ours.affine)
    assert not (trained / "eval" / "phantom_003_seg.nii.gz").exists()


def test_a_picture_gets_the_label_of_predict_though_its_recipe_prepares_labels_too(tmp_path):
    bundle = tmp_path / "ebhi_histology_unet2d"
    shutil.copytree(REPOSITORY / "bundles" / bundle.name, bundle)
    state = load_file(bundle / "models" / "model.safetensors")
    torch.save(state, bundle / "models" / "model.pt")
    image = tmp_path / "he.png"
    colours = np.random.default_rng(0).integers(0, 255, (40, 56, 3), np.uint8)
    Image.fromarray(colours).save(image)
    predictor = open_predictor(bundle, overrides=PLAIN)
    ours = predictor.label(predictor.prepare(read_picture(image)))
    np.testing.assert_array_equal(infer(bundle, image)["pred"][0].numpy(), ours.array)
