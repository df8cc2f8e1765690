"""A bundle that breaks MONAI's contract is told so, a line for each breach, and nothing else is."""

import json
import shutil

import pytest
import yaml
from monai.bundle import ConfigWorkflow
from monai.bundle.properties import InferProperties, TrainProperties

from medseg.bundles.config_traps import config_traps
from medseg.bundles.contract import check_contract, missing_properties
from medseg.errors import DataError
from tests.conftest import BUNDLE

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def bundle(tmp_path):
    ignored = shutil.ignore_patterns("models", "eval")
    return shutil.copytree(BUNDLE, tmp_path / BUNDLE.name, ignore=ignored)


def change(path, **keys):
    read = json.loads if path.suffix == ".json" else yaml.safe_load
    content = {**read(path.read_text()), **keys}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def told(bundle):
    return [str(breach) for breach in check_contract(bundle)]


@pytest.mark.parametrize("file", ["LICENSE", "docs/README.md", "configs/metadata.json"])
def test_a_file_that_is_missing_is_named(file, bundle):
    (bundle / file).unlink()
    assert told(bundle) == [f"{file}: is missing"]


def test_metadata_that_break_a_rule_are_told_by_their_key(bundle):
    change(bundle / "configs" / "metadata.json", task=None)
    (line,) = told(bundle)
    assert line.startswith("configs/metadata.json: ")
    assert "task" in line


def test_a_network_of_other_channels_than_the_metadata_say_is_told(bundle):
    path = bundle / "configs" / "metadata.json"
    formats = json.loads(path.read_text())["network_data_format"]
    prediction = formats["outputs"]["pred"]
    prediction["num_channels"] += 1
    prediction["channel_def"][str(prediction["num_channels"] - 1)] = "another"
    change(path, network_data_format=formats)
    (line,) = told(bundle)
    assert line.startswith("configs/inference.yaml: MONAI's verify_net_in_out: ValueError: output")
    assert "channel number" in line


def test_a_config_that_is_no_yaml_is_one_breach(bundle):
    (bundle / "configs" / "train.yaml").write_text("a: [")
    (line,) = told(bundle)
    assert line.startswith("configs/train.yaml: ")
    assert "not valid YAML" in line


def test_a_config_that_lacks_what_tools_ask_for_is_told(bundle):
    change(bundle / "configs" / "inference.yaml", evaluator=None, dataset_dir=None)
    lines = told(bundle)
    assert [line.partition(" (")[0] for line in lines] == [
        "configs/inference.yaml: lacks dataset_dir",
        "configs/inference.yaml: lacks evaluator",
    ]


def test_a_folder_without_configs_is_no_bundle(tmp_path):
    with pytest.raises(DataError, match="no bundle there, as it has no configs/"):
        check_contract(tmp_path)
    (tmp_path / "configs").mkdir()
    assert "configs: holds neither a train nor an inference config" in told(tmp_path)


@pytest.mark.parametrize(
    ("name", "properties"), [("train", TrainProperties), ("inference", InferProperties)]
)
def test_every_required_property_of_monais_is_asked_for(name, properties):
    facts = [{key.value: value for key, value in one.items()} for one in properties.values()]
    required = [one["id"].replace("::", "#") for one in facts if one["required"]]
    assert [line.split()[1] for line in missing_properties({}, name)] == required


def test_an_optional_property_that_tools_would_not_find_is_told_as_by_monai():
    config = {
        "bundle_root": ".",
        "device": "cpu",
        "dataset_dir": ".",
        "dataset": {"transform": "@other"},
        "other": [],
        "network_def": {},
        "inferer": {},
        "evaluator": {},
    }
    (line,) = missing_properties(config, "inference")
    assert line == "dataset#transform is '@other'; MONAI's tools expect @preprocessing"
    for reference in ("@preprocessing", "$[1]"):
        config["dataset"]["transform"] = reference
        assert missing_properties(config, "inference") == []


@pytest.mark.parametrize(
    "missing",
    ["bundle_root", "device", "dataset_dir", "dataset", "network_def", "inferer", "evaluator"],
)
def test_a_missing_property_is_the_one_that_monai_does_not_find(missing, tmp_path):
    full = dict.fromkeys(
        ["bundle_root", "device", "dataset_dir", "dataset", "network_def", "inferer", "evaluator"],
        "x",
    )
    config = {key: value for key, value in full.items() if key != missing}
    path = tmp_path / "configs" / "inference.json"
    path.parent.mkdir()
    path.write_text(json.dumps(config))
    (path.parent / "metadata.json").write_text("{}")
    workflow = ConfigWorkflow(str(path), workflow_type="infer", logging_file=False)
    workflow.initialize()
    with pytest.raises(KeyError, match=f"config ID '{missing}' not in the config"):
        workflow.check_properties()
    (line,) = missing_properties(config, "inference")
    assert line.startswith(f"lacks {missing} (")


@pytest.mark.parametrize(
    ("value", "trap"),
    [
        ("/data/a#b, c", "turns the # of '/data/a#b, c' into ::"),
        ("$@d + '/important'", "does not parse"),
        ("1e-3", "1e-3 is a text in YAML; write 0.001"),
        ({"_target_": "medseg.losses.NoLoss"}, "medseg.losses.NoLoss is no public name"),
        ({"_target_": "medseg.nothing.NoLoss"}, "medseg.nothing.NoLoss is no public name"),
    ],
)
def test_a_trap_of_the_config_language_is_told_with_its_key(value, trap):
    (line,) = config_traps({"train": [{"x": value}]})
    assert line.startswith("train#0#x")
    assert trap in line


@pytest.mark.parametrize(
    "value",
    [
        "@train#trainer",
        "$@train#trainer.state",
        "%configs",
        0.001,
        "$import os",
        {"_target_": "medseg.losses.TverskyCELoss"},
        {"_target_": "torch.optim.Adam"},
    ],
)
def test_what_means_what_it_says_is_no_trap(value):
    assert list(config_traps({"train": [{"x": value}]})) == []
