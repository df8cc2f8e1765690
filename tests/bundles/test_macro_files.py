"""Macros that name a file: replaced by medseg, since MONAI would read the file unjudged."""

import os

import pytest
from monai.bundle import ConfigParser

from medseg.bundles.judgement.door import judge_working
from medseg.bundles.macro_files import with_macro_files
from medseg.errors import MedsegError, NeedsTrustError, RefusedError


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """A bundle with a config of parts, and the current folder beside it."""
    (tmp_path / "one" / "configs").mkdir(parents=True)
    (tmp_path / "one" / "configs" / "parts.yaml").write_text("widths: [8, 16]\ndeep: {er: 3}\n")
    (tmp_path / "one" / "configs" / "more.json").write_text(
        '{"again": "%parts.yaml::widths", "loop": "%more.json::loop"}'
    )
    (tmp_path / "outside.json").write_text('{"widths": [32]}')
    monkeypatch.chdir(tmp_path)
    return judge_working(tmp_path / "one")


@pytest.mark.parametrize(
    ("macro", "value"),
    [
        ("%parts.yaml::widths", [8, 16]),
        ("%parts.yaml#widths#1", 16),
        ("%parts.yaml::deep::er", 3),
        ("%parts.yaml", {"widths": [8, 16], "deep": {"er": 3}}),
        ("%outside.json#widths", [32]),
        ("%more.json#again", [8, 16]),
        ("%widths", "%widths"),
        ("50%", "50%"),
    ],
)
def test_the_value_that_a_macro_names_stands_in_its_place(macro, value, judged):
    config = {"a": [{"b": macro}], "c": 1}
    assert with_macro_files(config, judged) == {"a": [{"b": value}], "c": 1}
    assert config == {"a": [{"b": macro}], "c": 1}


def test_it_is_what_monai_would_have_read(judged, monkeypatch):
    monkeypatch.chdir(judged.path / "configs")
    config = {"a": "%parts.yaml::deep", "b": ["%parts.yaml#widths"], "own": 5, "c": "%own"}
    monais = ConfigParser(dict(config))
    monais.resolve_macro_and_relative_ids()
    ours = ConfigParser(with_macro_files(config, judged))
    ours.resolve_macro_and_relative_ids()
    assert ours.get() == monais.get() == {"a": {"er": 3}, "b": [[8, 16]], "own": 5, "c": 5}


@pytest.mark.parametrize(
    ("macro", "told"),
    [
        ("%nowhere.yaml::a", "a#0: the macro names nowhere.yaml, which is not there"),
        ("%parts.yaml::width", "names no key of that file"),
        ("%parts.yaml::widths::9", "names no key of that file"),
        ("%more.json::loop", "without end"),
        ("%bomb.yaml", r"^bomb\.yaml: refused.*bomb\.yaml:1: .*\*a refers to itself"),
        ("%pipe.yaml", "no regular file"),
        ("%../one/configs/parts.yaml/../pipe.yaml", "not there|no regular file"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_nothing_hangs(macro, told, judged):
    (judged.path.parent / "bomb.yaml").write_text("a: &a [*a]")
    os.mkfifo(judged.path.parent / "pipe.yaml")
    with pytest.raises(MedsegError, match=told) as caught:
        with_macro_files({"a": [macro]}, judged)
    assert "\n" not in str(caught.value)


def test_a_file_outside_the_bundle_is_judged_before_it_is_used(judged):
    (judged.path.parent / "code.yaml").write_text("a: $__import__('os').getcwd()\n")
    with pytest.raises((NeedsTrustError, RefusedError), match=r"^code\.yaml: .*code\.yaml:1: a: "):
        with_macro_files({"a": "%code.yaml#a"}, judged)
