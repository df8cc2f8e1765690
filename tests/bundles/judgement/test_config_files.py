"""Configs are read as plain data, with lines; what could be read in two ways is refused."""

import json
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from monai.bundle import ConfigParser
from monai.utils.misc import CheckKeyDuplicatesYamlLoader

from medseg.bundles.judgement.configs.config_files import parse_text, read_config_tree
from medseg.bundles.judgement.configs.json_lines import json_lines
from medseg.errors import UsageError
from tests.bundles.judgement.trees import MemoryTree

PIECES = [
    "a",
    "b",
    ":",
    " ",
    "\n",
    "  ",
    "\t",
    "- ",
    "? ",
    "[",
    "]",
    "{",
    "}",
    ",",
    '"',
    "'",
    "$x",
    "@",
    "%",
    "#",
    " #",
    "|",
    ">",
    "1",
    "\\",
    "\\n",
    "!",
    "---",
    "...",
    "~",
    "key: ",
    "*",
    "&",
    "`",
    "\\x41",
    "%YAML 1.2\n",
    "<<",
    "=",
    "! ",
    "!!str ",
    "1:2",
    "0x1",
    "é",
]
scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab:,{}[]\"'\\ -#", max_size=6)
keys = st.text("ab_#:", min_size=1, max_size=3)
data = st.dictionaries(
    keys,
    st.recursive(scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(keys, v, max_size=3)),
    max_size=4,
)


def _refusal(name, content):
    configs, places = read_config_tree(MemoryTree({name: content}))
    assert not configs
    (place,) = places
    assert place.grade == "refused"
    return place


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("a: 1\nb: &x [1]\nc: *x\n", 2, "alias"),
        ("a: 1\na: 2\n", 2, "given twice"),
        ("a: 1\nb: !!python/name:os.system\n", 2, "could not determine a constructor|tag"),
        ("a: {<<: {b: 1}}\n", 1, "merge key"),
        ("a: !!binary aGk=\n", 1, "tag"),
        ("a: 1\nb: 'x\u202ey'\n", 2, "U\\+202E"),
        ("a: 1\nb: x\u2028c: $1\n", 2, "U\\+2028"),
        ("a: [1, 2\n", 2, "not valid YAML"),
        ("a: " + "[" * 100 + "]" * 100, 1, "nested"),
        ("a: " + "9" * 200, 1, "too many digits"),
        ("a: " + "1:5" * 60, 1, "too many digits"),
    ],
)
def test_hostile_yaml_is_refused_with_its_line(content, line, reason):
    place = _refusal("configs/a.yaml", content)
    assert place.line == line
    assert re.search(reason, place.reason)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"a": 1, "a": 2}', "given twice"),
        ('{"a": {"b": 1, "b": 2}}', "given twice"),
        ('{"a": "\\ud800"}', "half a letter"),
        ('{"a": ' + "9" * 200 + "}", "digits"),
        ("[" * 100_000, "nested too deeply|not valid JSON"),
        ("[" * 60 + "]" * 60, "nested too deeply"),
        ('{"a": 1', "not valid JSON"),
        ("", "not valid JSON"),
    ],
)
def test_hostile_json_is_refused(content, reason):
    assert re.search(reason, _refusal("configs/a.json", content).reason)


@pytest.mark.parametrize("content", [b"\xff\xfea\x00", b"a: \xe4", b"a: \x00", b"\xef\xbb\xbfa: 1"])
def test_what_is_no_utf_8_text_is_refused(content):
    _refusal("configs/a.yaml", content)


@given(content=data, indent=st.sampled_from([None, 0, 2]))
def test_json_lines_are_those_of_a_yaml_parser(content, indent):
    text = json.dumps(content, indent=indent)
    lines = json_lines(text)
    expected = {}
    _mark(yaml.compose(text), (), expected)
    assert lines == expected


def _mark(node, path, expected):
    if isinstance(node, yaml.MappingNode):
        for name, child in node.value:
            expected[(*path, name.value)] = name.start_mark.line + 1
            _mark(child, (*path, name.value), expected)
    elif isinstance(node, yaml.SequenceNode):
        for position, child in enumerate(node.value):
            expected[(*path, str(position))] = child.start_mark.line + 1
            _mark(child, (*path, str(position)), expected)


@given(content=data)
def test_what_is_judged_is_what_monai_reads(content, tmp_path_factory):
    folder = tmp_path_factory.mktemp("configs")
    for name, text in (("a.json", json.dumps(content)), ("a.yaml", yaml.safe_dump(content))):
        (folder / name).write_text(text)
        theirs = ConfigParser.load_config_file(folder / name)
        assert parse_text(name, text).content == theirs == content


def test_a_place_of_json_has_the_line_of_its_key():
    config = parse_text("a.json", '{\n "a": [\n  1,\n  {"b": 2}\n ]\n}')
    assert [config.line(key) for key in [("a",), ("a", "0"), ("a", "1", "b"), ("a", "9")]] == [
        2, 3, 4, 2,
    ]  # fmt: skip


@given(text=st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join))
def test_yaml_is_read_as_by_monais_own_parser_or_refused(text):
    try:
        ours = parse_text("a.yaml", text).content
    except UsageError:
        return
    try:
        theirs = yaml.load(text, CheckKeyDuplicatesYamlLoader)
    except (yaml.YAMLError, ValueError):
        return
    assert repr(ours) == repr(theirs)
