"""Every rule is of something that is there and is what the rule says; a site only adds."""

import importlib
import inspect
import pydoc
import re

import pytest
from monai.bundle import ComponentLocator

from medseg.bundles.judgement.configs.abstract import FLAG, NUMBER, PATH, PLAIN, TEXT
from medseg.bundles.judgement.rules import load_rules, own_rules
from medseg.errors import UsageError
from tests.bundles.judgement.trees import verdict

RULES = own_rules()
LOCATOR = ComponentLocator()
# What a signature calls a function, a writer, a reader by name, a file or an address.
POWER = re.compile(
    r"(func|_fn$|callable|hook|writer|reader|url|pickle|pretrained|(^|_)(dir|path)$|"
    r"file|folder|prepare_batch|iteration_update|event|kwargs|callback|formatter|overwrite)"
)
# Of these the rule itself says why they are harmless, or what they may be.
HARMLESS = {
    ("medseg.training.supervised_trainer", "prepare_batch"),
    ("EarlyStopHandler", "score_function"),
    ("SupervisedTrainer", "loss_function"),
    ("medseg.training.supervised_trainer", "loss_function"),
    ("LoadImaged", "overwriting"),
}


def _located(name):
    """As MONAI finds it: by its bare name among its own modules, or by the dotted one."""
    module = None if "." in name else LOCATOR.get_component_module_name(name)
    if "." not in name:
        assert isinstance(module, str), f"{name} is {module}: MONAI takes another than is meant"
    return pydoc.locate(name if module is None else f"{module}.{name}")


@pytest.mark.parametrize("name", RULES.components)
def test_a_component_is_a_public_class_or_function_of_the_packages_that_medseg_needs(name):
    found = _located(name)
    assert inspect.isclass(found) or inspect.isfunction(found)
    assert found.__module__.partition(".")[0] in ("medseg", "monai", "torch", "ignite")
    assert not any(part.startswith("_") for part in name.split("."))


@pytest.mark.parametrize("name", RULES.components)
def test_a_component_has_the_arguments_that_it_may_be_given(name):
    rule = RULES.components[name]
    signature = inspect.signature(_located(name))
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    takes_more = inspect.Parameter.VAR_KEYWORD in kinds
    unknown = [arg for arg in rule.takes if arg not in signature.parameters and not takes_more]
    assert not unknown
    assert set(rule.but) <= set(rule.takes)
    assert len(rule.why) > 10


@pytest.mark.parametrize("name", RULES.components)
def test_an_argument_that_could_have_power_is_restricted_or_left_out(name):
    rule = RULES.components[name]
    bare = name.rpartition(".")[2]
    free = [arg for arg in rule.takes if arg not in rule.but and POWER.search(arg)]
    assert [arg for arg in free if not {(name, arg), (bare, arg)} & HARMLESS] == []


@pytest.mark.parametrize("name", [*RULES.functions, *RULES.values])
def test_a_function_or_value_is_there(name):
    found = pydoc.locate(name)
    if found is None:
        module, _, attribute = name.rpartition(".")
        found = getattr(importlib.import_module(module), attribute)
    assert found is not None
    assert callable(found) == (name in RULES.functions or _is_type(found))


def _is_type(found):
    return isinstance(found, type)


@pytest.mark.parametrize(
    ("kind", "name", "attributes"),
    [
        ("control", "medseg.training.Control", RULES.kinds["control"].attributes),
        ("network", "medseg.networks.UNet", RULES.kinds["network"].methods),
        ("engine", "monai.engines.SupervisedEvaluator", RULES.kinds["engine"].methods),
        ("transform", "monai.transforms.Compose", RULES.kinds["transform"].methods),
        ("logger", "logging.Logger", RULES.kinds["logger"].methods),
        ("text", "builtins.str", RULES.kinds["text"].methods),
    ],
)
def test_a_kind_has_what_may_be_asked_of_it(kind, name, attributes):
    found = pydoc.locate(name)
    assert attributes, kind
    for attribute in attributes:
        assert hasattr(found, attribute), attribute


def test_what_a_call_gives_is_a_kind_that_something_is_known_of():
    plain = {value.kind for value in (FLAG, NUMBER, PATH, PLAIN, TEXT)}
    words = {"nothing", "root", "first argument", "any argument", "its text", "joined path",
             "count", "list of its items", "items in any order", "list of tuples",
             "list of numbered items"}  # fmt: skip
    opaque = {"part", "case", "device", "dtype", "fingerprint", "function", "loader", "manifest",
              "optimizer", "parameters"}  # fmt: skip
    rules = [*RULES.components.values(), *RULES.functions.values()]
    rules += [method for kind in RULES.kinds.values() for method in kind.methods.values()]
    given = {rule.gives for rule in rules} - words
    assert {kind.removeprefix("list of ") for kind in given} <= plain | opaque | set(RULES.kinds)


def test_no_rule_lists_what_a_danger_tells_of():
    assert not set(RULES.components) & set(RULES.dangers)
    assert not set(RULES.functions) & set(RULES.dangers)


def test_a_site_adds_rules_in_the_file_that_the_variable_names(tmp_path, monkeypatch):
    config = "a: {_target_: ours.net.Net, width: 3}"
    assert verdict(config) == "needs trust"
    file = tmp_path / "site.yaml"
    file.write_text("components: {ours.net.Net: {why: our own network, takes: [width]}}")
    monkeypatch.setenv("MEDSEG_RULES", str(file))
    assert verdict(config) == "safe"
    assert verdict("a: {_target_: ours.net.Net, other: 3}") == "needs trust"
    assert verdict("a: {_target_: SimpleInferer}") == "safe"


def test_a_site_adds_rules_in_the_user_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEG_HOME", str(tmp_path))
    (tmp_path / "rules.yaml").write_text("imports: {ours: our own package}")
    assert verdict("imports: [$import ours]") == "safe"
    (tmp_path / "rules.yaml").write_text("imports: {theirs: another package}")
    assert verdict("imports: [$import ours]") == "needs trust"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("components: {SimpleInferer: {why: it is here}}", "a site only adds"),
        ("components: {a.B: {takes: [x]}}", "why"),
        ("components: {a.B: {why: ours, gives: [x]}}", "gives"),
        ("component: {}", "component"),
        ("dangers: {eval: {could: nothing}}", "a site only adds"),
        ("components: {'a b': {why: ours}}", "components"),
        ("[1]", "holds a list"),
        ("a: !!python/name:os.system", "not valid YAML"),
    ],
)
def test_wrong_rules_of_a_site_are_one_line(text, message, tmp_path, monkeypatch):
    file = tmp_path / "site.yaml"
    file.write_text(text)
    monkeypatch.setenv("MEDSEG_RULES", str(file))
    with pytest.raises(UsageError, match=message) as caught:
        load_rules()
    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)


def test_a_file_of_rules_that_is_not_there_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEG_RULES", str(tmp_path / "nowhere.yaml"))
    with pytest.raises(UsageError, match="correct MEDSEG_RULES"):
        load_rules()
