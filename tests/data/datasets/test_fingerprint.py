"""Fingerprints of images, and the warning about an image that is unlike those of the training."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.bundles.provenance import training_images
from medseg.data.datalists import datalist
from medseg.data.datasets.fingerprint import fingerprint
from medseg.data.datasets.unlike_training import unlike_training
from medseg.data.images.picture import Picture, read_image
from medseg.data.images.volume import Volume, read_volume
from medseg.data.manifest import load_manifest
from tests.conftest import REPOSITORY


def volume(array, affine):
    spacing = tuple(np.linalg.norm(affine[:3, :3], axis=0))
    return Volume(array=array, affine=np.asarray(affine, float), spacing_mm=spacing, dtype="int16")


def body(seed=0, shape=(40, 30, 20), part="chest"):
    """Air, a body of water, and lungs within if it is a chest; in HU."""
    rng = np.random.default_rng(seed)
    image = np.full(shape, -1000.0)
    inside = tuple(slice(size // 6, -(size // 6)) for size in shape)
    image[inside] = 0
    image[inside][:, :3] = 800
    if part == "chest":
        image[shape[0] // 4 : -shape[0] // 4, shape[1] // 4 : -shape[1] // 4] = -800
    return (image + rng.normal(0, 15, shape)).astype(np.int16)


CHEST_AFFINE = np.diag([8.0, 8.0, 10.0, 1.0])


def chests(count=6):
    images = [fingerprint(volume(body(seed), CHEST_AFFINE)) for seed in range(count)]
    return training_images("CT", images)


def test_spacing_and_extent_are_along_the_patients_axes_whatever_the_arrays():
    array = np.arange(2 * 3 * 4, dtype=np.int16).reshape(2, 3, 4)
    # I runs to the feet, J to the left, K to the front.
    affine = np.zeros((4, 4))
    affine[2, 0], affine[0, 1], affine[1, 2], affine[3, 3] = -5, -0.5, 2, 1
    found = fingerprint(volume(array, affine))
    assert found.spacing_mm == (0.5, 2, 5)
    assert found.extent_mm == (3 * 0.5, 4 * 2, 2 * 5)


def test_an_image_without_a_range_has_no_foreground():
    array = np.zeros((10, 10, 10), np.float32)
    array[5, 5, 5] = 1e30
    assert fingerprint(volume(array, np.eye(4))).foreground == {}


def test_percentiles_are_those_of_all_voxels_of_a_small_image():
    array = np.random.default_rng(0).integers(-1000, 1000, (10, 10, 10)).astype(np.int16)
    found = fingerprint(volume(array, np.eye(4))).percentiles
    right = np.percentile(array, [0.5, 50, 99.5])
    assert found == {"0.5": right[0], "50.0": right[1], "99.5": right[2]}


@given(st.integers(40, 90), st.integers(40, 90), st.integers(40, 90), st.booleans())
def test_percentiles_of_a_large_image_are_those_of_a_sample_that_sees_every_column(
    a, b, c, fortran
):
    # Each column has its own value: a stride in step with them would see a few.
    image = np.broadcast_to(np.arange(b, dtype=np.float32)[None, :, None], (a, b, c))
    image = np.asarray(image, order="F" if fortran else "C")
    found = fingerprint(volume(image, np.eye(4))).percentiles
    for number, value in found.items():
        assert abs(value - np.percentile(image, float(number))) <= 1.5


def test_voxels_that_are_not_finite_do_not_count():
    array = np.array([[[0.0, np.nan, 10.0, np.inf]]])
    assert fingerprint(volume(array, np.eye(4))).percentiles["50.0"] == 5
    assert fingerprint(volume(np.full((2, 2, 2), np.nan), np.eye(4))).percentiles == {}


def test_a_picture_has_pixels_and_no_millimetres():
    picture = Picture(array=np.zeros((3, 5, 1, 3), np.uint8), dtype="uint8 RGB")
    found = fingerprint(picture)
    assert (found.spacing_mm, found.extent_mm) == (None, (3, 5))


def test_the_training_images_span_what_single_images_have():
    small, large = (volume(body(0), np.diag([side, 8, 10, 1])) for side in (6.0, 9.0))
    found = training_images("CT", [fingerprint(small), fingerprint(large)])
    assert found.count == 2
    assert found.spacing_mm == ((6, 9), (8, 8), (10, 10))
    assert found.extent_mm == ((240, 360), (240, 240), (200, 200))
    for key, (low, high) in found.percentiles.items():
        values = [fingerprint(one).percentiles[key] for one in (small, large)]
        assert (low, high) == pytest.approx((min(values), max(values)), rel=1e-5)


def test_another_image_of_the_kind_is_like_those_of_the_training():
    assert unlike_training(fingerprint(volume(body(99), CHEST_AFFINE)), chests()) == ()


OTHERS = {
    "thick slices": (volume(body(9), np.diag([8.0, 8.0, 25.0, 1.0])), "spacing along S-I 25 mm"),
    "an arm": (volume(body(9), np.diag([3.0, 3.0, 10.0, 1.0])), "field of view along R-L 120 mm"),
    "an abdomen": (
        volume(body(9, part="abdomen"), CHEST_AFFINE),
        "other tissues (10 % of the foreground darker",
    ),
    "scaled to 8 bit": (
        volume(((body(9) + 1100) / 8).clip(0, 255).astype(np.uint8), CHEST_AFFINE),
        "intensity at 0.5 % of the voxels",
    ),
    "a picture": (Picture(array=np.zeros((99, 99, 1), np.uint8), dtype="uint8"), "is a picture"),
}


@pytest.mark.parametrize(("image", "reason"), OTHERS.values(), ids=OTHERS.keys())
def test_another_kind_of_image_is_one_warning_with_the_reason(image, reason):
    (problem,) = unlike_training(fingerprint(image), chests())
    assert (problem.severity, problem.where) == ("warning", "image")
    assert reason in problem.what
    assert "\n" not in problem.what


def test_an_mr_of_another_scale_is_like_and_one_below_zero_is_not():
    def mr(scale, offset=0.0):
        rng = np.random.default_rng(0)
        tissue = rng.gamma(4, 20, (12, 12, 12))
        return fingerprint(volume(tissue * scale + offset, np.eye(4)))

    trained = training_images("MR", [mr(scale) for scale in (1.0, 3.0)])
    assert unlike_training(mr(1000.0), trained) == ()
    (problem,) = unlike_training(mr(1.0, offset=-100.0), trained)
    assert "values down to" in problem.what


def test_a_dicom_of_another_modality_is_told():
    found = replace(fingerprint(volume(body(9), CHEST_AFFINE)), modality="MR")
    (problem,) = unlike_training(found, chests())
    assert "its modality is MR (there CT)" in problem.what


def test_the_axis_across_single_slices_says_nothing():
    def slices(count, thickness):
        affine = np.diag([8.0, 8.0, thickness, 1.0])
        return fingerprint(volume(body(3)[:, :, 5 : 5 + count], affine))

    trained = training_images("CT", [slices(1, 8.0) for _ in range(6)])
    assert unlike_training(slices(10, 3.0), trained) == ()


@dataclass(frozen=True)
class Real:
    folder: str
    manifest: str
    fold: int


REAL = {
    "hippocampus": Real("mri/hippocampus", "msd_hippocampus", 0),
    "covid": Real("chest_ct/covid19-ct-seg", "covid19_ct_seg", 0),
    "ebhi": Real("histology/ebhi-seg", "ebhi_seg", 4),
    "hela": Real("microscopy/dic-c2dh-hela", "dic_c2dh_hela", 0),
}


def trained_on(real_data, name):
    real = REAL[name]
    manifest = load_manifest(REPOSITORY / "data_manifests" / f"{real.manifest}.json")
    splits = (
        datalist(manifest, real_data / real.folder, split=split, fold=real.fold)
        for split in ("training", "validation")
    )
    training, held_out = (
        [fingerprint(read_image(case["image"])) for case in cases] for cases in splits
    )
    return training_images(manifest.modality, training), held_out


@pytest.mark.data
@pytest.mark.parametrize("name", REAL)
def test_real_cases_that_were_held_out_are_like_those_of_the_training(real_data, name):
    trained, held_out = trained_on(real_data, name)
    assert held_out
    assert [unlike_training(one, trained) for one in held_out] == [()] * len(held_out)


@pytest.mark.data
def test_real_images_of_another_organ_are_unlike_a_hippocampus(real_data: Path):
    trained, _ = trained_on(real_data, "hippocampus")
    for other in (
        "body_ct/msd-spleen/spleen_8_ct.nii.gz",
        "sarcoma_ct_mr_pet/STS_004/MR_T1_image.nii.gz",
        "chest_ct/covid19-ct-seg/coronacase_09_ct.nii.gz",
    ):
        assert unlike_training(fingerprint(read_volume(real_data / other)), trained)
