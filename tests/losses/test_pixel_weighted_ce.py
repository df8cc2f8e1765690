"""What the pixel-weighted cross entropy promises: the paper's energy, with the border map."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from torch.nn.functional import cross_entropy

from medseg.losses import PixelWeightedCELoss
from medseg.transforms.border_weight import border_weight
from tests.losses.examples import example, odds
from tests.strategies import seeds, spatial_shapes


def test_the_formula_by_hand():
    # Probabilities of class 1: 0.5 and 0.8, labels 1 and 0; weights 3 and 2.
    # (3 * -log 0.5 + 2 * -log 0.2) / 2 pixels
    loss = PixelWeightedCELoss()(
        odds([[0.5, 0.8]]), torch.tensor([[[[1, 0]]]]), torch.tensor([[[[3.0, 2.0]]]])
    )
    assert loss.item() == pytest.approx((3 * math.log(2) + 2 * math.log(5)) / 2)


@given(spatial=spatial_shapes, seed=seeds)
def test_with_weights_of_one_it_is_the_cross_entropy(spatial, seed):
    logits, label = example(spatial, seed)
    loss = PixelWeightedCELoss()(logits, label, torch.ones_like(label))
    torch.testing.assert_close(loss, cross_entropy(logits, label[:, 0]))


@given(spatial=spatial_shapes, seed=seeds)
def test_it_is_the_papers_sum_over_the_number_of_pixels(spatial, seed):
    logits, label = example(spatial, seed)
    weight = torch.rand(label.shape, generator=torch.Generator().manual_seed(seed))
    loss = PixelWeightedCELoss()(logits, label, weight)
    each = cross_entropy(logits, label[:, 0], reduction="none")
    torch.testing.assert_close(loss, (weight[:, 0] * each).sum() / label.numel())
    # in proportion to the weights, so it grows with them
    torch.testing.assert_close(PixelWeightedCELoss()(logits, label, 10 * weight), 10 * loss)


def test_a_pixel_of_weight_zero_has_no_gradient_and_counts_among_the_pixels():
    logits, label = torch.zeros(1, 2, 1, 4, requires_grad=True), torch.zeros(1, 1, 1, 4)
    loss = PixelWeightedCELoss()(logits, label, torch.tensor([[[[0.0, 0, 1, 1]]]]))
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2) / 2)
    assert (logits.grad[0, 0, 0] != 0).tolist() == [False, False, True, True]


def test_ignored_pixels_do_not_count_among_the_pixels():
    logits = torch.zeros(1, 2, 1, 4)
    label = torch.tensor([[[[0, 1, 255, 255]]]])
    loss = PixelWeightedCELoss(ignore_index=255)(logits, label, torch.ones(1, 1, 1, 4))
    assert loss.item() == pytest.approx(math.log(2))


def test_a_filled_gap_costs_most_under_the_border_map():
    # two cells, a gap of two columns: the same number of wrong pixels costs more in the gap
    # than at the edge of the image
    cells = np.zeros((12, 20), dtype=np.uint8)
    cells[2:10, 3:9], cells[2:10, 11:17] = 1, 2
    weight = torch.from_numpy(border_weight(cells))[None, None]
    label = torch.from_numpy((cells > 0).astype(np.uint8))[None, None]

    def cost(columns):
        said = label.clone()
        said[..., 2:10, columns] = 1
        logits = 10 * torch.cat([1 - said, said], dim=1).float()
        return PixelWeightedCELoss()(logits, label, weight).item()

    assert cost(slice(9, 11)) > 3 * cost(slice(0, 2)) > 0


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_named(value):
    weight = torch.ones(1, 1, 4, 4)
    weight[0, 0, 2, 3] = value
    with pytest.raises(ValueError, match=f"weights must be finite and at least 0, got {value:g}"):
        PixelWeightedCELoss()(torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4), weight)


def test_a_weight_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"weight \(1, 4, 4\) and label \(1, 1, 4, 4\)"):
        PixelWeightedCELoss()(torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4), torch.ones(1, 4, 4))


def test_without_a_map_the_error_says_how_to_pass_one():
    with pytest.raises(ValueError, match=r"no weight map.*medseg\.training\.WeightedBatch"):
        PixelWeightedCELoss()(torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4))


def test_a_wrong_argument_is_refused_by_name():
    with pytest.raises(ValueError, match="PixelWeightedCELoss: ignore_index must be a whole"):
        PixelWeightedCELoss(ignore_index=1.5)
