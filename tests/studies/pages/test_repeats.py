"""The commands of a page give the runs of the study."""

import re
import shlex

import pytest
import yaml

from medseg.bundles.opened import open_configs
from medseg.bundles.overrides import parse_overrides
from medseg.studies.pages import row_repeats
from medseg.studies.running.plan import plan_study
from medseg.studies.study_file import Study
from tests.conftest import REPOSITORY
from tests.glands import SIZE, write_glands

BUNDLE = REPOSITORY / "bundles" / "ebhi_histology_unet2d"
LEVELS = {
    "loss=jaccard": {"loss": {"_target_": "medseg.losses.JaccardLoss", "classes": "foreground"}},
    "lr=low": {"learning_rate": 3e-6},
    "norm=none": {"network_def#norm": "none"},
    "longer": {"iterations_per_epoch": 5, "epochs": 2},
}


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("glands")
    write_glands(folder)
    study = Study.model_validate(
        {
            "title": "t",
            "base": {"patch_size": [SIZE, SIZE], "stored_augmentations": None},
            "combinations": LEVELS,
            "protocol": "random splits",
            "seeds": [3, 4],
            "iterations": 4,
        }
    )
    return plan_study(study, BUNDLE, [f"dataset_dir={folder}"])


@pytest.fixture(scope="module")
def repeats(plan, tmp_path_factory):
    return row_repeats(plan, tmp_path_factory.mktemp("store"))


def shared_words(preparation):
    return shlex.split(re.search(r"^shared=\((.*)\)$", preparation, flags=re.M)[1])


@pytest.mark.parametrize("row", ["baseline", *LEVELS])
def test_the_command_of_a_row_has_its_overrides_back(plan, repeats, row):
    config = open_configs(BUNDLE, ["train"]).merged
    function, *own = shlex.split(repeats.commands[row])
    assert function == "repeat_row"
    given = parse_overrides([*shared_words(repeats.preparation), *own], config)
    first = next(run for run in plan.runs if run.row == row)
    assert first.seed == 3
    expected = {key: value for key, value in first.train.items() if key != "dataset_dir"}
    assert {key: given.get(key) for key in expected} == expected


def test_a_repeat_is_scored_as_the_study_scores_it(repeats):
    assert "--run-id evaluating" in repeats.preparation
    assert "ckpt_path=runs/repeat/model.safetensors" in repeats.preparation
    assert "engine=torch" in repeats.preparation


def test_a_random_split_is_named_and_folders_elsewhere_are_not(plan, repeats):
    words = shared_words(repeats.preparation)
    assert "manifest_file=manifest.json" in words
    assert f"dataset_dir={plan.dataset_dir.name}" in words
    assert "medseg train bundles/ebhi_histology_unet2d" in repeats.preparation


def test_the_config_of_a_row_has_its_values(repeats):
    config = yaml.safe_load(repeats.configs["norm=none"])
    assert config["network_def"]["norm"] == "none"
    assert config["seed"] == 3
    assert "_meta_" not in config
