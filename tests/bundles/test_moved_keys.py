"""Keys that nothing would use: of an earlier version, or misspelt under plain MONAI."""

import json
import os
import re
import subprocess
import sys

import pytest

from medseg.bundles.configs import config_paths, read_config
from medseg.bundles.moved_keys import MOVED, refuse_lost_keys, refuse_moved_keys
from medseg.bundles.overrides import resolve_key
from medseg.errors import UsageError
from tests.bundles.test_contract import BUNDLES, CONFIGS
from tests.conftest import BUNDLE

TRAIN = BUNDLE / "configs" / "train.yaml"


def refusal(check, *arguments):
    """The error's text; empty if nothing is refused."""
    try:
        check(*arguments)
    except UsageError as error:
        return str(error)
    return ""


def arguments(*words, config=TRAIN):
    return ["monai.bundle", "run", "training", "--config_file", str(config), *words]


@pytest.mark.parametrize("key", sorted(MOVED))
def test_each_moved_key_is_where_the_table_says_in_some_bundle(key):
    paths = [MOVED[key].replace("#", "::")]
    configs = [read_config(config_paths(bundle, ["train"])) for bundle in BUNDLES]
    found = [config for config in configs if _resolves(paths[0], config)]
    assert found


def _resolves(path, config):
    try:
        return resolve_key(path, config) == path
    except UsageError:
        return False


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_no_bundle_of_ours_has_a_key_that_moved(config):
    names = ["train", config.stem] if config.stem in ("evaluate", "multi_gpu_train") else None
    merged = read_config(config_paths(config.parents[1], names or [config.stem]))
    assert refusal(refuse_moved_keys, merged) == ""


def test_a_config_of_an_earlier_version_gets_one_line_that_says_where_its_key_went(tmp_path):
    own = tmp_path / "mine.yaml"
    own.write_text("first_width: 24\n")
    moved = r"^first_width: this key is network_def#first_width now"
    with pytest.raises(UsageError, match=moved):
        refuse_moved_keys(read_config([str(TRAIN), str(own)]))
    with pytest.raises(UsageError, match=moved):
        refuse_lost_keys(arguments(config=[str(TRAIN), str(own)]))


def test_a_config_that_uses_a_key_of_that_name_itself_is_left_alone(tmp_path):
    own = tmp_path / "mine.yaml"
    own.write_text("first_width: 24\nnetwork_def#first_width: '@first_width'\n")
    assert refusal(refuse_moved_keys, read_config([str(TRAIN), str(own)])) == ""


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("--ema=0.9", "^ema: use its path, --control#ema$"),
        ("--first-width=24", "^first_width: use its path, --network_def#first_width$"),
        ("--epocs=3", "^epocs: no such key in this config; did you mean epochs"),
        ("--zzz=3", "^zzz: no such key in this config; .*--keys"),
    ],
)
def test_an_option_of_plain_monai_that_nothing_would_use_is_refused(word, message):
    with pytest.raises(UsageError, match=message):
        refuse_lost_keys(arguments(word))


@pytest.mark.parametrize(
    "words", [["--epochs", "3"], ["--control#ema", "0.9"], ["--tracking", "mlflow"], ["-1"], []]
)
def test_what_configs_have_and_monais_own_options_pass(words):
    assert refusal(refuse_lost_keys, arguments(*words)) == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--epochs", "two"], "^epochs must be a whole number from 1, got 'two'$"),
        (["--epochs=0"], "^epochs must be a whole number from 1, got 0$"),
        (["--quick", "--epochs=0"], "^epochs must be a whole number from 1, got 0$"),
        (["--control#case_weights", "none"], "; write --control#case_weights None$"),
        (["--cache", "None"], "; write --cache none$"),
        (["--patch_size", "64"], r"; write --patch_size \[64,64,64\]$"),
        (
            ["--network_def#frist_width", "8"],
            "UNet has no argument frist_width; did you mean first",
        ),
    ],
)
def test_a_value_that_a_key_does_not_take_is_refused_there_too(words, message):
    with pytest.raises(UsageError, match=message):
        refuse_lost_keys(arguments(*words))


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epocs": 3}, "^epocs: no such key in this config; did you mean epochs"),
        ({"epochs": "two"}, "^epochs must be a whole number from 1, got 'two'$"),
        ({"epochs": 3, "run_id": "training"}, ""),
    ],
)
def test_an_args_file_is_held_to_the_same(given, message, suffix, tmp_path):
    file = tmp_path / f"args{suffix}"
    file.write_text(json.dumps({"config_file": str(TRAIN), **given}))
    told = refusal(refuse_lost_keys, ["monai.bundle", "run", "--args_file", str(file)])
    assert re.search(message, told) if message else told == ""


def test_other_command_lines_are_not_looked_at():
    own_script = ["my_training.py", *arguments("--my_option=3")[1:]]
    for words in (["medseg", "train", str(BUNDLE), "--zzz"], own_script, []):
        assert refusal(refuse_lost_keys, words) == ""
    assert refusal(refuse_lost_keys, ["/x/monai/bundle/__main__.py", *own_script[1:]])


def test_plain_monai_ends_in_that_line_and_writes_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", *arguments("--output_dir", str(tmp_path / "out"), "--ema", "0.9")],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "medseg: ema: use its path, --control#ema"
    assert list(tmp_path.iterdir()) == []
