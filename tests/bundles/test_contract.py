"""What every bundle in bundles/ promises to MONAI's tools, to people, and to its zip."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version

import pytest
import yaml
from monai.bundle import ConfigParser, ConfigWorkflow, ckpt_export

from medseg.bundles import drifted_copies, load_metadata
from medseg.bundles.config_traps import config_traps
from medseg.bundles.configs import read_config
from medseg.bundles.contract import check_contract, schema_breaches
from tests.conftest import BUNDLE, REPOSITORY, SMALL

# MONAI says on each use that a config is a program, and torch that TorchScript is old;
# TensorBoard's, MONAI's and torch's own deprecations are theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

BUNDLES = sorted(path.parents[1] for path in REPOSITORY.glob("bundles/*/configs/metadata.json"))
CONFIGS = sorted(path for bundle in BUNDLES for path in bundle.glob("configs/*.yaml"))
SCHEMA = "schemas/meta_schema_20240725.json"

every_bundle = pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
every_config = pytest.mark.parametrize(
    "config", CONFIGS, ids=lambda path: f"{path.parents[1].name}-{path.stem}"
)


def strings(value):
    if isinstance(value, dict):
        for key, child in value.items():
            yield str(key)
            yield from strings(child)
    elif isinstance(value, list):
        for child in value:
            yield from strings(child)
    elif isinstance(value, str):
        yield value


def targets(value):
    if isinstance(value, dict):
        if "_target_" in value:
            yield value["_target_"]
        for child in value.values():
            yield from targets(child)
    elif isinstance(value, list):
        for child in value:
            yield from targets(child)


@every_bundle
def test_a_bundle_is_complete(bundle):
    wanted = [
        "LICENSE",
        "configs/metadata.json",
        "configs/train.yaml",
        "configs/evaluate.yaml",
        "configs/inference.yaml",
        "configs/multi_gpu_train.yaml",
        "configs/logging.conf",
        "docs/README.md",
        "docs/data_license.txt",
    ]
    assert [name for name in wanted if not (bundle / name).is_file()] == []


@every_bundle
def test_the_metadata_keeps_the_rules_of_the_schema(bundle):
    assert load_metadata(bundle / "configs" / "metadata.json").name == bundle.name


@every_bundle
def test_a_bundle_says_which_medseg_it_needs(bundle):
    needed = load_metadata(bundle / "configs" / "metadata.json").required_packages_version
    assert needed["medseg"] == version("medseg")


@pytest.mark.data
@every_bundle
def test_the_metadata_passes_monais_own_schema(bundle, real_data, tmp_path):
    assert schema_breaches(bundle, real_data / SCHEMA) == []
    (tmp_path / "configs").mkdir()
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text())
    del metadata["task"]
    (tmp_path / "configs" / "metadata.json").write_text(json.dumps(metadata))
    (breach,) = schema_breaches(tmp_path, real_data / SCHEMA)
    assert "'task' is a required property" in breach.text


@every_bundle
def test_a_bundle_keeps_monais_contract(bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert check_contract(bundle) == []
    assert list(tmp_path.iterdir()) == []


def test_copies_of_recipes_and_manifests_equal_their_originals():
    assert drifted_copies(REPOSITORY) == [], "run `medseg bundle sync`"


@every_bundle
def test_a_bundle_holds_no_python(bundle):
    assert list(bundle.rglob("*.py")) == []


@every_config
def test_every_target_is_a_public_name_or_monais_short_one_or_torchs(config):
    for target in targets(yaml.safe_load(config.read_text())):
        # medseg's are held by the contract.
        assert re.fullmatch(r"[A-Z]\w+|(torch|medseg)\.[\w.]+", target), target


@every_config
def test_a_config_avoids_the_traps_of_the_config_language(config):
    assert list(config_traps(yaml.safe_load(config.read_text()))) == []


@every_config
def test_no_key_is_given_twice(config, monkeypatch):
    # The first would be lost; MONAI warns of it, and refuses where it is told to.
    monkeypatch.setenv("MONAI_FAIL_ON_DUPLICATE_CONFIG", "1")
    assert ConfigParser.load_config_file(str(config))


@every_config
def test_no_transform_or_data_set_holds_a_lambda(config):
    # Windows starts its worker processes by pickling, which a lambda does not survive.
    content = yaml.safe_load(config.read_text())
    parts = [content.get(f"{name}_steps", []) for name in ("preprocessing", "augmentation")]
    assert not any("lambda" in string for string in strings(parts))


@every_config
def test_a_config_is_short_enough_to_be_read(config):
    # The recipe's text and the common parts included.
    most = {"train": 150, "inference": 100, "evaluate": 40, "multi_gpu_train": 10}[config.stem]
    assert len(config.read_text().splitlines()) <= most


@every_bundle
def test_training_and_inference_build_the_same_network(bundle):
    train, inference = (
        read_config([str(bundle / "configs" / f"{name}.yaml")]) for name in ("train", "inference")
    )
    assert inference["network_def"]["_target_"] == "medseg.networks.trained_network"
    own = {key: value for key, value in train["network_def"].items() if key != "_target_"}
    assert inference["network_def"]["default"] == own
    assert train["preprocessing_steps"] == inference["preprocessing_steps"]


@every_bundle
@pytest.mark.parametrize("user", ["inference", "evaluate"])
def test_who_uses_weights_asks_them_for_every_setting_with_trainings_default(bundle, user):
    train, config = (
        yaml.safe_load((bundle / "configs" / f"{name}.yaml").read_text())
        for name in ("train", user)
    )
    assert train["settings"]["network"] == "$@network_def.describe()"
    for name in train["settings"].keys() - {"network"}:
        assert config[name]["_target_"] == "medseg.networks.trained_setting"
        assert config[name]["name"] == name
        # What training takes from its data has no default of its own.
        if not isinstance(train[name], dict) and not str(train[name]).startswith("$"):
            assert config[name]["default"] == train[name], name


def test_a_trained_network_exports_to_torchscript(trained, tmp_path):
    out = tmp_path / "model.ts"
    ckpt_export(
        net_id="network_def",
        filepath=str(out),
        ckpt_file=str(trained / "models" / "model.pt"),
        meta_file=str(trained / "configs" / "metadata.json"),
        config_file=str(trained / "configs" / "inference.yaml"),
        bundle_root=str(trained),
    )
    assert out.stat().st_size > 0


@pytest.mark.parametrize(("config", "kind"), [("train", "train"), ("inference", "infer")])
def test_no_property_is_missing(config, kind, trained, phantoms, tmp_path):
    workflow = ConfigWorkflow(
        config_file=str(trained / "configs" / f"{config}.yaml"),
        workflow_type=kind,
        logging_file=False,
        bundle_root=str(trained),
        dataset_dir=str(phantoms / "images" if kind == "infer" else phantoms),
        ckpt_dir=str(tmp_path),
        output_dir=str(tmp_path),
        **({} if kind == "infer" else SMALL),
    )
    workflow.initialize()
    assert workflow.check_properties() == []


def test_plain_monai_trains_from_a_foreign_directory_without_a_bundle_root(phantoms, tmp_path):
    overrides = [f"--{key}={value}" for key, value in SMALL.items()]
    places = {"ckpt_dir": tmp_path / "models", "output_dir": tmp_path / "eval"}
    subprocess.run(
        [sys.executable, "-m", "monai.bundle", "run", "training"]
        + ["--config_file", str(BUNDLE / "configs" / "train.yaml")]
        + ["--dataset_dir", str(phantoms), "--epochs=1"]
        + [f"--{key}={place}" for key, place in places.items()]
        + [text for text in overrides if "epochs" not in text],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    assert (tmp_path / "models" / "model.safetensors").is_file()
    assert (tmp_path / "models" / "model.pt").is_file()
    assert (tmp_path / "eval" / "metrics.csv").read_text().count("\n") == 2


def test_a_users_error_under_plain_monai_is_one_line_with_its_exit_code(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "monai.bundle",
            "run",
            "training",
            "--config_file",
            str(BUNDLE / "configs" / "train.yaml"),
            "--dataset_dir",
            str(tmp_path / "nowhere"),
            "--ckpt_dir",
            str(tmp_path / "models"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "nowhere: no such folder; set dataset_dir" in done.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []
