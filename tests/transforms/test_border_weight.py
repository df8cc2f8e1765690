"""The border weight map against its equation, pixel by pixel and cell by cell."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from monai.data import MetaTensor

from medseg.errors import DataError, UsageError
from medseg.transforms import BorderWeightd, part_touching
from medseg.transforms.border_weight import border_weight
from tests.strategies import spatial_shapes

instance_labels = spatial_shapes.flatmap(
    lambda shape: hnp.arrays(np.uint8, shape, elements=st.sampled_from([0] * 12 + [1, 2, 3, 200]))
)


def by_the_equation(instances, w0, sigma_px, size):
    """Equation 2 with w_c = 1: all distances from every pixel to every pixel of every cell."""
    cells = part_touching(instances)
    values = [value for value in np.unique(cells) if value]
    weight = np.ones(cells.shape)
    for x in np.argwhere(cells == 0):
        gaps = ((np.argwhere(cells == value) - x) * size for value in values)
        distances = sorted(np.sqrt((gap**2).sum(axis=1)).min() for gap in gaps)
        if len(distances) > 1:
            d1, d2 = distances[:2]
            weight[tuple(x)] += w0 * math.exp(-((d1 + d2) ** 2) / (2 * sigma_px**2))
    return weight


def test_a_gap_of_three_pixels_by_hand():
    # In the middle d1 = d2 = 2; beside a cell d1 = 1, d2 = 3: the sum is 4 at all three.
    cells = np.array([[1, 0, 0, 0, 2]])
    gap = 1 + 10 * math.exp(-(4**2) / (2 * 5**2))
    weight = border_weight(cells, class_weights=None)
    assert weight.dtype == np.float32
    np.testing.assert_allclose(weight, [[1, gap, gap, gap, 1]], rtol=1e-6)


def test_the_line_between_touching_cells_has_the_largest_weight():
    cells = np.zeros((9, 12), dtype=np.uint16)
    cells[:, :5], cells[:, 5:8] = 1, 2
    weight = border_weight(cells, class_weights=None)
    # Column 4 was taken from the larger cell: d1 = d2 = 1.
    np.testing.assert_allclose(weight[:, 4], 1 + 10 * math.exp(-4 / 50), rtol=1e-6)
    assert (weight[:, [0, 1, 2, 3, 5, 6, 7]] == 1).all()
    assert weight.argmax() % 12 == 4


@given(
    cells=instance_labels,
    w0=st.sampled_from([0.0, 1.0, 10.0]),
    sigma_px=st.sampled_from([0.5, 1.0, 2.0, 5.0]),
    size=st.sampled_from([1.0, 0.5, 3.0]),
)
def test_every_pixel_has_the_weight_of_the_equation(cells, w0, sigma_px, size):
    sizes = (size,) + (1.0,) * (cells.ndim - 1)
    expected = by_the_equation(cells, w0, sigma_px, np.array(sizes))
    weight = border_weight(cells, w0=w0, sigma_px=sigma_px, class_weights=None, voxel_size_px=sizes)
    np.testing.assert_allclose(weight, expected, rtol=1e-6, atol=1e-6)


def test_weights_out_of_reach_are_negligible():
    # Cells wide apart, sigma small: the boxes around them do not meet.
    rng = np.random.default_rng(3)
    cells = np.zeros((40, 60), dtype=np.int32)
    for value, (i, j) in enumerate(rng.integers(0, (38, 58), (25, 2)), start=1):
        cells[i : i + 2, j : j + 2] = value
    expected = by_the_equation(cells, 10.0, 1.5, np.ones(2))
    weight = border_weight(cells, sigma_px=1.5, class_weights=None)
    np.testing.assert_allclose(weight, expected, rtol=1e-6)


@given(cells=instance_labels)
def test_a_volume_of_one_slice_has_the_map_of_its_slice(cells):
    if cells.ndim == 3:
        cells = cells[..., 0]
    volume = border_weight(cells[..., None])
    np.testing.assert_array_equal(volume[..., 0], border_weight(cells))


@given(cells=instance_labels)
def test_balanced_classes_have_the_same_sum_and_a_mean_of_one(cells):
    foreground = part_touching(cells) > 0
    weight = border_weight(cells, w0=0.0)
    assert weight.mean() == pytest.approx(1, rel=1e-5)
    if foreground.any() and not foreground.all():
        assert weight[foreground].sum() == pytest.approx(weight[~foreground].sum(), rel=1e-5)


def test_class_weights_can_be_given():
    weight = border_weight(np.array([[0, 0, 1]]), class_weights=[0.5, 2.0])
    assert weight.tolist() == [[0.5, 0.5, 2.0]]


@pytest.mark.parametrize("value", [0, 7])
def test_with_one_cell_or_none_there_is_no_gap(value):
    cells = np.zeros((12, 12), dtype=np.uint8)
    cells[4:8, 4:8] = value
    assert (border_weight(cells, class_weights=None) == 1).all()


def test_one_cell_everywhere_weighs_one():
    assert (border_weight(np.full((4, 4), 3, dtype=np.uint8)) == 1).all()


def test_a_cell_in_two_pieces_is_one_cell():
    assert (border_weight(np.array([[5, 0, 5]]), class_weights=None) == 1).all()


@pytest.mark.parametrize("wrap", [np.asarray, torch.as_tensor, MetaTensor])
def test_the_map_is_added_and_the_label_left_alone(wrap):
    before = {"label": wrap(np.array([[[1, 0, 2]]], dtype=np.float32)), "image": "untouched"}
    after = BorderWeightd(keys="label", class_weights=None)(before)
    assert type(after["weight"]) is type(before["label"])
    assert after["weight"].shape == (1, 1, 3)
    assert str(after["weight"].dtype).endswith("float32")
    assert after["weight"][0, 0, 1] > 10
    assert after["label"] is before["label"]
    assert "weight" not in before


def test_a_sample_without_label_passes_where_that_is_allowed():
    assert BorderWeightd(keys="label", allow_missing_keys=True)({"image": 1}) == {"image": 1}


def test_an_invalid_label_is_refused():
    with pytest.raises(DataError, match="case 'f7': label: holds nan, not a whole number"):
        BorderWeightd(keys="label")({"label": np.full((1, 2, 2), np.nan), "case": "f7"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"keys": ["a", "b"]}, "keys must name one label"),
        ({"keys": []}, "keys must name one label"),
        ({"w0": -1.0}, "w0 must be a finite number of at least 0, got -1.0"),
        ({"w0": math.nan}, "w0 must be a finite number of at least 0, got nan"),
        ({"sigma_px": 0.0}, "sigma_px must be a finite number above 0, got 0.0"),
        ({"sigma_px": math.inf}, "sigma_px must be a finite number above 0, got inf"),
        ({"class_weights": "equal"}, "class_weights must be balanced, None, or two numbers"),
        ({"class_weights": [1.0]}, "class_weights must be"),
        ({"class_weights": [1.0, -1.0]}, r"class_weights\[1\] must be"),
        ({"class_weights": [1.0, math.nan]}, r"class_weights\[1\] must be"),
        ({"voxel_size_px": [1.0, 0.0]}, "voxel_size_px must be 1 or 2 or 3 positive numbers"),
        ({"voxel_size_px": []}, "voxel_size_px must be 1 or 2 or 3 positive numbers"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        BorderWeightd(**{"keys": "label", **arguments})


def test_voxel_sizes_must_fit_the_label():
    step = BorderWeightd(keys="label", voxel_size_px=[1.0, 1.0, 2.0])
    with pytest.raises(UsageError, match="voxel_size_px must be 2 positive numbers"):
        step({"label": np.zeros((1, 4, 4))})
