"""What Dice plus binary cross entropy promises, and where MONAI's sum is another one."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.losses import DiceCELoss, DiceLoss

from medseg.losses import MultilabelBCELoss, MultilabelDiceBCELoss
from tests.losses.examples import overlapping
from tests.strategies import seeds, spatial_shapes


def test_the_formula_by_hand():
    # One structure, two voxels, p 0.5 and 0.8, target 1 and 0: Dice 2 * 0.5 / (1 + 1.3)
    logits = torch.logit(torch.tensor([0.5, 0.8], dtype=torch.float64)).view(1, 1, 1, 2)
    target = torch.tensor([1, 0]).view(1, 1, 1, 2)
    loss = MultilabelDiceBCELoss(dice_weight=2, bce_weight=3, smooth=1e-12)(logits, target).item()
    bce = (math.log(2) + math.log(5)) / 2
    assert loss == pytest.approx(2 * (1 - 1 / 2.3) + 3 * bce)


@given(spatial=spatial_shapes, seed=seeds, average=st.sampled_from(["batch", "case"]))
def test_it_is_the_sum_of_monais_dice_and_the_binary_cross_entropy(spatial, seed, average):
    logits, target = overlapping(spatial, seed)
    weights = [1, 2, 3]
    loss = MultilabelDiceBCELoss(
        dice_weight=0.4, bce_weight=1.5, positive_weights=weights, average=average
    )
    dice = DiceLoss(sigmoid=True, batch=average == "batch")(logits, target.double())
    bce = MultilabelBCELoss(positive_weights=weights)(logits, target)
    torch.testing.assert_close(loss(logits, target), 0.4 * dice + 1.5 * bce)


@given(spatial=spatial_shapes, seed=seeds)
def test_of_one_structure_it_is_monais_dice_ce(spatial, seed):
    logits, target = overlapping(spatial, seed, count=1)
    monai = DiceCELoss(sigmoid=True, batch=True)(logits, target.double())
    torch.testing.assert_close(MultilabelDiceBCELoss()(logits, target), monai)


def test_of_two_structures_monais_is_no_binary_cross_entropy():
    # Two structures that lie in all voxels, and are found: nothing to pay. MONAI's softmax over
    # the channels gives each one half, log 2 a channel.
    logits, target = torch.full((1, 2, 4, 4), 50.0), torch.ones(1, 2, 4, 4)
    assert MultilabelDiceBCELoss()(logits, target).item() == pytest.approx(0, abs=1e-6)
    monai = DiceCELoss(sigmoid=True, batch=True)(logits, target).item()
    assert monai == pytest.approx(2 * math.log(2), abs=1e-6)


@given(seed=seeds)
def test_a_structure_learns_nothing_from_the_others(seed):
    # the gradient of each channel is that of its own loss, but for the mean over three
    logits, target = overlapping((4, 5), seed)
    (whole,) = torch.autograd.grad(MultilabelDiceBCELoss()(logits.requires_grad_(), target), logits)
    for channel in range(3):
        alone = logits[:, [channel]].detach().requires_grad_()
        loss = MultilabelDiceBCELoss()(alone, target[:, [channel]])
        (gradient,) = torch.autograd.grad(loss, alone)
        torch.testing.assert_close(3 * whole[:, [channel]], gradient)


def test_a_structure_absent_from_both_counts_as_a_perfect_match():
    logits, target = torch.full((1, 2, 4, 4), -50.0), torch.zeros(1, 2, 4, 4)
    assert MultilabelDiceBCELoss()(logits, target).item() == pytest.approx(0, abs=1e-6)


@given(spatial=spatial_shapes, seed=seeds)
def test_its_dice_is_bounded(spatial, seed):
    logits, target = overlapping(spatial, seed)
    assert 0 <= MultilabelDiceBCELoss(bce_weight=0)(logits, target).item() <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dice_weight": -1}, "dice_weight must be a finite number of at least 0, got -1"),
        ({"bce_weight": float("nan")}, "bce_weight must be a finite number of at least 0, got nan"),
        ({"dice_weight": 0, "bce_weight": 0}, r"dice_weight \+ bce_weight must be .* above 0"),
        ({"positive_weights": [-1]}, r"positive_weights\[0\] must be a finite number of at least"),
        ({"average": "voxel"}, "average must be one of batch, case, got 'voxel'"),
        ({"smooth": 0}, "MultilabelDiceBCELoss: smooth must be a finite number above 0, got 0"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        MultilabelDiceBCELoss(**arguments)
