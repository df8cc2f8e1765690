"""YAML of configs and overrides: plain data of a sensible size, or one line at once."""

import pytest
import yaml
from monai.bundle import ConfigParser

from medseg.bundles.configs import read_config
from medseg.bundles.plain_yaml import read_config_file, read_value
from medseg.errors import UsageError
from tests.bundles.test_contract import BUNDLES

# Twelve levels of nine aliases each: 9**12 values.
LAUGHS = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 13)
)


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
@pytest.mark.parametrize(
    "names", [["train"], ["inference"], ["train", "evaluate"], ["train", "multi_gpu_train"]]
)
def test_configs_are_read_and_merged_as_monai_does(bundle, names):
    paths = [str(bundle / "configs" / f"{name}.yaml") for name in names]
    monais = ConfigParser()
    monais.read_config(paths)
    assert read_config(paths) == monais.get()
    assert list(read_config(paths)) == list(monais.get())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, "line 6: more than 100,000 values"),
        ("a: &a [*a]", r"line 1: \*a refers to itself"),
        ("a: &a {b: [1, *a]}", r"\*a refers to itself"),
        ("a: " + "[" * 100_000, "nested deeper than 50 levels"),
        ("a: " + "9" * 6000, "digits"),
        ("a: 2020-99-99", "month must be in 1..12"),
        ("a: !!python/object/apply:os.getcwd []", "line 1: not valid YAML"),
        ("a: 1\nb: 2\na: 3", "line 3: a is given twice"),
        ("a: {b: 1, b: 2}", "line 1: b is given twice"),
        ("", "is empty; a config is a YAML file of keys and values"),
        ("# nothing", "is empty"),
        ("[a, b]", "holds a list"),
        ("5", "holds a single value"),
        ("1: 2", "1 is a key of it, and must be text"),
        ("? [a]\n: 2", "not valid YAML"),
        ("a: *b", "undefined alias"),
        ("a: 1\n---\nb: 2", "another document"),
        ("a: \x00", "not valid YAML"),
        ("a: [1, 2\nb: 3", "line 2: not valid YAML"),
        ("x" * 1_000_001, "longer than 1,000,000 characters"),
    ],
    ids=lambda text: text[:12],
)
def test_what_is_no_config_is_one_line(text, message, tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message) as caught:
        read_config([str(path)])
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Expecting value"),
        ('{"a": 1, "a": 2}', "a is given twice"),
        ('{"a":' + "[" * 100_000, "nested too deeply"),
        ("[1]", "holds a list"),
        ('{"a": ' + "9" * 6000 + "}", "digits"),
    ],
    ids=lambda text: text[:12],
)
def test_json_too(text, message, tmp_path):
    path = tmp_path / "own.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_config_file(path)


def test_bytes_that_are_no_text_and_what_is_no_file_are_refused(tmp_path):
    (tmp_path / "own.yaml").write_bytes(b"a: \xff\xfe")
    (tmp_path / "folder.yaml").mkdir()
    for name, message in (("own", "not UTF-8"), ("folder", "not a regular file")):
        with pytest.raises(UsageError, match=message):
            read_config_file(tmp_path / f"{name}.yaml")


def test_an_alias_and_a_merged_mapping_of_plain_data_are_read(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("a: &a {x: [1, 2]}\nb: *a\nc:\n  <<: *a\n  y: 3\n")
    assert read_config_file(path) == yaml.safe_load(path.read_text())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{a: &a [*a]}", r"epochs=.*: \*a refers to itself"),
        ("[" * 5000, "nested deeper"),
        ("[1, 2", "the value is not valid YAML; quote it"),
        ("{a: 1, a: 2}", "a is given twice"),
        ("9" * 5000, "digits"),
    ],
    ids=lambda text: text[:12],
)
def test_an_overrides_value_is_held_to_the_same(text, message):
    with pytest.raises(UsageError, match=message) as caught:
        read_value(text, f"epochs={text}")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("text", ["@val_interval", "%run", "$1 + 1"])
def test_references_need_no_quotes(text):
    assert read_value(text, f"epochs={text}") == text
