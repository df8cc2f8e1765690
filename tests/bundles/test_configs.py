"""What finding and reading a bundle's configs promises."""

import pytest

from medseg.bundles.configs import config_paths, read_config
from medseg.errors import UsageError


@pytest.fixture
def bundle(tmp_path):
    (tmp_path / "one" / "configs").mkdir(parents=True)
    for name, text in {
        "metadata.json": "{}",
        "train.yaml": "depth: 4\nhandlers: [1, 2]\nnet: {width: 8, norm: none}\n",
        "evaluate.yaml": "depth: null\nhandlers: []\nnet#norm: both\n",
        "broken.yaml": "depth: 4\nnet: {width: 8\nnorm: none\n",
    }.items():
        (tmp_path / "one" / "configs" / name).write_text(text)
    return tmp_path / "one"


def test_a_later_config_wins_key_by_key_also_with_nothing(bundle):
    # Of net, only the nested key is named; null and [] replace what was there.
    merged = read_config(config_paths(bundle, ["train", "evaluate"]))
    assert merged["depth"] is None
    assert merged["handlers"] == []
    assert merged["net"] == {"width": 8, "norm": "both"}


def test_another_folder_is_refused_naming_the_bundles_beside_it(bundle):
    (bundle.parent / "two").mkdir()
    with pytest.raises(UsageError, match=r"two: not a bundle .*; bundles beside it: one$"):
        config_paths(bundle.parent / "two", ["train"])


def test_another_config_is_refused_naming_those_that_are_there(bundle):
    with pytest.raises(UsageError, match="no config trian; use one of broken, evaluate, train"):
        config_paths(bundle, ["trian"])


def test_a_config_that_is_no_yaml_is_named_with_its_line_in_one_line(bundle):
    with pytest.raises(UsageError, match=r"broken\.yaml.*: line 3: not valid YAML \(") as caught:
        read_config(config_paths(bundle, ["broken"]))
    assert "\n" not in str(caught.value)


def test_a_config_that_changes_another_is_refused_alone(bundle):
    with pytest.raises(UsageError, match=r"^evaluate: a config changes a part .*query key: net"):
        read_config(config_paths(bundle, ["evaluate"]))
