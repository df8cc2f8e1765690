"""What the cross-entropy promises: torch's values, and binary cross-entropy for two classes."""

import pytest
import torch
from hypothesis import given
from torch.nn import functional

from medseg.errors import UsageError
from medseg.losses import CrossEntropyLoss
from tests.losses.examples import example, odds
from tests.strategies import seeds, spatial_shapes


def test_the_formula_by_hand():
    # probabilities of class 1 are 0.5 and 0.8; the labels are 1 and 0: -(log 0.5 + log 0.2) / 2
    loss = CrossEntropyLoss()(odds([[0.5, 0.8]]), torch.tensor([[[[1, 0]]]]))
    assert loss.exp().item() == pytest.approx((0.5 * 0.2) ** -0.5)


@given(spatial=spatial_shapes, seed=seeds)
def test_it_is_torchs(spatial, seed):
    logits, label = example(spatial, seed)
    label[:, :, 0] = 2
    theirs = functional.cross_entropy(
        logits, label[:, 0].long(), torch.tensor([0.5, 2.0, 1.0]).to(logits), ignore_index=2
    )
    ours = CrossEntropyLoss(class_weights=[0.5, 2, 1], ignore_index=2)(logits, label)
    torch.testing.assert_close(ours, theirs.nan_to_num(0))


@given(spatial=spatial_shapes, seed=seeds)
def test_of_two_classes_it_is_the_binary_one_of_the_difference(spatial, seed):
    logits, label = example(spatial, seed, count=2)
    difference = logits[:, 1:] - logits[:, :1]
    theirs = functional.binary_cross_entropy_with_logits(difference, label.to(logits.dtype))
    torch.testing.assert_close(CrossEntropyLoss()(logits, label), theirs)


def test_weights_of_other_classes_are_refused():
    logits, label = example((4, 4), 0)
    with pytest.raises(UsageError, match="one for each of 3 classes, got 2"):
        CrossEntropyLoss(class_weights=[1, 2])(logits, label)
