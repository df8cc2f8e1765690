"""What was chosen becomes keys of the bundle's configs, which prediction and evaluation read."""

import shutil

import pytest

from medseg.bundles.opened import open_configs
from medseg.inference.kept_parts import PartRule
from medseg.planning.crossvalidation.chosen_config import chosen_lines, write_choice
from tests.conftest import REPOSITORY

RULES = {"lung": PartRule(keep="largest"), "infection": PartRule(smallest=0.5)}
KEPT = {"keep_largest": ["lung"], "smallest": {"infection": 0.5}}


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "covid_lung_ct_unet3d"
    ignored = shutil.ignore_patterns("models", "eval", "studies")
    shutil.copytree(REPOSITORY / "bundles" / folder.name, folder, ignore=ignored)
    return folder


def test_both_configs_have_the_rules_and_stay_safe(bundle):
    assert write_choice(bundle, RULES) == []
    for configs in (["inference"], ["train", "evaluate"]):
        opened = open_configs(bundle, configs)
        assert opened.merged["kept_parts"] == KEPT
        assert opened.judged.standing == "safe"


def test_a_second_choice_replaces_the_first_and_none_leaves_the_files_as_they_were(bundle):
    files = [bundle / "configs" / f"{name}.yaml" for name in ("inference", "evaluate")]
    before = [path.read_text(encoding="utf-8") for path in files]
    write_choice(bundle, RULES)
    write_choice(bundle, {"lung": PartRule(smallest=2.0)})
    kept = open_configs(bundle, ["inference"]).merged["kept_parts"]
    assert kept == {"keep_largest": [], "smallest": {"lung": 2.0}}
    write_choice(bundle, {})
    assert [path.read_text(encoding="utf-8") for path in files] == before


def test_a_config_without_the_key_is_left_and_told(bundle):
    path = bundle / "configs" / "evaluate.yaml"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(one for one in lines if not one.startswith("kept_parts")))
    before = path.read_bytes()
    assert write_choice(bundle, RULES) == ["evaluate.yaml"]
    assert path.read_bytes() == before


def test_names_of_classes_may_hold_what_yaml_reads_otherwise():
    (line,) = chosen_lines({"yes: no #1": PartRule(keep="largest")})
    assert line.startswith('kept_parts#keep_largest: ["yes: no #1"]')
