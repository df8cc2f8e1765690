"""What a written bundle promises: whole or not there, short, equal to its originals."""

import os
import re

import pytest
import yaml

from medseg.bundles.keys import bundle_keys
from medseg.bundles.marked_text import filled
from medseg.bundles.writing.common_text import COPIES
from medseg.bundles.writing.write import bundle_files, write_bundle
from medseg.data.manifest import Case, Channel, Label, Manifest
from medseg.errors import MachineError, UsageError
from medseg.planning.assemble import Size, assemble
from medseg.planning.rules.training import divided
from tests.conftest import REPOSITORY
from tests.planning.builders import facts, one_class

KINDS = {
    "ct": {},
    "mr slices": {"modality": "MR", "spacing": (1.0, 1.0, 9.0), "spacing_low": (1.0, 1.0, 9.0)},
    "pet": {"modality": "PT", "unit": "SUV"},
    "cells": {
        "modality": "microscopy",
        "kind": "picture",
        "label_kind": "instances",
        "colour": "rgb",
    },
    "membranes": {"modality": "microscopy", "kind": "picture", "label_kind": "mask"},
    "glands": {"modality": "histology", "kind": "picture", "label_kind": "mask", "colour": "rgb"},
    "one patient": {"patients": 1, "cases": 1},
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def draft(kind):
    changes = KINDS[kind]
    if changes.get("kind") == "picture":
        flat = {"shape": (300, 300), "spacing": (1.0, 1.0), "box": (250.0, 250.0)}
        one = one_class(extent=(20.0, 20.0))
        changes = {**changes, **flat, "spacing_low": (1.0, 1.0), "classes": (one,)}
    some = facts(**changes)
    manifest = Manifest(
        name="toy",
        description="Toys",
        source="here",
        licence="CC0-1.0",
        citation="none",
        modality=some.modality,
        channels=(Channel(name=some.modality, unit=some.unit),),
        labels=(Label(value=0, name="background"), Label(value=1, name="tumour")),
        label_kind=some.label_kind,
        training=(Case(case="a", patient="a", image="a.nii.gz", label="b.nii.gz"),),
    )
    size = Size(voxels=30_000, width=8, batch=2)
    return assemble("mine", manifest, some, size, divided(500, 10), told="-", pins={}).draft


@every_kind
def test_configs_are_as_short_as_the_shipped_ones(kind):
    files = bundle_files(draft(kind))
    most = {"train": 150, "inference": 100, "evaluate": 40, "multi_gpu_train": 10}
    for name, lines in most.items():
        assert len(files[f"configs/{name}.yaml"].splitlines()) <= lines, name


@every_kind
def test_recipe_and_parts_are_those_of_the_repository(kind):
    common = (REPOSITORY / "bundles/common.yaml").read_text()

    def recipe(name):
        return (REPOSITORY / "transforms" / f"{name}.yaml").read_text()

    for path, text in bundle_files(draft(kind)).items():
        if path.endswith(".yaml"):
            assert filled(text, recipe, common, origin="here") == text


@every_kind
def test_sections_are_those_of_a_shipped_bundle_in_their_order(kind):
    shipped = (REPOSITORY / "bundles/hippocampus_mri_unet3d/configs/train.yaml").read_text()
    headings = re.compile(r"^# --- (?:The|What|How|Files|part)[^.(\n]*", re.MULTILINE)
    found = headings.findall(bundle_files(draft(kind))["configs/train.yaml"])
    assert [one.strip() for one in found] == [one.strip() for one in headings.findall(shipped)]


@every_kind
def test_each_key_of_a_written_training_says_what_it_is(kind):
    text = bundle_files(draft(kind))["configs/train.yaml"]
    keys = bundle_keys(yaml.safe_load(text), [text])
    assert [key.path for key in keys if "#" not in key.path and not key.meaning] == []


def test_the_package_has_what_the_repository_has():
    for name in ("LICENSE", "logging.conf"):
        original = REPOSITORY / name
        if name == "logging.conf":
            original = REPOSITORY / "bundles/hippocampus_mri_unet3d/configs/logging.conf"
        assert (COPIES / name).read_bytes() == original.read_bytes()
    recipes = {path.name for path in REPOSITORY.glob("transforms/*.yaml")}
    assert recipes <= {path.name for path in COPIES.iterdir()}


def test_every_bundle_has_the_same_logging():
    texts = {path.read_bytes() for path in REPOSITORY.glob("bundles/*/configs/logging.conf")}
    assert texts == {(COPIES / "logging.conf").read_bytes()}


def test_a_folder_that_holds_something_is_left_as_it_is(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="is not empty"):
        write_bundle(tmp_path / "mine", {"a": "b"})
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_nothing_half_written_is_left(tmp_path):
    # A file cannot lie below another file.
    with pytest.raises(MachineError):
        write_bundle(tmp_path / "mine", {"a": "text", "a/b": "text"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(MachineError, match="cannot be written"):
        write_bundle(tmp_path / "locked/mine", {"a": "b"})
