"""What `medseg bundle new` promises: another bundle's recipe, names of the user's own."""

import json

import pytest
import yaml

from medseg.bundles.configs import read_config
from medseg.bundles.contract import check_contract
from medseg.bundles.judgement.judge import judge_folder
from medseg.cli.main import main
from medseg.data import known_dataset_dir
from tests.bundles.test_contract import BUNDLES, every_bundle
from tests.conftest import BUNDLE
from tests.data.builders import write_dataset

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def new(monkeypatch, capsys, tmp_path):
    """Calls `medseg bundle new`; gives exit code and errors."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr("sys.argv", ["medseg", "bundle", "new", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            main()
        return int(stop.value.code or 0), capsys.readouterr().err

    return call


@every_bundle
def test_a_bundle_begun_from_any_other_keeps_the_contract_and_is_safe(bundle, new, tmp_path):
    assert new("mine", "--from", bundle, "--label-names", "background,thing") == (0, "")
    made = tmp_path / "mine"
    assert check_contract(made) == []
    assert judge_folder(made).verdict == "safe"
    for name in ("train", "inference", "evaluate", "multi_gpu_train"):
        text = (made / "configs" / f"{name}.yaml").read_text()
        original = (bundle / "configs" / f"{name}.yaml").read_text()
        assert abs(len(text.splitlines()) - len(original.splitlines())) <= 3
    assert not (made / "models").exists()


def test_names_classes_and_version_are_the_users_own(new, tmp_path):
    new("mine", "--from", BUNDLE, "--label-names", "background,a,b,c")
    made = tmp_path / "mine"
    metadata = json.loads((made / "configs/metadata.json").read_text())
    pred = metadata["network_data_format"]["outputs"]["pred"]
    assert (metadata["name"], metadata["version"]) == ("mine", "0.1.0")
    assert list(metadata["changelog"]) == ["0.1.0"]
    assert pred["channel_def"] == {"0": "background", "1": "a", "2": "b", "3": "c"}
    assert "scores" not in metadata
    train = read_config([str(made / "configs/train.yaml")])
    inference = yaml.safe_load((made / "configs/inference.yaml").read_text())
    assert train["class_names"] == ["background", "a", "b", "c"]
    assert inference["class_names"]["default"] == ["background", "a", "b", "c"]
    # An infection is a part of the lung; of c nobody knows.
    assert "part_of" not in inference


def test_a_manifest_goes_along_and_its_folder_is_known(new, tmp_path):
    write_dataset(tmp_path / "data")
    path = tmp_path / "data/manifest.json"
    assert new("mine", "--from", BUNDLE, "--manifest", path) == (0, "")
    copy = tmp_path / "mine/configs/toy.json"
    assert json.loads(copy.read_text()) == json.loads(path.read_text())
    assert known_dataset_dir(copy, otherwise="data") == str(tmp_path / "data")
    assert str(tmp_path) not in (tmp_path / "mine/configs/train.yaml").read_text()


def test_without_names_and_manifest_nothing_is_written(new, tmp_path):
    code, err = new("mine", "--from", BUNDLE)
    assert code == 2
    assert "give --manifest, or --label-names" in err
    assert not (tmp_path / "mine").exists()


def test_labels_of_another_kind_need_another_bundle(new, tmp_path):
    write_dataset(tmp_path / "data")
    cells = next(bundle for bundle in BUNDLES if bundle.name.startswith("hela"))
    code, err = new("mine", "--from", cells, "--manifest", tmp_path / "data/manifest.json")
    assert code == 2
    assert "its labels are instances, those of toy classes" in err


def test_a_bundle_is_not_written_over(new):
    new("mine", "--from", BUNDLE, "--label-names", "background,a")
    code, err = new("mine", "--from", BUNDLE, "--label-names", "background,a")
    assert code == 2
    assert "is a bundle already" in err
