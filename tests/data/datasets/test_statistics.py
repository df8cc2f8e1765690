"""What is measured of a data set's intensities, and how a manifest keeps it."""

import json

import numpy as np
import pytest
from PIL import Image

from medseg.data import Channel, datalist, load_manifest, read_volume
from medseg.data.channel import Statistics
from medseg.data.datasets.statistics import (
    foreground_samples,
    intensity_statistics,
    measured_cases,
    summarise,
    with_statistics,
)
from medseg.data.manifest import Label, save_manifest
from medseg.data.phantoms.chest.writer import PhantomSet, write_phantoms
from medseg.errors import DataError, ManifestError
from tests.data.builders import SHAPE, a_case, a_label, a_manifest, an_image, write_nifti

SOME = Statistics(low=-100, high=300, mean=50, std=25)


def measure(manifest, folder, fold=None):
    return summarise(foreground_samples(manifest, folder, measured_cases(manifest, fold)))


def write_cases(folder, images, label):
    for name, image in images.items():
        write_nifti(folder / f"images/{name}.nii.gz", image)
        write_nifti(folder / f"labels/{name}.nii.gz", label)
    return a_manifest(a_case(name, fold) for fold, name in enumerate(images))


def test_only_what_labels_mark_counts_by_hand(tmp_path):
    # three marked voxels a case: 10, 20, 30 and 40, 50, 60; the rest is 1000
    label, images = a_label(), {}
    for name, first in (("a", 10), ("b", 40)):
        images[name] = np.full(SHAPE, 1000, np.int16)
        images[name][label > 0] = [first, first + 10, first + 20]
    (found,) = measure(write_cases(tmp_path, images, label), tmp_path)
    assert found.mean == pytest.approx(35)
    assert found.std == pytest.approx(np.std([10, 20, 30, 40, 50, 60]))
    # the 0.5th percentile lies 0.025 of a step of 10 above the first of six
    assert found.low == pytest.approx(10.25)
    assert found.high == pytest.approx(59.75)


def test_a_fold_is_left_out_and_test_cases_always_are(tmp_path):
    images = {name: np.full(SHAPE, level, np.int16) for name, level in (("a", 0), ("b", 500))}
    label = a_label()
    for level, image in enumerate(images.values()):
        image[label > 0] += np.array([0, 1, 2], np.int16) + np.int16(10 * level)
    manifest = write_cases(tmp_path, images, label)
    (found,) = measure(manifest, tmp_path, fold=1)
    assert found.mean == pytest.approx(1)
    tested = a_manifest([a_case("a")], test=(a_case("b", None),))
    assert measure(tested, tmp_path) == (found,)


def test_the_statistics_of_phantoms_are_those_of_all_their_voxels(tmp_path):
    shape = (64, 52, 80)
    manifest = write_phantoms(tmp_path, PhantomSet(cases=2, test_cases=0, folds=2, shape=shape))
    (found,) = measure(manifest, tmp_path)
    marked = [
        read_volume(case["image"]).array[read_volume(case["label"]).array > 0]
        for case in datalist(manifest, tmp_path, split="training", fold=9)
    ]
    everything = np.concatenate(marked)
    assert found.mean == pytest.approx(everything.mean(), abs=3)
    assert found.std == pytest.approx(everything.std(), rel=0.01)
    assert measure(manifest, tmp_path) == (found,)


def test_colours_are_measured_channel_by_channel(tmp_path):
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (12, 10, 3), dtype=np.uint8)
    mask = np.zeros((12, 10), np.uint8)
    mask[2:9, 3:8] = 255
    Image.fromarray(colours).save(tmp_path / "a.png")
    Image.fromarray(mask).save(tmp_path / "a_mask.png")
    manifest = a_manifest(
        [a_case("a", image="a.png", label="a_mask.png")],
        channels=tuple(Channel(name=name, unit="8 bit") for name in ("red", "green", "blue")),
        labels=(Label(value=0, name="background"), Label(value=1, name="gland")),
        label_kind="mask",
    )
    found = measure(manifest, tmp_path)
    expected = colours[mask > 0].mean(0)
    assert [one.mean for one in found] == pytest.approx(expected.tolist())


@pytest.mark.parametrize(
    ("case", "image", "label", "says"),
    [
        ({"label": None}, an_image(), None, "a: no label in toy"),
        (
            {},
            an_image(shape=(6, 5, 3)),
            a_label(),
            r"shape \(6, 5, 4\) differs from the image's \(6, 5, 3\)",
        ),
        ({}, np.full(SHAPE, np.nan, np.float32), a_label(), "a.nii.gz: 120 of 120 voxels are NaN"),
        ({}, an_image(), a_label() * 0, "no label marks a voxel"),
        ({}, np.full(SHAPE, 7, np.int16), a_label(), "channel 0 is 7 in nearly all"),
        ({"image": "gone.nii.gz"}, an_image(), a_label(), "gone.nii.gz"),
    ],
    ids=["no label", "shape", "NaN", "no foreground", "constant", "no file"],
)
def test_what_cannot_be_measured_is_refused_in_one_line(tmp_path, case, image, label, says):
    write_nifti(tmp_path / "images/a.nii.gz", image)
    if label is not None:
        write_nifti(tmp_path / "labels/a.nii.gz", label)
    with pytest.raises(DataError, match=says) as caught:
        measure(a_manifest([a_case("a", **case)]), tmp_path)
    assert "\n" not in str(caught.value)


def test_images_with_other_channels_are_refused(tmp_path):
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(np.ones((4, 4), np.uint8)).save(tmp_path / "m.png")
    with pytest.raises(DataError, match="a: its image has 3 channels, toy names 1"):
        measure(a_manifest([a_case("a", image="a.png", label="m.png")]), tmp_path)


def test_no_training_cases_are_refused():
    with pytest.raises(DataError, match="toy: no training cases to measure"):
        measured_cases(a_manifest([a_case("a", 0)]), fold=0)


def test_a_manifest_keeps_them(tmp_path):
    manifest = with_statistics(a_manifest([a_case("a")]), [SOME])
    save_manifest(manifest, tmp_path / "manifest.json")
    again = load_manifest(tmp_path / "manifest.json")
    assert again == manifest
    assert intensity_statistics(again) == {
        "low": [-100],
        "high": [300],
        "mean": [50],
        "std": [25],
    }


def test_without_them_it_is_said_how_to_get_them():
    with pytest.raises(DataError, match="toy: holds no statistics of CT; measure them with medseg"):
        intensity_statistics(a_manifest([a_case("a")]))


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"std": 0}, "std"), ({"low": 400}, "low must be below high"), ({"mean": None}, "mean")],
)
def test_a_manifest_with_impossible_statistics_is_refused(tmp_path, changes, says):
    manifest = with_statistics(a_manifest([a_case("a")]), [SOME])
    parsed = json.loads(manifest.model_dump_json())
    parsed["channels"][0]["statistics"].update(changes)
    (tmp_path / "m.json").write_text(json.dumps(parsed))
    with pytest.raises(ManifestError, match=says):
        load_manifest(tmp_path / "m.json")
