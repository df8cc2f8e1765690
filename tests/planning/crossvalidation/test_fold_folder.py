"""A fold's folder is gone on with only if it is of the same config, data and version."""

from dataclasses import replace

import pytest

from medseg.errors import DataError, UsageError
from medseg.planning.crossvalidation.fold_folder import SPEC, FoldSpec, require_same

SPECIFIED = FoldSpec(
    fold=1,
    bundle="/bundles/mine",
    dataset_dir="/data/mine",
    train={"epochs": 5},
    evaluate={"epochs": 5},
    weights="/out/fold_1/model.safetensors",
    test=False,
    digest="abc",
    config={"train": {"epochs": 5, "control": {"seed": 1}}, "data": "d1"},
)


def test_a_new_folder_and_the_same_training_pass(tmp_path):
    require_same(tmp_path, SPECIFIED)
    SPECIFIED.write(tmp_path)
    require_same(tmp_path, SPECIFIED)
    assert FoldSpec.read(tmp_path) == SPECIFIED


def test_a_folder_that_came_from_another_machine_passes(tmp_path):
    elsewhere = replace(SPECIFIED, dataset_dir="/elsewhere", bundle="/other", weights="/w")
    elsewhere.write(tmp_path)
    require_same(tmp_path, SPECIFIED)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"medseg": "0.0.1"}, r"begun by medseg 0\.0\.1, and this is .*; folds of two versions"),
        (
            {
                "digest": "x",
                "config": {"train": {"epochs": 9, "control": {"seed": 1}}, "data": "d1"},
            },
            "begun with epochs=9, and this is epochs=5; give another -o",
        ),
        (
            {
                "digest": "x",
                "config": {"train": {"epochs": 5, "control": {"ema": 1}}, "data": "d1"},
            },
            "begun with control#ema=1, and this is control#ema=null",
        ),
        (
            {"digest": "x", "config": {**SPECIFIED.config, "data": "d2"}},
            "begun with other data: the manifest, an image or a label has changed since",
        ),
    ],
)
def test_another_training_is_refused_and_what_differs_is_named(tmp_path, changed, told):
    replace(SPECIFIED, **changed).write(tmp_path)
    with pytest.raises(UsageError, match=told):
        require_same(tmp_path, SPECIFIED)


def test_a_damaged_file_is_one_line(tmp_path):
    (tmp_path / SPEC).write_text("{")
    with pytest.raises(DataError, match=r"fold\.json: cannot be read .* trained again"):
        require_same(tmp_path, SPECIFIED)
