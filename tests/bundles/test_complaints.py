"""MONAI's and torch's complaints of a config: one line with the part; a bug keeps its traceback."""

import pytest
import torch
from ignite.engine import Engine
from monai.bundle import ConfigParser
from monai.transforms import Compose, RandFlipd, ToTensord

from medseg.bundles.complaints import config_complaint, config_errors
from medseg.errors import UsageError


def complaint(config, name="part"):
    """What is told of a config whose part fails; None for a bug."""
    parser = ConfigParser(config)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever MONAI raises
        parser.get_parsed_content(name)  # parses first
    return config_complaint(caught.value)


@pytest.mark.parametrize(
    ("part", "line"),
    [
        ("$1/0", "part: the expression $1/0 fails (ZeroDivisionError: division by zero)"),
        ("$foo", "part: the expression $foo fails (NameError: name 'foo' is not defined)"),
        ("$1 +", "part: the expression $1 + is not valid Python (invalid syntax)"),
        (
            "$len(@number)",
            "part: the expression $len(@number) fails (TypeError: object of type 'int' has no len",
        ),
        ("@nope", "part: no such key in this config: @nope"),
        ("$@nope + 1", "part: no such key in this config: @nope"),
        ("@part", "part: @part and @part refer to each other"),
        (
            {"_target_": "torch.optim.Adan"},
            "part: no such class or function: 'torch.optim.Adan'; did you mean torch.optim.Adam?",
        ),
        (
            {"_target_": "Nope"},
            "part: no such class or function: 'Nope'; give the full path, package.module.Name",
        ),
        ({"_target_": "torch.optim.SGD"}, "part: SGD needs the argument params; give it"),
        (
            {"_target_": "monai.losses.DiceLoss", "sigmiod": True},
            "part: DiceLoss has no argument sigmiod; did you mean sigmoid?",
        ),
        (
            {"_target_": "torch.nn.Linear", "in_features": "two", "out_features": 2},
            "part: Linear cannot be built with these values (TypeError: ",
        ),
        (["%nowhere"], "a %macro refers to a key that is not there (nowhere)"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_wrong_with_a_part_is_a_line_that_names_it(part, line):
    told = str(complaint({"part": part, "number": 5}))
    assert told.startswith(line)
    assert "\n" not in told


def test_the_key_is_that_of_the_innermost_part_that_fails():
    config = {"part": {"_target_": "torch.nn.Identity", "inner": {"a": ["$1/0"]}}}
    assert str(complaint(config)).startswith("part#inner#a#0: the expression $1/0")


def test_a_part_that_contains_itself_is_a_line():
    part: dict[str, object] = {}
    part["again"] = part
    assert "refers to itself" in str(complaint({"part": part}))


def test_what_fails_while_an_engine_runs_is_a_bug():
    def step(engine, batch):
        raise TypeError("a bug of the step")

    engine = Engine(step)
    parser = ConfigParser({"run": "$@engine()", "engine": lambda: engine.run([1])})
    parser.parse()
    with pytest.raises(RuntimeError) as caught:
        parser.get_parsed_content("run")
    assert config_complaint(caught.value) is None


def test_what_fails_in_a_function_that_returns_nothing_is_a_bug():
    part = {"_target_": "medseg.training.prepare_training", "network": None, "device": "cpu"}
    assert complaint({"part": {**part, "control": None}}) is None


def test_a_step_of_monais_that_fails_in_a_training_is_the_configs():
    steps = Compose([RandFlipd("image", prob=1), ToTensord("nothing")])
    engine = Engine(lambda engine, batch: steps(batch))
    with pytest.raises(RuntimeError) as caught:
        engine.run([{"image": torch.zeros(1, 4, 4)}])
    told = str(config_complaint(caught.value))
    assert told.startswith("the step ToTensord fails with these values (KeyError: ")


def test_an_error_outside_of_any_config_is_a_bug():
    with pytest.raises(KeyError), config_errors():
        raise KeyError("a bug")


def test_a_wrong_config_is_raised_as_the_users_error_with_its_cause():
    parser = ConfigParser({"part": "$1/0"})
    with pytest.raises(UsageError, match="division by zero") as caught, config_errors():
        parser.get_parsed_content("part")
    assert isinstance(caught.value.__cause__, RuntimeError)
