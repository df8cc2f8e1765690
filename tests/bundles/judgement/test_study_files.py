"""Study files in a bundle: paths of keys are their business, what they build is judged."""

import pytest

from medseg.bundles.judgement.configs.config_places import config_places
from tests.bundles.judgement.trees import MemoryTree

TRAIN = (
    "epochs: 5\nnetwork_def: {_target_: medseg.networks.UNet, spatial_dims: 2, in_channels: 1}\n"
)
STUDY = """\
title: Norms
source: https://arxiv.org/abs/1607.08022
seeds: [1, 2]
base: {network_def#depth: 3}
factors:
  norm:
    none: {network_def#norm: none}
    other:
      epochs: 2
      VALUE
"""


def _places(value: str, path: str = "studies/norms.yaml"):
    files = {"configs/train.yaml": TRAIN, path: STUDY.replace("VALUE", value)}
    # A manifest has a source too, and it is a text for people.
    files["configs/data.json"] = '{"source": "https://example.org/data"}'
    return config_places(MemoryTree(files))


def test_a_study_of_plain_values_is_safe():
    assert _places("loss: {_target_: medseg.losses.SoftDiceLoss}") == []


@pytest.mark.parametrize(
    ("value", "grade"),
    [
        ("loss: {_target_: os.system, command: id}", "refused"),
        ("loss: $__import__('os').system('id')", "refused"),
        ("loss: {_target_: somebody.Loss}", "needs trust"),
        ("loss: '@missing'", "needs trust"),
        ("init_weights: /etc/passwd", "needs trust"),
    ],
)
def test_a_value_of_a_row_is_judged_and_told_with_its_line(value, grade):
    (place,) = _places(value)
    assert (place.file, place.line, place.grade) == ("studies/norms.yaml", 10, grade)


def test_elsewhere_such_keys_need_trust():
    assert {place.grade for place in _places("a: 1", "configs/norms.yaml")} == {"needs trust"}
