"""What the Tversky + cross-entropy loss promises."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.data import MetaTensor
from monai.losses import DiceLoss, TverskyLoss
from torch.nn.functional import cross_entropy

from medseg.losses import TverskyCELoss
from tests.strategies import seeds, spatial_shapes

averages = st.sampled_from(["batch", "case"])
classes = st.sampled_from(["all", "foreground"])


def example(spatial, seed, *, batch=2, count=3, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(batch, count, *spatial, generator=generator, dtype=dtype)
    return logits, torch.randint(0, count, (batch, 1, *spatial), generator=generator)


def certain(label, count):
    """Logits whose softmax is 0 or 1 to the last bit of float32."""
    return 200 * torch.nn.functional.one_hot(label[:, 0], count).movedim(-1, 1).float()


def tversky(*args, **choices) -> TverskyCELoss:
    return TverskyCELoss(*args, ce_weight=0, **choices)


def test_each_error_has_its_own_weight_by_hand():
    # label has 4 foreground voxels of 8; the prediction finds 2 of them and marks 1 other.
    # foreground: TP 2, FP 1, FN 2: 2 / (2 + 0.7*1 + 0.3*2) = 2 / 3.3
    # background: TP 3, FP 2, FN 1: 3 / (3 + 0.7*2 + 0.3*1) = 3 / 4.7
    label = torch.tensor([[[[1, 1, 1, 1], [0, 0, 0, 0]]]])
    found = torch.tensor([[[[1, 1, 0, 0], [1, 0, 0, 0]]]])
    loss = tversky()(certain(found, 2), label).item()
    assert loss == pytest.approx(1 - (2 / 3.3 + 3 / 4.7) / 2, abs=1e-5)
    foreground = tversky(classes="foreground")(certain(found, 2), label).item()
    assert foreground == pytest.approx(1 - 2 / 3.3, abs=1e-5)


def test_swapping_the_weights_swaps_which_error_costs_more():
    # 4 of 8 voxels are foreground. Too much: TP 4, FP 2, FN 0; too little: TP 2, FP 0, FN 2
    label = torch.tensor([[[[1, 1, 1, 1, 0, 0, 0, 0]]]])
    too_much = certain(torch.tensor([[[[1, 1, 1, 1, 1, 1, 0, 0]]]]), 2)
    too_little = certain(torch.tensor([[[[1, 1, 0, 0, 0, 0, 0, 0]]]]), 2)
    hard_on_fp = tversky(fp_weight=0.7, fn_weight=0.3, classes="foreground")
    hard_on_fn = tversky(fp_weight=0.3, fn_weight=0.7, classes="foreground")
    assert hard_on_fp(too_much, label).item() == pytest.approx(1 - 4 / 5.4, abs=1e-5)
    assert hard_on_fn(too_much, label).item() == pytest.approx(1 - 4 / 4.6, abs=1e-5)
    assert hard_on_fp(too_little, label).item() == pytest.approx(1 - 2 / 2.6, abs=1e-5)
    assert hard_on_fn(too_little, label).item() == pytest.approx(1 - 2 / 3.4, abs=1e-5)


def test_batch_and_case_averages_by_hand():
    # The first case has TP 1, FP 1, FN 0, Dice 2/3; the second TP 2, FP 0, FN 0, Dice 1;
    # each case by itself: (1/3 + 0) / 2 = 1/6; together TP 3, FP 1: 1 - 6/7 = 1/7
    label = torch.tensor([[[[1, 0, 0]]], [[[1, 1, 0]]]])
    found = certain(torch.tensor([[[[1, 1, 0]]], [[[1, 1, 0]]]]), 2)
    dice = {"fp_weight": 0.5, "fn_weight": 0.5, "classes": "foreground"}
    assert tversky(**dice, average="case")(found, label).item() == pytest.approx(1 / 6, abs=1e-5)
    assert tversky(**dice, average="batch")(found, label).item() == pytest.approx(1 / 7, abs=1e-5)


@given(spatial=spatial_shapes, seed=seeds, average=averages, which=classes)
def test_at_one_half_and_one_half_it_is_soft_dice(spatial, seed, average, which):
    logits, label = example(spatial, seed)
    ours = tversky(0.5, 0.5, average=average, classes=which, smooth=1e-9)(logits, label).item()

    p = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(axis=1, keepdims=True)
    g = np.stack([label.numpy()[:, 0] == c for c in range(3)], axis=1)
    if average == "batch":
        p, g = (np.moveaxis(a, 1, 0).reshape(1, 3, -1) for a in (p, g))
    p, g = p.reshape(*p.shape[:2], -1), g.reshape(*g.shape[:2], -1)
    dice = (2 * (p * g).sum(-1) + 1e-9) / (p.sum(-1) + g.sum(-1) + 1e-9)
    start = 1 if which == "foreground" else 0
    assert ours == pytest.approx(1 - dice[:, start:].mean(), abs=1e-7)

    monai = DiceLoss(
        softmax=True,
        to_onehot_y=True,
        batch=average == "batch",
        include_background=which == "all",
        smooth_nr=1e-9,
        smooth_dr=1e-9,
    )
    assert ours == pytest.approx(monai(logits, label).item(), abs=1e-7)


@given(
    spatial=spatial_shapes,
    seed=seeds,
    errors=st.tuples(st.floats(0.1, 2), st.floats(0.1, 2)),
    average=averages,
    which=classes,
)
def test_value_and_gradient_are_monais(spatial, seed, errors, average, which):
    logits, label = example(spatial, seed)
    monai = TverskyLoss(
        alpha=errors[0],
        beta=errors[1],
        softmax=True,
        to_onehot_y=True,
        batch=average == "batch",
        include_background=which == "all",
    )
    found, expected = (
        (value, torch.autograd.grad(value, given)[0])
        for loss in (tversky(*errors, average=average, classes=which), monai)
        for given in [logits.clone().requires_grad_()]
        for value in [loss(given, label)]
    )
    torch.testing.assert_close(found, expected)


@given(spatial=spatial_shapes, seed=seeds, ce_weight=st.floats(0, 3))
def test_the_cross_entropy_is_torchs(spatial, seed, ce_weight):
    logits, label = example(spatial, seed)
    weights = [0.2, 1.0, 3.0]
    found = TverskyCELoss(ce_weight=ce_weight, class_weights=weights)(logits, label)
    overlap = tversky(class_weights=weights)(logits, label)
    expected = cross_entropy(logits, label[:, 0], weight=logits.new_tensor(weights))
    torch.testing.assert_close(found - overlap, ce_weight * expected)


def test_class_weights_by_hand():
    # certain of class 0 everywhere; label 0, 0, 1, 2 of four voxels.
    # Dice: class 0: 2*2/(4+2) = 2/3, classes 1 and 2: 0. Weights 1, 2, 5: (1/3 + 2 + 5) / 8
    # classes 1 and 2 alone: 1
    label = torch.tensor([[[[0, 0, 1, 2]]]])
    found = certain(torch.zeros_like(label), 3)
    weights = [1, 2, 5]
    weighted = tversky(0.5, 0.5, class_weights=weights)(found, label)
    assert weighted.item() == pytest.approx((1 / 3 + 2 + 5) / 8, abs=1e-4)
    only = tversky(0.5, 0.5, class_weights=weights, classes="foreground")(found, label)
    assert only.item() == pytest.approx(1, abs=1e-4)
    # even odds: log 3 in each voxel, so any weighted mean is log 3
    even = TverskyCELoss(class_weights=weights)(torch.zeros(1, 3, 1, 4), label)
    # Tversky of even odds: p = 1/3; class 0: TP 2/3, FP 2/3, FN 4/3; 1, 2: TP 1/3, FP 1, FN 2/3
    first, other = 2 / (2 + 0.7 * 2 + 0.3 * 4), 1 / (1 + 0.7 * 3 + 0.3 * 2)
    overlap = 1 - (1 * first + 2 * other + 5 * other) / 8
    assert even.item() == pytest.approx(overlap + math.log(3), abs=1e-4)


@given(seed=seeds, average=averages)
def test_equal_class_weights_are_none(seed, average):
    logits, label = example((5, 6), seed)
    weighted = TverskyCELoss(class_weights=[4, 4, 4], average=average)(logits, label)
    torch.testing.assert_close(weighted, TverskyCELoss(average=average)(logits, label))


@given(seed=seeds, order=st.permutations([0, 1, 2]), average=averages)
def test_the_names_of_the_classes_do_not_matter(seed, order, average):
    logits, label = example((4, 5), seed)
    weights = [0.5, 1.0, 2.0]
    before = TverskyCELoss(class_weights=weights, average=average)(logits, label)
    renamed = torch.tensor([order.index(value) for value in range(3)])[label]
    after = TverskyCELoss(class_weights=[weights[c] for c in order], average=average)
    torch.testing.assert_close(after(logits[:, order], renamed), before)


@given(spatial=spatial_shapes, seed=seeds, data=st.data())
def test_flipping_the_space_changes_nothing(spatial, seed, data):
    logits, label = example(spatial, seed)
    axes = data.draw(st.lists(st.integers(2, 1 + len(spatial)), min_size=1, unique=True))
    loss = TverskyCELoss(class_weights=[1, 2, 3])
    torch.testing.assert_close(loss(logits.flip(axes), label.flip(axes)), loss(logits, label))


@given(spatial=spatial_shapes, seed=seeds, average=averages, which=classes)
def test_it_is_bounded_and_has_a_gradient(spatial, seed, average, which):
    logits, label = example(spatial, seed, dtype=torch.float32)
    logits.requires_grad_()
    loss = tversky(average=average, classes=which)(logits, label)
    assert 0 <= loss.item() <= 1
    whole = TverskyCELoss(average=average, classes=which)(logits, label)
    assert whole >= loss
    whole.backward()
    assert torch.isfinite(logits.grad).all()
    assert logits.grad.any()


@pytest.mark.parametrize("average", ["batch", "case"])
@pytest.mark.parametrize("ignore_index", [None, 1, 255])
def test_the_gradient_is_the_slope(average, ignore_index):
    logits, label = example((2, 3), 0)
    loss = TverskyCELoss(class_weights=[1, 2, 3], average=average, ignore_index=ignore_index)
    assert torch.autograd.gradcheck(lambda x: loss(x, label), logits.requires_grad_())


def test_a_perfect_prediction_costs_nothing():
    label = torch.tensor([[[[0, 1], [2, 1]]]])
    assert TverskyCELoss()(certain(label, 3), label).item() == pytest.approx(0, abs=1e-6)


def test_a_class_absent_from_both_counts_as_a_perfect_match():
    # class 2 is nowhere; class 1: TP 1, FP 1: Dice 2/3; class 0: TP 2, FN 1: Dice 4/5
    label = torch.tensor([[[[0, 0, 0, 1]]]])
    found = certain(torch.tensor([[[[0, 0, 1, 1]]]]), 3)
    loss = tversky(0.5, 0.5)(found, label).item()
    assert loss == pytest.approx((1 / 5 + 1 / 3 + 0) / 3, abs=1e-5)


@given(seed=seeds, average=averages, ignore_index=st.sampled_from([-1, 1, 255]))
def test_ignoring_voxels_is_cropping_them_away(seed, average, ignore_index):
    logits, label = example((6, 5), seed)
    if ignore_index == 1:
        label[label == 1] = 2  # so that none but the ignored voxels hold it
    loss = TverskyCELoss(class_weights=[1, 2, 3], average=average, ignore_index=ignore_index)
    cropped = loss(logits[:, :, :4], label[:, :, :4])
    label[:, :, 4:] = ignore_index
    logits.requires_grad_()
    found = loss(logits, label)
    torch.testing.assert_close(found, cropped)
    found.backward()
    assert not logits.grad[:, :, 4:].any()
    assert logits.grad[:, :, :4].any()


@pytest.mark.parametrize("average", ["batch", "case"])
def test_if_all_voxels_are_ignored_the_loss_is_zero_and_so_is_its_gradient(average):
    logits = torch.randn(2, 3, 4, 4, requires_grad=True)
    loss = TverskyCELoss(ignore_index=-1, average=average)(logits, torch.full((2, 1, 4, 4), -1))
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_if_only_classes_of_weight_zero_are_there_the_cross_entropy_is_zero():
    logits, label = torch.randn(1, 3, 4, 4), torch.zeros(1, 1, 4, 4)
    weights = [0, 1, 1]
    loss = TverskyCELoss(class_weights=weights)(logits, label)
    assert torch.isfinite(loss)
    assert torch.equal(loss, tversky(class_weights=weights)(logits, label))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_logits_are_counted_in_float32(dtype):
    # 32^3 voxels: a sum in bfloat16 would stop growing at 256
    logits, label = example((32, 32, 32), 0, batch=1)
    logits = logits.to(dtype)
    expected = TverskyCELoss()(logits.double(), label)
    with torch.autocast("cpu", torch.bfloat16):
        loss = TverskyCELoss()(logits, label)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=0)


def test_extreme_logits_stay_finite():
    label = torch.tensor([[[[0, 1]]]])
    logits = torch.tensor([[[[-1e4, 1e4]], [[1e4, -1e4]]]], requires_grad=True)
    loss = TverskyCELoss()(logits, label)
    loss.backward()
    # all wrong: Tversky term 1, cross entropy the gap of 2e4
    assert loss.item() == pytest.approx(1 + 2e4)
    assert torch.isfinite(logits.grad).all()


def test_images_with_meta_data_give_a_plain_number():
    logits, label = example((4, 4), 0)
    loss = TverskyCELoss()(MetaTensor(logits), MetaTensor(label))
    assert type(loss) is torch.Tensor
    torch.testing.assert_close(loss, TverskyCELoss()(logits, label))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fp_weight": -0.1}, "fp_weight must be a finite number of at least 0, got -0.1"),
        ({"fn_weight": float("nan")}, "fn_weight must be a finite number of at least 0, got nan"),
        (
            {"fp_weight": 0, "fn_weight": 0},
            r"fp_weight \+ fn_weight must be .* above 0",
        ),
        ({"ce_weight": -1}, "ce_weight must be a finite number of at least 0, got -1"),
        ({"class_weights": [1, -2]}, r"class_weights\[1\] must be a finite number .* got -2"),
        ({"class_weights": [0, 0]}, "TverskyCELoss: class_weights must have one above 0"),
        (
            {"class_weights": [1, 0], "classes": "foreground"},
            "classes that count must have one above 0, got .0.",
        ),
        ({"class_weights": []}, "class_weights must have one above 0"),
        ({"average": "voxel"}, "average must be one of batch, case, got 'voxel'"),
        ({"ignore_index": 0.5}, "TverskyCELoss: ignore_index must be a whole number or None"),
        ({"classes": "background"}, "classes must be one of .*, got 'background'"),
        ({"smooth": 0}, "TverskyCELoss: smooth must be a finite number above 0, got 0"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        TverskyCELoss(**arguments)


@pytest.mark.parametrize(
    ("logits", "label", "message"),
    [
        ((1, 2, 8, 8), (1, 1, 8, 9), r"logits \(1, 2, 8, 8\) and label \(1, 1, 8, 9\)"),
        ((1, 1, 8, 8), (1, 1, 8, 8), "logits must have at least 2 classes, .* got 1"),
        ((1, 2, 8, 8), (1, 2, 8, 8), "label must have one channel of class indices, got 2"),
    ],
)
def test_shapes_that_do_not_fit_are_named(logits, label, message):
    with pytest.raises(ValueError, match=message):
        TverskyCELoss()(torch.zeros(logits), torch.zeros(label))


def test_class_weights_must_be_as_many_as_classes():
    with pytest.raises(ValueError, match="class_weights must be one for each of 3 classes, got 2"):
        TverskyCELoss(class_weights=[1, 2])(torch.zeros(1, 3, 4, 4), torch.zeros(1, 1, 4, 4))


def test_a_label_value_that_is_no_class_is_named():
    with pytest.raises(ValueError, match="label values must be 0 to 1, got 7"):
        TverskyCELoss()(torch.zeros(1, 2, 4, 4), torch.full((1, 1, 4, 4), 7))
