"""Judgement of whole bundles: our own, the model zoo's, digests, and values of a user's."""

import shutil
from pathlib import Path

import pytest

from medseg.bundles.judgement.configs.config_places import config_places
from medseg.bundles.judgement.judge import judge_folder, judge_tree, judge_values
from medseg.bundles.judgement.tree import FolderTree

BUNDLES = sorted(path.parents[1] for path in Path("bundles").glob("*/configs/metadata.json"))
# How the reasons begin that configs of the model zoo need trust for: all of them.
ZOO = {
    "spleen_ct_segmentation": {
        "builds CheckpointLoader", "builds CheckpointSaver", "builds LoadImaged without reader",
        "builds MetricsSaver", "builds SaveImaged", "calls torch.jit.load",
        "defines a function (lambda)", "imports torch_tensorrt",
        "'/workspace/data/Task09_Spleen' leads",
    },
    "wholeBrainSeg_Large_UNEST_segmentation": {
        "builds CheckpointLoader", "builds CheckpointSaver", "builds LoadImaged without reader",
        "builds SaveImaged", "builds scripts.networks.unest_base_patch_4.UNesT",
        "puts values into a text",
    },
}  # fmt: skip


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_our_own_bundles_are_safe(bundle):
    assert judge_folder(bundle).places == ()
    assert judge_folder(bundle).verdict == "safe"


@pytest.mark.data
def test_no_bundle_of_the_model_zoo_is_safe_or_refused(real_data):
    zoo = [path for path in sorted((real_data / "zoo").iterdir()) if path.is_dir()]
    assert len(zoo) == 31
    assert {path.name: judge_folder(path).verdict for path in zoo} == {
        path.name: "needs trust" for path in zoo
    }


@pytest.mark.data
@pytest.mark.parametrize("name", ZOO)
def test_what_a_bundle_of_the_model_zoo_needs_trust_for(name, real_data):
    found = config_places(FolderTree(real_data / "zoo" / name))
    reasons = [place.reason for place in found]
    for expected in ZOO[name]:
        assert any(reason.startswith(expected) for reason in reasons), (expected, reasons)
    assert [r for r in reasons if not r.startswith(tuple(ZOO[name]))] == []


def _bundle(tmp_path) -> Path:
    return Path(shutil.copytree(BUNDLES[0], tmp_path / "bundle"))


def test_the_digest_is_that_of_the_content_and_not_of_the_path(tmp_path):
    copy = _bundle(tmp_path)
    assert judge_folder(copy).digest == judge_folder(BUNDLES[0]).digest


@pytest.mark.parametrize("path", ["configs/train.yaml", "configs/metadata.json"])
def test_a_changed_byte_of_a_config_is_another_digest(path, tmp_path):
    copy = _bundle(tmp_path)
    before = judge_folder(copy).digest
    (copy / path).write_bytes((copy / path).read_bytes() + b"\n")
    assert judge_folder(copy).digest != before


def test_a_file_that_a_place_is_about_is_in_the_digest(tmp_path):
    copy = _bundle(tmp_path)
    before = judge_folder(copy).digest
    (copy / "scripts.py").write_text("a = 1")
    with_code = judge_folder(copy)
    assert with_code.verdict != "safe"
    assert with_code.digest != before
    (copy / "scripts.py").write_text("a = 2")
    assert judge_folder(copy).digest != with_code.digest


def _two(folder, first, second):
    folder.mkdir()
    (folder / "a.yaml").write_text(first)
    (folder / "b.yaml").write_text(second)
    return folder


def test_names_and_contents_cannot_be_shifted_into_one_another(tmp_path):
    one = judge_tree(FolderTree(_two(tmp_path / "1", "b: 1", "d: 1")))
    two = judge_tree(FolderTree(_two(tmp_path / "2", "d: 1", "b: 1")))
    assert one.verdict == two.verdict == "safe"
    assert one.digest != two.digest


TREE = FolderTree(BUNDLES[0])


@pytest.mark.parametrize(
    "values",
    [
        {"epochs": 3},
        {"output_dir": "/tmp/x", "dataset_dir": "/data"},
        {"overwrite": "replace", "start": "resume"},
        {"control#ema": 0.9},
        {"control::mlflow": "sqlite:///runs.db"},
        {"learning_rate": "$@batch_size * 0.1"},
        {"loss": {"_target_": "torch.nn.CrossEntropyLoss"}},
    ],
)
def test_what_a_user_says_in_plain_words_is_the_users_business(values):
    assert judge_values(values, "command line", TREE) == ()


@pytest.mark.parametrize(
    "values",
    [
        {"reader": "os.system"},
        {"loss": {"_target_": "os.system", "command": "x"}},
        {"seed": "$__import__('os').system('x')"},
        {"network_def#_target_": "torch.load"},
        {"train#handlers#0#more": [{"_target_": "mypackage.MyHandler"}]},
        {"val_cases": "%/etc/x.json"},
        {"preprocessing_steps#0#reader": "os.listdir"},
        {"ckpt_dir": "$@output_dir + '/../../x'"},
    ],
)
def test_what_a_pasted_command_could_run_is_a_place(values):
    assert judge_values(values, "command line", TREE)


def test_a_value_on_its_own_is_judged_without_the_bundle():
    assert judge_values({"a": 1, "b": ["x"]}, "command line") == ()
    (place,) = judge_values({"a": "$open('x')"}, "command line")
    assert str(place) == "command line: a: calls open, which reads or replaces any file"
