"""What the Jaccard loss promises: its formula, and its relation to the others."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.losses import DiceLoss
from scipy.spatial.distance import jaccard

from medseg.losses import JaccardLoss, SoftDiceLoss, TverskyCELoss
from tests.losses.examples import certain, example, odds
from tests.strategies import seeds, spatial_shapes

averages = st.sampled_from(["batch", "case"])
classes = st.sampled_from(["all", "foreground"])


def test_the_formula_by_hand():
    # class 1: TP 0.5, FP 0.8, FN 0.5: 0.5 / 1.8; class 0: TP 0.2, FP 0.5, FN 0.8: 0.2 / 1.5
    logits, label = odds([[0.5, 0.8]]), torch.tensor([[[[1, 0]]]])
    loss = JaccardLoss(smooth=1e-12)(logits, label).item()
    assert loss == pytest.approx(1 - (0.5 / 1.8 + 0.2 / 1.5) / 2)
    # smooth 0.2 on both sides: 0.7 / 2
    smooth = JaccardLoss(classes="foreground", smooth=0.2)(logits, label).item()
    assert smooth == pytest.approx(1 - 0.7 / 2)


@given(spatial=spatial_shapes, seed=seeds, average=averages, which=classes)
def test_monai_and_tversky_at_one_are_the_same(spatial, seed, average, which):
    logits, label = example(spatial, seed)
    ours = JaccardLoss(average=average, classes=which, smooth=0.1)(logits, label)
    monai = DiceLoss(
        jaccard=True,
        softmax=True,
        to_onehot_y=True,
        batch=average == "batch",
        include_background=which == "all",
        smooth_nr=0.2,
        smooth_dr=0.2,
    )
    torch.testing.assert_close(ours, monai(logits, label))
    tversky = TverskyCELoss(1, 1, ce_weight=0, average=average, classes=which, smooth=0.1)
    torch.testing.assert_close(ours, tversky(logits, label))


@given(spatial=spatial_shapes, seed=seeds)
def test_of_a_certain_prediction_it_is_scipys_dissimilarity_of_two_masks(spatial, seed):
    (_, first), (_, second) = (example(spatial, s, batch=1, count=2) for s in (seed, seed + 1))
    loss = JaccardLoss(classes="foreground")(certain(first, 2), second).item()
    masks = (mask.numpy().ravel().astype(bool) for mask in (first, second))
    assert loss == pytest.approx(jaccard(*masks), abs=1e-4)


@given(spatial=spatial_shapes, seed=seeds)
def test_it_ranks_as_dice_does_and_is_never_lower(spatial, seed):
    # J = D / (2 - D) of one class, so 1 - J >= 1 - D
    logits, label = example(spatial, seed, batch=1, count=2)
    choices = {"classes": "foreground", "smooth": 1e-9}
    dice = 1 - SoftDiceLoss(**choices)(logits, label)
    iou = 1 - JaccardLoss(**choices)(logits, label)
    torch.testing.assert_close(iou, dice / (2 - dice))
    assert iou <= dice


def test_a_class_absent_from_both_counts_as_a_perfect_match():
    # class 2 is nowhere; class 1: TP 1, FP 1: 1/2; class 0: TP 2, FN 1: 2/3
    label = torch.tensor([[[[0, 0, 0, 1]]]])
    found = certain(torch.tensor([[[[0, 0, 1, 1]]]]), 3)
    assert JaccardLoss()(found, label).item() == pytest.approx((1 / 3 + 1 / 2) / 3, abs=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"average": "voxel"}, "JaccardLoss: average must be one of batch, case, got 'voxel'"),
        ({"classes": "background"}, "classes must be one of all, foreground, got 'background'"),
        ({"smooth": float("inf")}, "JaccardLoss: smooth must be a finite number above 0, got inf"),
        ({"ignore_index": "255"}, "ignore_index must be a whole number or None, got '255'"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        JaccardLoss(**arguments)
