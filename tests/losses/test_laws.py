"""What every loss of exclusive classes, and every loss of overlapping structures, promises."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.data import MetaTensor

import medseg.losses
from medseg.losses import (
    BalancedDiceLoss,
    DeepSupervision,
    JaccardLoss,
    MixedLoss,
    MultilabelBCELoss,
    MultilabelDiceBCELoss,
    PixelWeightedCELoss,
    SoftDiceLoss,
    TverskyCELoss,
)
from tests.losses.examples import certain, example, overlapping
from tests.strategies import seeds, spatial_shapes

OVERLAPS = [BalancedDiceLoss, SoftDiceLoss, JaccardLoss]
IGNORING = [*OVERLAPS, PixelWeightedCELoss]
MULTILABEL = [MultilabelBCELoss, MultilabelDiceBCELoss]
averages = st.sampled_from(["batch", "case"])
classes = st.sampled_from(["all", "foreground"])


def weights_of(label, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.rand(label.shape, generator=generator, dtype=torch.float64)


class Weighted(torch.nn.Module):
    """The pixel-weighted loss with weights that depend on the place only."""

    def __init__(self):
        super().__init__()
        self.loss = PixelWeightedCELoss()

    def forward(self, logits, label):
        return self.loss(logits, label, weights_of(label))


# Of exclusive classes, with logits and an index label: every loss of the package that takes just
# these two, so that a new one is held by these laws without being named here.
OTHERS = {DeepSupervision, MixedLoss, PixelWeightedCELoss, *MULTILABEL}
LOSSES = [getattr(medseg.losses, name) for name in medseg.losses.__all__]
EXCLUSIVE = {
    **{loss.__name__: loss() for loss in LOSSES if loss not in OTHERS},
    "BalancedDiceLoss, matched": BalancedDiceLoss(absent="matched", average="batch"),
    "DeepSupervision": DeepSupervision(TverskyCELoss()),
    "PixelWeightedCELoss": Weighted(),
    "MixedLoss": MixedLoss([SoftDiceLoss(), JaccardLoss(), TverskyCELoss()], [0.7, 0.3, 1]),
}
exclusive = pytest.mark.parametrize("name", EXCLUSIVE)


@pytest.mark.parametrize("kind", OVERLAPS)
@given(spatial=spatial_shapes, seed=seeds, average=averages, which=classes)
def test_an_overlap_is_bounded_and_has_a_gradient(kind, spatial, seed, average, which):
    logits, label = example(spatial, seed, dtype=torch.float32)
    loss = kind(average=average, classes=which)(logits.requires_grad_(), label)
    loss.backward()
    assert 0 <= loss.item() <= 1
    assert torch.isfinite(logits.grad).all()
    assert logits.grad.any()


@pytest.mark.parametrize("kind", OVERLAPS)
@given(spatial=spatial_shapes, seed=seeds, average=averages, which=classes)
def test_prediction_and_label_may_change_places(kind, spatial, seed, average, which):
    loss = kind(average=average, classes=which)
    (_, first), (_, second) = example(spatial, seed), example(spatial, seed + 1)
    there = loss(certain(first, 3), second)
    torch.testing.assert_close(loss(certain(second, 3), first), there)


@pytest.mark.parametrize("kind", OVERLAPS)
@pytest.mark.parametrize("average", ["batch", "case"])
def test_a_perfect_overlap_costs_nothing_and_none_costs_one(kind, average):
    label = torch.tensor([[[[0, 1], [2, 1]]]])
    loss = kind(average=average)
    assert loss(certain(label, 3), label).item() == pytest.approx(0, abs=2e-5)
    assert loss(certain((label + 1) % 3, 3), label).item() == pytest.approx(1, abs=2e-5)


@exclusive
@given(seed=seeds, order=st.permutations([0, 1, 2]))
def test_the_names_of_the_classes_do_not_matter(name, seed, order):
    logits, label = example((4, 5), seed)
    renamed = torch.tensor([order.index(value) for value in range(3)])[label]
    before = EXCLUSIVE[name](logits, label)
    torch.testing.assert_close(EXCLUSIVE[name](logits[:, order], renamed), before)


@pytest.mark.parametrize("kind", [*OVERLAPS, PixelWeightedCELoss])
@given(spatial=spatial_shapes, seed=seeds, data=st.data())
def test_flipping_the_space_and_reordering_the_cases_change_nothing(kind, spatial, seed, data):
    axes = data.draw(st.lists(st.integers(2, 1 + len(spatial)), min_size=1, unique=True))
    logits, label = example(spatial, seed, batch=3)
    tensors = [logits, label, *([weights_of(label)] if kind is PixelWeightedCELoss else [])]
    moved = [tensor.flip(axes)[[2, 0, 1]] for tensor in tensors]
    torch.testing.assert_close(kind()(*moved), kind()(*tensors))


@exclusive
def test_the_gradient_is_the_slope(name):
    logits, label = example((2, 3), 0)
    label[label == 2] = 1  # class 2 is nowhere
    assert torch.autograd.gradcheck(lambda x: EXCLUSIVE[name](x, label), logits.requires_grad_())


@pytest.mark.parametrize("kind", IGNORING)
@given(seed=seeds, ignore_index=st.sampled_from([-1, 1, 255]))
def test_ignoring_voxels_is_cropping_them_away(kind, seed, ignore_index):
    logits, label = example((6, 5), seed)
    if ignore_index == 1:
        label[label == 1] = 2  # so that none but the ignored voxels hold it
    tensors = [logits, label, *([weights_of(label)] if kind is PixelWeightedCELoss else [])]
    loss = kind(ignore_index=ignore_index)
    cropped = loss(*(tensor[:, :, :4] for tensor in tensors))
    label[:, :, 4:] = ignore_index
    found = loss(logits.requires_grad_(), *tensors[1:])
    torch.testing.assert_close(found, cropped)
    found.backward()
    assert not logits.grad[:, :, 4:].any()
    assert logits.grad[:, :, :4].any()


@pytest.mark.parametrize("kind", IGNORING)
def test_if_all_voxels_are_ignored_the_gradient_is_zero(kind):
    logits = torch.randn(2, 3, 4, 4, requires_grad=True)
    label = torch.full((2, 1, 4, 4), -1)
    weight = [torch.ones(2, 1, 4, 4)] if kind is PixelWeightedCELoss else []
    loss = kind(ignore_index=-1)(logits, label, *weight)
    loss.backward()
    # absent from label and prediction: a match, but for V-Net's formula
    assert loss.item() == pytest.approx(1 if kind is BalancedDiceLoss else 0, abs=1e-6)
    assert torch.equal(logits.grad, torch.zeros_like(logits))


@exclusive
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_logits_are_counted_in_float32(name, dtype):
    # 32^3 voxels: a sum in bfloat16 would stop growing at 256
    logits, label = example((32, 32, 32), 0, batch=1)
    logits = logits.to(dtype)
    expected = EXCLUSIVE[name](logits.double(), label)
    with torch.autocast("cpu", torch.bfloat16):
        loss = EXCLUSIVE[name](logits, label)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=0)


@exclusive
def test_extreme_logits_stay_finite(name):
    logits = torch.tensor([[[[-1e4, 1e4]], [[1e4, -1e4]]]], requires_grad=True)
    loss = EXCLUSIVE[name](logits, torch.tensor([[[[0, 1]]]]))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


@exclusive
def test_images_with_meta_data_give_a_plain_number(name):
    logits, label = example((4, 4), 0)
    loss = EXCLUSIVE[name](MetaTensor(logits), MetaTensor(label))
    assert type(loss) is torch.Tensor
    torch.testing.assert_close(loss, EXCLUSIVE[name](logits, label))


@exclusive
@pytest.mark.parametrize(
    ("logits", "label", "message"),
    [
        ((1, 2, 8, 8), (1, 1, 8, 9), r"logits \(1, 2, 8, 8\) and label \(1, 1, 8, 9\)"),
        ((1, 1, 8, 8), (1, 1, 8, 8), "logits must have at least 2 classes, .* got 1"),
        ((1, 2, 8, 8), (1, 2, 8, 8), "label must have one channel of class indices, got 2"),
    ],
)
def test_shapes_that_do_not_fit_are_named(name, logits, label, message):
    with pytest.raises(ValueError, match=message):
        EXCLUSIVE[name](torch.zeros(logits), torch.zeros(label))


@exclusive
def test_a_label_value_that_is_no_class_is_named(name):
    with pytest.raises(ValueError, match="label values must be 0 to 1, got 7"):
        EXCLUSIVE[name](torch.zeros(1, 2, 4, 4), torch.full((1, 1, 4, 4), 7))


@pytest.mark.parametrize("kind", MULTILABEL)
@given(spatial=spatial_shapes, seed=seeds, order=st.permutations([0, 1, 2]))
def test_the_order_of_the_structures_does_not_matter(kind, spatial, seed, order):
    logits, target = overlapping(spatial, seed)
    before = kind(positive_weights=[1, 2, 5])(logits, target)
    after = kind(positive_weights=[[1, 2, 5][c] for c in order])
    torch.testing.assert_close(after(logits[:, order], target[:, order]), before)


@pytest.mark.parametrize("kind", MULTILABEL)
@given(spatial=spatial_shapes, seed=seeds)
def test_swapping_0_and_1_in_target_and_logits_changes_nothing(kind, spatial, seed):
    # The binary cross-entropy of the complement of a structure is the same. The Dice loss is not,
    # and is left out.
    logits, target = overlapping(spatial, seed)
    loss = kind(dice_weight=0) if kind is MultilabelDiceBCELoss else kind()
    torch.testing.assert_close(loss(-logits, 1 - target), loss(logits, target))


@pytest.mark.parametrize("kind", MULTILABEL)
def test_the_gradient_of_structures_is_the_slope(kind):
    logits, target = overlapping((2, 3), 0)
    target[:, 2] = 0
    loss = kind(positive_weights=[1, 2, 3])
    assert torch.autograd.gradcheck(lambda x: loss(x, target), logits.requires_grad_())


@pytest.mark.parametrize("kind", MULTILABEL)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_logits_of_structures_are_counted_in_float32(kind, dtype):
    logits, target = overlapping((32, 32, 32), 0, batch=1)
    logits = logits.to(dtype)
    loss = kind()(logits, target)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss.double(), kind()(logits.double(), target), rtol=1e-5, atol=0)


@pytest.mark.parametrize("kind", MULTILABEL)
@pytest.mark.parametrize(
    "dtype", [torch.bool, torch.uint8, torch.uint16, torch.int64, torch.float16, torch.float64]
)
def test_a_target_may_have_any_dtype_and_meta_data(kind, dtype):
    logits, target = overlapping((4, 5), 0, dtype=torch.float32)
    loss = kind()(MetaTensor(logits), MetaTensor(target.to(dtype)))
    assert type(loss) is torch.Tensor
    torch.testing.assert_close(loss, kind()(logits, target))


@pytest.mark.parametrize("kind", MULTILABEL)
def test_certain_answers_stay_finite_right_or_wrong(kind):
    logits = torch.tensor([[[[-1e4, 1e4, 1e4]]]], requires_grad=True)
    loss = kind()(logits, torch.tensor([[[[0, 1, 0]]]]))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("kind", MULTILABEL)
def test_an_index_label_is_refused_where_structures_are_asked_for(kind):
    with pytest.raises(ValueError, match=r"one channel a structure, got .* target \(1, 1, 4, 4\)"):
        kind()(torch.zeros(1, 3, 4, 4), torch.zeros(1, 1, 4, 4))


@pytest.mark.parametrize("kind", MULTILABEL)
@pytest.mark.parametrize("value", [2, 0.5, -1, float("nan")])
def test_a_target_value_that_is_neither_yes_nor_no_is_named(kind, value):
    with pytest.raises(ValueError, match=f"target values must be 0 or 1, .* got {value}"):
        kind()(torch.zeros(1, 1, 4, 4), torch.full((1, 1, 4, 4), value))


@pytest.mark.parametrize("kind", MULTILABEL)
def test_positive_weights_must_be_as_many_as_channels(kind):
    with pytest.raises(ValueError, match=r"positive_weights must be one for each of 3 .* got 2"):
        kind(positive_weights=[1, 2])(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4))
