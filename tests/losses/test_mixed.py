"""What a weighted sum of losses promises."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.losses import DiceLoss, GeneralizedDiceLoss
from torch import nn

from medseg.losses import (
    JaccardLoss,
    MixedLoss,
    MultilabelBCELoss,
    MultilabelDiceBCELoss,
    PixelWeightedCELoss,
    SoftDiceLoss,
)
from tests.losses.examples import certain, example, overlapping
from tests.strategies import seeds, spatial_shapes


def test_seven_tenths_of_dice_and_three_of_jaccard_by_hand():
    # 4 foreground voxels, 2 of them found, 2 others marked: TP 2, FP 2, FN 2
    label = torch.tensor([[[[1, 1, 1, 1, 0, 0, 0, 0]]]])
    found = certain(torch.tensor([[[[1, 1, 0, 0, 1, 1, 0, 0]]]]), 2)
    parts = [SoftDiceLoss(classes="foreground"), JaccardLoss(classes="foreground")]
    loss = MixedLoss(parts, [0.7, 0.3])(found, label).item()
    assert loss == pytest.approx(0.7 * (1 - 4 / 8) + 0.3 * (1 - 2 / 6), abs=1e-5)


@given(
    spatial=spatial_shapes,
    seed=seeds,
    weights=st.lists(st.floats(0, 10), min_size=3, max_size=3).filter(any),
)
def test_it_is_linear_in_its_weights(spatial, seed, weights):
    logits, label = example(spatial, seed)
    parts = [
        SoftDiceLoss(),
        JaccardLoss(average="case"),
        GeneralizedDiceLoss(softmax=True, to_onehot_y=True),
    ]
    expected = sum(w * part(logits, label) for w, part in zip(weights, parts, strict=True))
    torch.testing.assert_close(MixedLoss(parts, weights)(logits, label), expected)


def test_the_weight_map_goes_to_those_that_take_it():
    logits, label = example((6, 6), 0)
    weight = torch.rand(label.shape)
    dice, ce = SoftDiceLoss(), PixelWeightedCELoss()
    expected = 0.5 * dice(logits, label) + 2 * ce(logits, label, weight)
    torch.testing.assert_close(MixedLoss([dice, ce], [0.5, 2])(logits, label, weight), expected)
    nested = MixedLoss([MixedLoss([ce], [4]), MixedLoss([dice], [1])], [0.5, 0.5])
    torch.testing.assert_close(nested(logits, label, weight), expected)


def test_a_weight_map_that_no_loss_takes_is_refused():
    logits, label = example((6, 6), 0)
    with pytest.raises(ValueError, match="none of SoftDiceLoss, JaccardLoss takes a weight map"):
        MixedLoss([SoftDiceLoss(), JaccardLoss()], [1, 1])(logits, label, torch.ones(2, 1, 6, 6))


def test_a_missing_weight_map_is_reported_by_the_loss_that_needs_it():
    logits, label = example((6, 6), 0)
    with pytest.raises(ValueError, match="PixelWeightedCELoss: got no weight map"):
        MixedLoss([SoftDiceLoss(), PixelWeightedCELoss()], [1, 1])(logits, label)


def test_a_loss_of_weight_zero_is_not_computed():
    logits, label = example((6, 6), 0)
    expected = SoftDiceLoss()(logits, label)
    mixed = MixedLoss([SoftDiceLoss(), PixelWeightedCELoss()], [1, 0])
    torch.testing.assert_close(mixed(logits, label), expected)
    # and does not mind the map that a study hands to all its variants
    torch.testing.assert_close(mixed(logits, label, torch.ones(2, 1, 6, 6)), expected)


def test_losses_of_overlapping_structures_mix_too():
    logits, target = overlapping((4, 5), 0)
    dice, bce = MultilabelDiceBCELoss(bce_weight=0), MultilabelBCELoss()
    mixed = MixedLoss([dice, bce], [1, 1])(logits, target)
    torch.testing.assert_close(mixed, MultilabelDiceBCELoss()(logits, target))


def test_monais_losses_get_logits_in_float32():
    logits, label = example((16, 16, 16), 0, batch=1)
    logits = logits.bfloat16()
    monai = DiceLoss(softmax=True, to_onehot_y=True, squared_pred=True)
    loss = MixedLoss([monai], [1])(logits, label)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, monai(logits.float(), label))


@pytest.mark.parametrize(
    ("losses", "weights", "message"),
    [
        ([SoftDiceLoss()], [1, 1], r"weights must be one for each of 1 losses, got \[1, 1\]"),
        ([SoftDiceLoss()], [-1], r"MixedLoss: weights\[0\] must be .* at least 0, got -1"),
        ([SoftDiceLoss()], [float("nan")], "at least 0, got nan"),
        ([SoftDiceLoss()], ["0.7"], "at least 0, got '0.7'"),
        ([SoftDiceLoss(), nn.Identity()], [0, 0], r"must have one above 0, got \[0, 0\]"),
        ([], [], "must have one above 0"),
        (["dice"], [1], r"losses\[0\] must be a torch module, got 'dice'"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(losses, weights, message):
    with pytest.raises(ValueError, match=message):
        MixedLoss(losses, weights)
