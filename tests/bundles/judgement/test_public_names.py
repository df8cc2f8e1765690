"""Names in installed packages, found in their sources without an import."""

import pytest

from medseg.bundles.judgement.public_names import is_argument, is_component, is_name
from medseg.bundles.judgement.rules import own_rules


def test_every_name_of_the_rules_are_there():
    rules = own_rules()
    names = [*rules.components, *rules.functions, *rules.values]
    dotted = [name for name in names if "." in name]
    bare = [name for name in rules.components if "." not in name]
    assert [name for name in dotted if not is_name(name)] == []
    assert [name for name in bare if not is_component(name)] == []


def test_every_argument_of_the_rules_are_there():
    ours = own_rules().components
    lost = {
        (name, argument)
        for name, rule in ours.items()
        for argument in (*rule.takes, *rule.but)
        if not is_argument(name, argument)
    }
    assert lost == set()


@pytest.mark.parametrize(
    "name",
    [
        "medseg.losses.TverskyCEloss",
        "medseg.loses.SoftDiceLoss",
        "medsegg.losses.SoftDiceLoss",
        "monai.losses.DiceLos",
        "monai.losses.dice.DiceLos",
        "torch.nn.Modul",
        "torch.optim.Adm",
        "numpy.zeross",
        "torch.",
    ],
)
def test_a_name_that_is_nowhere(name):
    assert not is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "monai.losses.dice.DiceLoss",
        "torch.relu",  # torch makes these when it is imported
        "torch.nn.Bilinear",  # by a star import
        "torch.nn.functional.relu",
        "numpy.add",
        "medseg.bundles.judgement.rules.load_rules",
        "scripts.Loss",  # of a bundle's own, perhaps
    ],
)
def test_a_name_that_may_be_there(name):
    assert is_name(name)


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("LoadImaged", True),
        ("RandFlipDict", True),  # another name for RandFlipd
        ("eval", True),  # Python's
        ("os", True),  # a module
        ("LoadImagd", False),
        ("Load Image", False),
    ],
)
def test_bare_names_are_those_of_monai_or_python(name, there):
    assert is_component(name) == there


@pytest.mark.parametrize(
    ("target", "argument", "there"),
    [
        ("EnsureTyped", "keys", True),
        ("EnsureTyped", "kys", False),
        ("medseg.losses.SoftDiceLoss", "smoth", False),
        ("monai.losses.DiceLoss", "anything", False),
        ("DataLoader", "anything", True),  # **kwargs
        ("scripts.Loss", "anything", True),
    ],
)
def test_arguments_by_the_signature(target, argument, there):
    assert is_argument(target, argument) == there
