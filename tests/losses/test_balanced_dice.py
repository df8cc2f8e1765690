"""What the balanced Dice loss promises: its formula, V-Net's, and what an absent class costs."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.losses import DiceLoss

from medseg.losses import BalancedDiceLoss
from tests.losses.examples import certain, example, odds
from tests.strategies import seeds, spatial_shapes


def softmax(logits):
    p = np.exp(logits.numpy())
    return p / p.sum(axis=1, keepdims=True)


def test_the_formula_by_hand():
    # Probabilities of class 1: 0.5 and 0.8, its labels 1 and 0.
    # class 1: 2 * 0.5 / (1 + 0.25 + 0.64) = 1 / 1.89
    # class 0: p 0.5 and 0.2, y 0 and 1: 2 * 0.2 / (1 + 0.25 + 0.04) = 0.4 / 1.29
    logits, label = odds([[0.5, 0.8]]), torch.tensor([[[[1, 0]]]])
    loss = BalancedDiceLoss(eps=1e-12)
    assert loss(logits, label).item() == pytest.approx(1 - (1 / 1.89 + 0.4 / 1.29) / 2)
    foreground = BalancedDiceLoss(classes="foreground", eps=1e-12)
    assert foreground(logits, label).item() == pytest.approx(1 - 1 / 1.89)
    visible = BalancedDiceLoss(classes="foreground", eps=0.11)
    assert visible(logits, label).item() == pytest.approx(1 - 1 / 2)


@given(spatial=spatial_shapes, seed=seeds, eps=st.floats(1e-9, 1))
def test_it_is_the_mean_over_channels_and_batch(spatial, seed, eps):
    logits, label = example(spatial, seed)
    p = softmax(logits)
    y = np.stack([label.numpy()[:, 0] == c for c in range(3)], axis=1).astype(float)
    space = tuple(range(2, p.ndim))
    dice = 2 * (y * p).sum(space) / ((y * y + p * p).sum(space) + eps)
    assert dice.shape == (2, 3)
    assert BalancedDiceLoss(eps=eps)(logits, label).item() == pytest.approx(1 - dice.mean())


@given(spatial=spatial_shapes, seed=seeds)
def test_its_two_label_case_is_v_nets(spatial, seed):
    # V-Net, section 3: D = 2 Σ p g / (Σ p² + Σ g²), p and g of the foreground of one volume, and
    # dD/dp_j = 2 [g_j (Σ p² + Σ g²) - 2 p_j Σ p g] / (Σ p² + Σ g²)²
    logits, label = example(spatial, seed, batch=1, count=2)
    p, g = softmax(logits)[0, 1], label.numpy()[0, 0].astype(float)
    below = (p**2).sum() + (g**2).sum()
    v_net = 2 * (p * g).sum() / below
    slope = 2 * (g * below - 2 * p * (p * g).sum()) / below**2

    loss = BalancedDiceLoss(classes="foreground", eps=1e-15)(logits.requires_grad_(), label)
    assert loss.item() == pytest.approx(1 - v_net)
    # by the chain rule: a logit z of class 1 moves p by p (1 - p), that of class 0 the other way
    (gradient,) = torch.autograd.grad(loss, logits)
    np.testing.assert_allclose(gradient[0, 1].numpy(), -slope * p * (1 - p), atol=1e-12)
    np.testing.assert_allclose(gradient[0, 0].numpy(), slope * p * (1 - p), atol=1e-12)

    other = 2 * ((1 - p) * (1 - g)).sum() / (((1 - p) ** 2).sum() + ((1 - g) ** 2).sum())
    both = BalancedDiceLoss(eps=1e-15)(logits, label).item()
    assert both == pytest.approx(1 - (v_net + other) / 2)


@pytest.mark.parametrize("absent", ["missed", "matched"])
@pytest.mark.parametrize("average", ["batch", "case"])
@pytest.mark.parametrize("classes", ["all", "foreground"])
@given(spatial=spatial_shapes, seed=seeds)
def test_monais_squared_dice_is_the_same(spatial, seed, absent, average, classes):
    logits, label = example(spatial, seed)
    label[:, :, 0] = 0
    choices = {"absent": absent, "average": average, "classes": classes, "eps": 1e-3}
    monai = DiceLoss(
        softmax=True,
        to_onehot_y=True,
        squared_pred=True,
        include_background=classes == "all",
        batch=average == "batch",
        smooth_nr=1e-3 if absent == "matched" else 0,
        smooth_dr=1e-3,
    )
    torch.testing.assert_close(BalancedDiceLoss(**choices)(logits, label), monai(logits, label))


def test_a_small_structure_keeps_its_digits():
    # One voxel of a million. With its overlap as a difference of norms (MONAI) the gradient is
    # good to 1e-4, and off the structure to 1e-2.
    logits = torch.zeros(1, 2, 100, 100, 100, dtype=torch.float64)
    logits[0, 0] += torch.linspace(0, 3, 100, dtype=torch.float64)
    label = torch.zeros(1, 1, 100, 100, 100, dtype=torch.uint8)
    label[0, 0, 50, 50, 50] = 1
    loss = BalancedDiceLoss(classes="foreground")

    def found(precision):
        voxels = logits.to(precision).requires_grad_()
        (gradient,) = torch.autograd.grad(loss(voxels, label), voxels)
        return gradient.double()

    exact = found(torch.float64)
    error = (found(torch.float32) - exact).norm() / exact.norm()
    assert error < 1e-6


def test_a_class_counts_alike_however_few_voxels_it_has():
    # In each of two classes half the voxels are found and no others: dice 2/3 and 2/3.
    label = torch.tensor([[[[1] * 8 + [2] * 2 + [0] * 6]]])
    found = torch.tensor([[[[1] * 4 + [0] * 4 + [2] + [0] + [0] * 6]]])
    loss = BalancedDiceLoss(classes="foreground")(certain(found, 3), label)
    assert loss.item() == pytest.approx(1 / 3, abs=1e-5)


def test_an_absent_class_counts_as_missed_and_has_no_gradient():
    logits = torch.randn(1, 3, 4, 4, dtype=torch.float64)
    label = torch.tensor([[[[0, 1], [1, 0]]]]).repeat(1, 1, 2, 2)
    without = BalancedDiceLoss(ignore_index=None)(logits.requires_grad_(), label)
    p, y = logits.softmax(1), torch.stack([label == 0, label == 1], 1)[:, :, 0]
    present = 2 * (p[:, :2] * y).sum((2, 3)) / (y + p[:, :2] ** 2).sum((2, 3))
    torch.testing.assert_close(without, 1 - (present.sum() / 3), atol=1e-5, rtol=0)
    only = BalancedDiceLoss(classes="foreground")(logits, torch.zeros_like(label))
    assert only.item() == 1
    assert not torch.autograd.grad(only, logits)[0].any()


def test_an_absent_class_can_be_a_match_with_a_gradient():
    label = torch.zeros(1, 1, 4, 4, dtype=torch.long)
    loss = BalancedDiceLoss(classes="foreground", absent="matched", eps=1)
    assert loss(certain(label, 2), label).item() == 0
    # even odds in 16 voxels: (0 + 1) / (16 / 4 + 1) = 1/5
    logits = torch.zeros(1, 2, 4, 4, requires_grad=True)
    found = loss(logits, label)
    found.backward()
    assert found.item() == pytest.approx(1 - 1 / 5)
    assert (logits.grad[:, 1] > 0).all()  # down with class 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"average": "voxel"}, "BalancedDiceLoss: average must be one of batch, case, got 'voxel'"),
        ({"classes": "background"}, "classes must be one of all, foreground, got 'background'"),
        ({"absent": "ignored"}, "absent must be one of missed, matched, got 'ignored'"),
        ({"eps": 0}, "BalancedDiceLoss: eps must be a finite number above 0, got 0"),
        ({"eps": float("nan")}, "eps must be a finite number above 0, got nan"),
        ({"eps": "1e-5"}, "eps must be a finite number above 0, got '1e-5'"),
        ({"ignore_index": 0.5}, "ignore_index must be a whole number or None, got 0.5"),
        ({"ignore_index": True}, "ignore_index must be a whole number or None, got True"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        BalancedDiceLoss(**arguments)
