"""Data sets of pictures: checked like volumes, with no millimetre invented."""

import numpy as np
import pytest
from PIL import Image

from medseg.data.datasets.check import check_dataset
from medseg.data.datasets.collect import DatasetInfo, SplitPlan, collect_manifest
from medseg.data.datasets.intake import read_pair
from medseg.data.images.picture import Picture, read_image
from medseg.data.images.volume import Volume
from medseg.data.manifest import Channel, Label, load_manifest
from medseg.data.problems import InputError
from tests.conftest import REPOSITORY
from tests.data.builders import a_case, a_manifest, an_image, write_nifti

COLOURS = np.random.default_rng(0).integers(0, 255, (4, 6, 3), np.uint8)
MASK = np.zeros((4, 6), np.uint8)
MASK[1:3, 1:4] = 255
MASK[1, 4] = 90  # an edge that is grey
TWO = (Label(value=0, name="background"), Label(value=1, name="gland"))


def written(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


@pytest.fixture
def glands(tmp_path):
    for shift, name in enumerate("ab"):
        written(tmp_path / f"images/{name}.png", COLOURS + np.uint8(shift))
        written(tmp_path / f"masks/{name}.png", MASK)
    return tmp_path


def a_gland_manifest(**changes):
    cases = [
        a_case(name, fold, image=f"images/{name}.png", label=f"masks/{name}.png")
        for fold, name in enumerate("ab")
    ]
    about = {"labels": TWO, "label_kind": "mask", "modality": "histology"}
    channels = (Channel(name="grey", unit="arbitrary"),)
    return a_manifest(cases, channels=channels, **about, **changes)


def test_a_picture_is_a_slice_without_millimetres(tmp_path):
    colour = read_image(written(tmp_path / "rgb.png", COLOURS))
    grey = read_image(written(tmp_path / "grey.tif", MASK))
    assert isinstance(colour, Picture)
    assert (colour.shape, colour.dtype, colour.spacing_mm) == ((4, 6, 1), "uint8 RGB", None)
    assert (colour.array[:, :, 0] == COLOURS).all()
    assert (grey.shape, grey.dtype, grey.orientation) == ((4, 6, 1), "uint8", "unknown")
    assert (grey.array[..., 0] == MASK).all()
    assert isinstance(read_image(write_nifti(tmp_path / "a.nii", an_image())), Volume)


def test_a_check_has_pixels_and_no_volume(glands):
    report = check_dataset(a_gland_manifest(), glands)
    assert report.problems == ()
    for case in report.cases:
        assert case.problems == ()
        assert (case.image.shape, case.image.spacing_mm) == ((4, 6, 1), None)
        assert [(fact.voxels, fact.volume_ml) for fact in case.labels] == [(18, None), (6, None)]


def test_a_label_of_another_size_is_an_error(glands):
    written(glands / "masks/a.png", MASK[:3])
    with pytest.raises(InputError, match=r"shape \(3, 6, 1\) differs from the image's \(4, 6, 1\)"):
        read_pair(glands / "images/a.png", glands / "masks/a.png", [0, 1], "mask")


def test_a_label_in_colours_is_an_error(glands):
    written(glands / "masks/a.png", COLOURS)
    (a, _) = check_dataset(a_gland_manifest(), glands).cases
    assert [problem.where for problem in a.problems] == ["label"]
    assert "holds colours where grey values are expected" in a.problems[0].what


def test_a_manifest_of_ones_own_pictures(glands):
    about = DatasetInfo(
        modality="histology", label_kind="mask", label_names=("background", "gland")
    )
    images, masks = (sorted((glands / kind).iterdir()) for kind in ("images", "masks"))
    manifest, folder = collect_manifest(images, masks, about, SplitPlan(folds=2))
    assert folder == glands
    assert [(case.case, case.image) for case in manifest.cases] == [
        ("a", "images/a.png"),
        ("b", "images/b.png"),
    ]
    assert check_dataset(manifest, glands).count("error") == 0


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "folder"),
    [("dic_c2dh_hela", "microscopy/dic-c2dh-hela"), ("ebhi_seg", "histology/ebhi-seg")],
)
def test_the_real_pictures_are_sound(real_data, name, folder):
    manifest = load_manifest(REPOSITORY / f"data_manifests/{name}.json")
    report = check_dataset(manifest, real_data / folder)
    problems = [problem.what for case in report.cases for problem in case.problems]
    assert report.count("error") == 0, problems
    # Frames and truths of the sequence that are in no block are no mistake, and that its blocks are
    # of one film is known: the manifest says so.
    known = ("does not list", "are neighbours by number")
    assert all(any(what in problem.what for what in known) for problem in report.problems)
