"""What the binary cross entropy of overlapping structures promises."""

import math

import pytest
import torch
from hypothesis import given
from torch.nn.functional import cross_entropy

from medseg.losses import MultilabelBCELoss
from tests.losses.examples import example, overlapping
from tests.strategies import seeds, spatial_shapes


def test_the_formula_by_hand():
    # one voxel, two structures: p 0.5 and 0.8, target 1 and 0: (-log 0.5 - log 0.2) / 2
    logits = torch.logit(torch.tensor([0.5, 0.8], dtype=torch.float64)).view(1, 2, 1, 1)
    target = torch.tensor([1, 0]).view(1, 2, 1, 1)
    loss = MultilabelBCELoss()(logits, target).item()
    assert loss == pytest.approx((math.log(2) + math.log(5)) / 2)
    # a miss of the first counts three times
    loss = MultilabelBCELoss(positive_weights=[3, 9])(logits, target).item()
    assert loss == pytest.approx((3 * math.log(2) + math.log(5)) / 2)


@given(spatial=spatial_shapes, seed=seeds)
def test_it_is_the_binary_cross_entropy_of_each_channel(spatial, seed):
    logits, target = overlapping(spatial, seed)
    p, y = logits.sigmoid(), target.double()
    each = -(y * p.log() + (1 - y) * (1 - p).log())
    torch.testing.assert_close(MultilabelBCELoss()(logits, target), each.mean())
    by_channel = [MultilabelBCELoss()(logits[:, [c]], target[:, [c]]) for c in range(3)]
    torch.testing.assert_close(torch.stack(by_channel).mean(), each.mean())


@given(spatial=spatial_shapes, seed=seeds)
def test_of_two_exclusive_classes_it_is_the_cross_entropy(spatial, seed):
    logits, label = example(spatial, seed, count=2)
    difference = logits[:, 1:] - logits[:, :1]
    expected = cross_entropy(logits, label[:, 0])
    torch.testing.assert_close(MultilabelBCELoss()(difference, label), expected)


def test_absent_structures_cost_by_their_predicted_probability():
    target = torch.zeros(1, 2, 4, 4)
    assert MultilabelBCELoss()(torch.full((1, 2, 4, 4), -50.0), target).item() == 0
    even = MultilabelBCELoss()(torch.zeros(1, 2, 4, 4), target).item()
    assert even == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, -1], r"MultilabelBCELoss: positive_weights\[1\] must be a finite number of at least"),
        ([float("nan")], "at least 0, got nan"),
        ([], "must have one above 0"),
        ([0, 0], r"must have one above 0, got \[0, 0\]"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(weights, message):
    with pytest.raises(ValueError, match=message):
        MultilabelBCELoss(positive_weights=weights)
