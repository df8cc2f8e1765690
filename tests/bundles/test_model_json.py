"""An exported network with its JSON is enough: numpy, scipy and onnxruntime label alike.

The reader below knows nothing of medseg, torch or MONAI: only what docs/how-to/model-json.md says.
"""

import json
import math
import shutil
from itertools import product

import nibabel
import numpy as np
import onnxruntime
import pytest
from monai.transforms import NormalizeIntensityd
from PIL import Image
from scipy import ndimage

from medseg.bundles import export_onnx, open_predictor
from medseg.bundles.model_json import FORMAT, model_json
from medseg.data import read_volume
from medseg.data.images.picture import read_picture
from medseg.networks import UNet, save_weights
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.filterwarnings("ignore")
BUNDLES = REPOSITORY / "bundles"
PLAIN = {"engine": "torch", "precision": "fp32"}


class Reader:
    """Labels of one image `(C, *spatial)` by a network and the JSON beside it."""

    def __init__(self, path):
        self.said = json.loads(path.read_text())
        assert self.said["complete"]
        session = onnxruntime.InferenceSession(path.with_name(self.said["network"]["file"]))
        self.network = lambda windows: session.run(["logits"], {"image": windows})[0]

    def label(self, image, affine):
        """`affine` is None for a picture, whose axes stay as they are."""
        image, shape = image.astype(np.float32), image.shape[1:]
        # For each axis of the present grid: the image's axis, voxels of the grid a voxel, place of
        # the image's first voxel.
        self.axes = [(a, 1.0, 0.0) for a in range(len(shape))]
        self.affine = affine
        for step in self.said["preprocessing"]:
            image = getattr(self, step["step"])(image, step)
        logits = self.windows(image)
        chances = np.exp(logits - logits.max(0))
        chances /= chances.sum(0)
        for axis, (source, scale, first) in enumerate(self.axes):
            places = first + scale * np.arange(shape[source])
            chances = linear(chances, 1 + axis, places)
        label = chances.argmax(0).astype(np.uint8)
        return label.transpose(np.argsort([source for source, _, _ in self.axes]))

    def orientation(self, image, step):
        assert step["axcodes"] == "RAS"
        turn = np.abs(self.affine[:3, :3]).argmax(1)
        image = image.transpose(0, *(1 + turn))
        for axis, source in enumerate(turn):
            if self.affine[axis, source] < 0:
                image = np.flip(image, 1 + axis)
                self.axes[axis] = (int(source), -1.0, float(image.shape[1 + axis] - 1))
            else:
                self.axes[axis] = (int(source), 1.0, 0.0)
        self.sizes = np.linalg.norm(self.affine[:3, turn], axis=0)
        return image

    def spacing(self, image, step):
        assert step["extent"] == "centres"
        for axis, (size, wanted) in enumerate(zip(self.sizes, step["spacing_mm"], strict=True)):
            length = round((image.shape[1 + axis] - 1) * size / wanted + 1)
            image = linear(image, 1 + axis, np.arange(length) * wanted / size)
            source, scale, first = self.axes[axis]
            self.axes[axis] = (source, scale * size / wanted, first * size / wanted)
        return image

    def scale_range(self, image, step):
        (low, high), (bottom, top) = step["from"], step["to"]
        scaled = (image - low) / (high - low) * (top - bottom) + bottom
        return np.clip(scaled, bottom, top) if step["clip"] else scaled

    def clip_percentiles(self, image, step):
        channels = []
        for channel in image:
            measured = self.measured(channel, step["over"])
            low, high = np.percentile(channel[measured], step["which"])
            channels.append(np.where(measured, channel.clip(low, high), channel))
        return np.stack(channels)

    def z_score(self, image, step):
        measured = [channel[self.measured(channel, step["over"])] for channel in image]
        return np.stack([(c - m.mean()) / m.std() for c, m in zip(image, measured, strict=True)])

    def measured(self, channel, over):
        return {"all": np.ones(channel.shape, bool), "nonzero": channel != 0}[over]

    def windows(self, image):
        said = self.said["windows"]
        size, shape = said["size"], image.shape[1:]
        missing = [max(w - n, 0) for w, n in zip(size, shape, strict=True)]
        before = [m // 2 for m in missing]
        padding = [(b, m - b) for b, m in zip(before, missing, strict=True)]
        image = np.pad(image, [(0, 0), *padding]).astype(np.float32)
        profiles = [
            np.exp(-0.5 * ((np.arange(n) - (n - 1) / 2) / (said["sigma"] * n)) ** 2) for n in size
        ]
        weight = profiles[0]
        for profile in profiles[1:]:
            weight = np.multiply.outer(weight, profile)
        weight = np.maximum(weight, said["least_weight"])
        total, weights = 0.0, np.zeros(image.shape[1:])
        for corner in product(*map(self.starts, image.shape[1:], size)):
            box = tuple(slice(c, c + n) for c, n in zip(corner, size, strict=True))
            logits = self.network(image[(None, slice(None), *box)])[0]
            if isinstance(total, float):
                total = np.zeros((len(logits), *image.shape[1:]))
            total[(slice(None), *box)] += weight * logits
            weights[box] += weight
        kept = tuple(slice(b, b + n) for b, n in zip(before, shape, strict=True))
        return (total / weights)[(slice(None), *kept)]

    def starts(self, length, size):
        step = max(1, math.floor(size * (1 - self.said["windows"]["overlap"])))
        return [*range(0, length - size, step), length - size]


def linear(array, axis, places):
    """Values at places along an axis; those beyond its ends take the end's."""
    at = np.clip(places, 0, array.shape[axis] - 1)
    low = np.minimum(np.floor(at).astype(int), max(array.shape[axis] - 2, 0))
    high = np.minimum(low + 1, array.shape[axis] - 1)
    share = np.expand_dims(at - low, [a for a in range(array.ndim) if a != axis])
    return array.take(low, axis) * (1 - share) + array.take(high, axis) * share


def dsc(ours, theirs):
    """Least over the classes; a class in neither counts as 1."""
    each = []
    for value in np.union1d(np.unique(ours), np.unique(theirs)):
        a, b = ours == value, theirs == value
        each.append(2 * (a & b).sum() / (a.sum() + b.sum()))
    return min(each)


def exported(name, folder):
    bundle = BUNDLES / name
    done = export_onnx(bundle, folder / "model.onnx")
    return Reader(done.pipeline), open_predictor(bundle, overrides=PLAIN)


def test_a_volume_turned_and_of_other_spacing_gets_the_same_label_from_json_alone(tmp_path):
    # Where a hippocampus may lie, smooth noise: both labels and background, many borders.
    noise = ndimage.gaussian_filter(np.random.default_rng(4).normal(size=(44, 37, 50)), 2.5)
    voxels = (noise * 4000 + 400).clip(0).astype(np.float32)
    affine = np.array([[0, -0.9, 0, 40], [0, 0, 1.2, -20], [1.1, 0, 0, -7], [0, 0, 0, 1.0]])
    nibabel.save(nibabel.Nifti1Image(voxels, affine), tmp_path / "mr.nii.gz")
    reader, predictor = exported("hippocampus_mri_unet3d", tmp_path)
    said = reader.said
    assert (said["format"], said["network"]["file"]) == (FORMAT, "model.onnx")
    assert [each["value"] for each in said["label"]["classes"]] == [0, 1, 2]
    ours = predictor.label(predictor.prepare(read_volume(tmp_path / "mr.nii.gz"))).array
    assert set(np.unique(ours)) == {0, 1, 2}
    assert dsc(reader.label(voxels[None], affine), ours) >= 0.999


def test_a_picture_gets_the_same_label_from_json_alone(tmp_path):
    noise = ndimage.gaussian_filter(np.random.default_rng(5).normal(size=(230, 300, 3)), (6, 6, 0))
    colours = (150 + 900 * noise).clip(0, 255).astype(np.uint8)
    Image.fromarray(colours).save(tmp_path / "he.png")
    reader, predictor = exported("ebhi_histology_unet2d", tmp_path)
    ours = predictor.label(predictor.prepare(read_picture(tmp_path / "he.png"))).array
    assert set(np.unique(ours)) == {0, 1}
    assert dsc(reader.label(np.moveaxis(colours, -1, 0), None), ours) >= 0.999


def test_a_step_without_words_is_named_and_the_json_says_that_it_is_incomplete():
    predictor = open_predictor(BUNDLES / "hippocampus_mri_unet3d")
    predictor.recipe.transforms = (*predictor.recipe.transforms, NormalizeIntensityd("image"))
    said = model_json(predictor, {"file": "model.onnx"})
    assert not said["complete"]
    assert [step["step"] for step in said["preprocessing"]].count("other") == 1
    assert said["preprocessing"][-1]["component"].endswith("NormalizeIntensityd")


@pytest.mark.parametrize("name", ["hela_cells_unet2d", "covid_lung_ct_unet3d"])
def test_what_follows_the_network_and_what_is_left_out_are_described(name, tmp_path):
    bundle = tmp_path / name
    shutil.copytree(BUNDLES / name, bundle)
    if name == "hela_cells_unet2d":
        network = UNet(2, 1, 2, first_width=2, depth=5, norm="both", norm_kind="instance")
        settings = {"network": network.describe(), "class_names": ["background", "cell"]}
        save_weights(network, bundle / "models" / "model.safetensors", settings)
    said = model_json(open_predictor(bundle), {"file": "model.onnx"})
    assert json.loads(json.dumps(said)) == said
    if name == "hela_cells_unet2d":
        assert said["label"]["gives"] == "foreground"
        assert said["postprocessing"][0]["threshold"] == 0.7
        assert not said["complete"]
    else:
        assert said["windows"]["skip"] == {
            "rule": "OutsideBody",
            "above_hu": -500.0,
            "window": [-1000.0, 200.0],
            "slice_axis": 2,
        }
        assert said["complete"]
