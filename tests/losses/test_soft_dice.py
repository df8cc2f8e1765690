"""What the soft Dice loss promises: its formula, and its relation to the others."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.losses import DiceLoss

from medseg.losses import SoftDiceLoss, TverskyCELoss
from tests.losses.examples import certain, example, odds
from tests.strategies import seeds, spatial_shapes

averages = st.sampled_from(["batch", "case"])
classes = st.sampled_from(["all", "foreground"])


def test_the_formula_by_hand():
    # class 1: TP 0.5, FP 0.8, FN 0.5: 2 * 0.5 / (1 + 1.3) = 1 / 2.3; class 0: TP 0.2,
    # FP 0.5, FN 0.8: 0.4 / (0.4 + 1.3)
    logits, label = odds([[0.5, 0.8]]), torch.tensor([[[[1, 0]]]])
    loss = SoftDiceLoss(smooth=1e-12)(logits, label).item()
    assert loss == pytest.approx(1 - (1 / 2.3 + 0.4 / 1.7) / 2)


@given(spatial=spatial_shapes, seed=seeds, average=averages, which=classes)
def test_monai_and_tversky_at_one_half_are_the_same(spatial, seed, average, which):
    logits, label = example(spatial, seed)
    ours = SoftDiceLoss(average=average, classes=which, smooth=0.2)(logits, label)
    monai = DiceLoss(
        softmax=True,
        to_onehot_y=True,
        batch=average == "batch",
        include_background=which == "all",
        smooth_nr=0.2,
        smooth_dr=0.2,
    )
    torch.testing.assert_close(ours, monai(logits, label))
    tversky = TverskyCELoss(0.5, 0.5, ce_weight=0, average=average, classes=which, smooth=0.1)
    torch.testing.assert_close(ours, tversky(logits, label))


def test_a_class_absent_from_both_counts_as_a_perfect_match():
    # class 2 is nowhere; class 1: TP 1, FP 1: Dice 2/3; class 0: TP 2, FN 1: Dice 4/5
    label = torch.tensor([[[[0, 0, 0, 1]]]])
    found = certain(torch.tensor([[[[0, 0, 1, 1]]]]), 3)
    assert SoftDiceLoss()(found, label).item() == pytest.approx((1 / 5 + 1 / 3) / 3, abs=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"average": "voxel"}, "SoftDiceLoss: average must be one of batch, case, got 'voxel'"),
        ({"classes": "background"}, "classes must be one of all, foreground, got 'background'"),
        ({"smooth": -1}, "SoftDiceLoss: smooth must be a finite number above 0, got -1"),
        ({"ignore_index": "255"}, "ignore_index must be a whole number or None, got '255'"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        SoftDiceLoss(**arguments)
