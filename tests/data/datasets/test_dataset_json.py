"""nnU-Net's raw layout and the Decathlon's, as they are."""

import json

import numpy as np
import pytest

from medseg.data.datalists import datalist
from medseg.data.datasets.collect import DatasetInfo, SplitPlan
from medseg.data.datasets.collected import DatasetFiles, collect_files
from medseg.data.images.channels import on_first_grid, read_channels
from medseg.errors import DataError, UsageError
from tests.data.builders import a_label, an_image
from tests.data.channel_builders import save

AFFINE = np.diag([2.0, 2, 2, 1])
INFO = DatasetInfo(modality="MR")
PLAN = SplitPlan(folds=2)


def collect(folder, info=INFO):
    return collect_files(DatasetFiles(folder=folder), info, PLAN)[0]


def write(folder, content, *images, labels=()):
    for number, name in enumerate(images):
        save(folder / name, an_image(number), AFFINE)
    for name in labels:
        save(folder / name, a_label(), AFFINE)
    (folder / "dataset.json").write_text(json.dumps(content))
    return folder


def nnunet(folder, **changes):
    images = [f"imagesTr/c{case}_000{n}.nii.gz" for case in (1, 2) for n in (0, 1)]
    content = {
        "channel_names": {"0": "T1", "1": "FLAIR"},
        "labels": {"background": 0, "lung": 1, "infection": 2},
        "numTraining": 2,
        "file_ending": ".nii.gz",
        "licence": "CC0-1.0",
        **changes,
    }
    test = [f"imagesTs/c9_000{n}.nii.gz" for n in (0, 1)]
    labels = ["labelsTr/c1.nii.gz", "labelsTr/c2.nii.gz"]
    return write(folder, content, *images, *test, labels=labels)


def test_nnunets_folders_are_cases_of_several_channels(tmp_path):
    manifest = collect(nnunet(tmp_path))
    assert [channel.name for channel in manifest.channels] == ["T1", "FLAIR"]
    assert manifest.class_names == ["background", "lung", "infection"]
    assert manifest.licence == "CC0-1.0"
    assert {case.case for case in manifest.training} == {"c1", "c2"}
    first = next(case for case in manifest.training if case.case == "c1")
    assert first.images == ("imagesTr/c1_0000.nii.gz", "imagesTr/c1_0001.nii.gz")
    assert [case.images[1] for case in manifest.test] == ["imagesTs/c9_0001.nii.gz"]
    assert manifest.test[0].label is None
    assert len(datalist(manifest, tmp_path, split="test")[0]["image"]) == 2


def test_the_older_key_and_a_listed_image_without_its_channels_number(tmp_path):
    listed = [
        {"image": f"./imagesTr/c{n}.nii.gz", "label": f"./labelsTr/c{n}.nii.gz"} for n in (1, 2)
    ]
    folder = nnunet(tmp_path, training=listed, test=["./imagesTs/c9.nii.gz"])
    content = json.loads((folder / "dataset.json").read_text())
    content["modality"] = content.pop("channel_names")
    content["labels"] = {"0": "background", "1": "lung", "2": "infection"}
    (folder / "dataset.json").write_text(json.dumps(content))
    manifest = collect(folder)
    assert manifest.training[0].images[1].endswith("_0001.nii.gz")
    assert [case.case for case in manifest.test] == ["c9"]


def test_a_decathlon_image_of_four_axes_is_read_as_its_channels(tmp_path):
    content = {
        "name": "Toy",
        "modality": {"0": "FLAIR", "1": "T1w", "2": "t1gd"},
        "labels": {"0": "background", "1": "lung", "2": "infection"},
        "training": [
            {"image": f"./imagesTr/t_{n}.nii.gz", "label": f"./labelsTr/t_{n}.nii.gz"}
            for n in (1, 2)
        ],
        "test": ["./imagesTs/t_9.nii.gz"],
    }
    stacks = [np.stack([an_image(10 * n + c) for c in range(3)], axis=-1) for n in (1, 2)]
    for n, stack in enumerate(stacks, start=1):
        save(tmp_path / f"imagesTr/t_{n}.nii.gz", stack, AFFINE)
    write(tmp_path, content, labels=["labelsTr/t_1.nii.gz", "labelsTr/t_2.nii.gz"])
    manifest = collect(tmp_path)
    assert [channel.name for channel in manifest.channels] == ["FLAIR", "T1w", "t1gd"]
    # Test images that are not in this copy are left out.
    assert manifest.test == ()
    entry = next(
        e for e in datalist(manifest, tmp_path, split="training", fold=9) if e["case"] == "t_1"
    )
    stack = on_first_grid(read_channels(entry["image"]))
    np.testing.assert_array_equal(stack, np.moveaxis(stacks[0], -1, 0))


def test_the_modality_is_that_of_the_first_channel(tmp_path):
    files = DatasetFiles(folder=nnunet(tmp_path))
    assert files.modality(None) == "MR"
    assert files.modality("US") == "US"
    (tmp_path / "dataset.json").write_text(
        json.dumps({"channel_names": {"0": "grey"}, "labels": {"background": 0, "x": 1}})
    )
    with pytest.raises(UsageError, match="--modality is missing; add --modality CT"):
        files.modality(None)


def test_a_missing_channel_is_named_with_its_case(tmp_path):
    (nnunet(tmp_path) / "imagesTr/c2_0001.nii.gz").unlink()
    with pytest.raises(DataError, match=r"case c2: its channel FLAIR is missing, .*c2_0001"):
        collect(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": {"background": 0, "whole": [1, 2]}}, "'whole' is a region of several values"),
        ({"labels": {"background": 0, "a": 2}}, "labels must name values from 0"),
        ({"labels": {"background": 0, "a": 1, "ignore": 2}}, "has a label to ignore"),
        ({"channel_names": {"1": "T1"}}, 'must name channels from "0" on'),
        ({"training": ["a.nii.gz"]}, "training must list image and label"),
        ({"training": [{"image": "../x.nii", "label": "y"}]}, "leads out of its folder"),
    ],
)
def test_what_a_manifest_cannot_say_is_refused(tmp_path, changes, message):
    with pytest.raises(DataError, match=message):
        collect(nnunet(tmp_path, **changes))


def test_a_folder_without_the_file_is_told_the_other_ways(tmp_path):
    with pytest.raises(DataError, match=r"give a folder with a dataset\.json, or --images"):
        collect(tmp_path)


@pytest.mark.parametrize(
    ("ways", "message"),
    [
        ({}, "no images are named"),
        ({"images": "a", "channels": ("pet=b",), "labels": "c"}, "one of them"),
        ({"images": "a"}, "--labels is missing"),
        ({"channels": ("pet=a", "pet=b"), "labels": "c"}, "is given twice"),
    ],
)
def test_one_way_to_name_the_files_is_asked_for(ways, message):
    with pytest.raises(UsageError, match=message):
        DatasetFiles(**ways)
