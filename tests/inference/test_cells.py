"""What numbered cells promise: every pixel of cell has one number, and touching cells two."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.data.meta_tensor import MetaTensor
from scipy import ndimage

from medseg.errors import DataError, UsageError
from medseg.inference import NumberCellsd, number_cells


def discs(shape, *centres_and_radii):
    rows, columns = np.indices(shape)
    inside = [np.hypot(rows - i, columns - j) < radius for i, j, radius in centres_and_radii]
    return np.logical_or.reduce(inside).astype(float)


def clouds(seed, shape=(40, 50)):
    """A smooth random map from 0 to 1 without two equal pixels."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), 3)
    return (noise - noise.min()) / (noise.max() - noise.min())


def test_two_discs_that_touch_are_two_cells_parted_at_their_waist():
    cells = number_cells(discs((60, 100), (30, 30, 20), (30, 65, 20)))
    assert cells.dtype == np.uint16
    assert np.unique(cells).tolist() == [0, 1, 2]
    # Half-way between the centres, to a pixel.
    assert set(cells[:, :47].ravel()) == {0, cells[30, 30]}
    assert set(cells[:, 49:].ravel()) == {0, cells[30, 65]}
    assert cells[30, 30] != cells[30, 65]


def test_two_discs_that_overlap_more_than_the_waist_are_one():
    picture = discs((60, 100), (30, 30, 20), (30, 50, 20))
    assert number_cells(picture, waist_px=4).max() == 1
    # The waist is 17.3 wide on either side and the discs 20, in whole pixels 18 and 20.
    assert number_cells(picture, waist_px=1.9).max() == 2


def test_a_gap_that_is_half_believed_in_parts_what_the_outline_does_not():
    picture = np.zeros((40, 80))
    picture[5:35, 5:75] = 1
    assert number_cells(picture, waist_px=3).max() == 1
    picture[5:35, 39:41] = 0.6
    cells = number_cells(picture, waist_px=3)
    assert np.unique(cells).tolist() == [0, 1, 2]
    assert cells[20, 37] != cells[20, 42]


def test_a_picture_without_a_cell_has_none():
    assert number_cells(np.zeros((5, 7))).max() == 0
    assert number_cells(np.full((5, 7), 0.5)).max() == 0


def test_a_picture_that_is_all_cell_is_one():
    assert (number_cells(np.ones((5, 7))) == 1).all()


def test_a_small_hole_is_filled_and_a_large_one_or_one_at_the_edge_stays():
    ring = discs((50, 50), (25, 25, 20))
    ring[24:26, 24:26] = 0
    ring[20:31, 8:10] = 0
    ring[:, 45:] = 1
    ring[0:2, 47] = 0
    kept = number_cells(ring)
    filled = number_cells(ring, largest_hole_px=10)
    assert kept[25, 25] == 0
    assert filled[25, 25] == filled[25, 30] > 0
    assert filled[25, 9] == filled[0, 47] == 0


def test_dust_is_left_out_and_the_others_count_up():
    picture = discs((40, 80), (5, 5, 3), (20, 40, 12), (20, 66, 10))
    cells = number_cells(picture, least_px=100)
    assert np.unique(cells).tolist() == [0, 1, 2]
    assert cells[5, 5] == 0


def test_cells_meet_at_corners_without_becoming_one():
    picture = np.kron(np.eye(2), np.ones((6, 6)))
    assert number_cells(picture).max() == 2


@given(seed=st.integers(0, 10_000), threshold=st.floats(0, 0.9), waist=st.floats(0.1, 6))
def test_every_pixel_above_the_threshold_has_one_number_from_1_to_n(seed, threshold, waist):
    probability = clouds(seed)
    cells = number_cells(probability, threshold=threshold, waist_px=waist)
    np.testing.assert_array_equal(cells > 0, probability > threshold)
    assert np.unique(cells).tolist() == list(range(int(cells.min()), int(cells.max()) + 1))
    for number in range(1, int(cells.max()) + 1):
        assert ndimage.label(cells == number)[1] == 1


@given(seed=st.integers(0, 10_000), axes=st.sampled_from([(0,), (1,), (0, 1)]))
def test_a_picture_in_the_mirror_has_the_same_cells(seed, axes):
    """Where no two pixels are alike; between equals, whoever comes first wins."""
    probability = clouds(seed)
    mirrored = number_cells(np.flip(probability, axes), waist_px=1)
    assert same_parts(number_cells(probability, waist_px=1), np.flip(mirrored, axes))


@given(seed=st.integers(0, 10_000))
def test_a_picture_on_its_side_has_the_same_cells(seed):
    probability = clouds(seed)
    assert same_parts(number_cells(probability), number_cells(probability.T).T)


@given(seed=st.integers(0, 10_000), low=st.floats(0.5, 3), more=st.floats(0, 3))
def test_a_larger_waist_never_makes_more_cells(seed, low, more):
    probability = clouds(seed)
    many, few = (number_cells(probability, waist_px=w).max() for w in (low, low + more))
    assert few <= many


def same_parts(one, other):
    pairs = np.unique(np.stack([one.ravel(), other.ravel()]), axis=1)
    return pairs.shape[1] == one.max() + 1 == other.max() + 1


def test_three_dimensions():
    volume = np.zeros((12, 12, 30))
    volume[2:10, 2:10, 2:12] = 1
    volume[2:10, 2:10, 16:28] = 1
    volume[5:7, 5:7, 12:16] = 1
    assert number_cells(volume, waist_px=2).max() == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 1},
        {"threshold": -0.1},
        {"waist_px": 0},
        {"least_px": 0},
        {"waist_px": float("nan")},
        {"largest_hole_px": -1},
    ],
    ids=str,
)
def test_a_wrong_argument_is_named(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        number_cells(np.zeros((3, 3)), **wrong)
    with pytest.raises(UsageError, match=next(iter(wrong))):
        NumberCellsd("pred", **wrong)


def test_a_probability_that_is_no_number_is_refused():
    with pytest.raises(DataError, match="NaN"):
        number_cells(np.full((3, 3), np.nan))


def test_the_transform_keeps_what_the_prediction_remembers():
    values = torch.as_tensor(discs((60, 100), (30, 30, 20), (30, 65, 20)), dtype=torch.float32)
    affine = torch.diag(torch.tensor([2.0, 3.0, 1.0, 1.0], dtype=torch.float64))
    pred = MetaTensor(values[None], affine=affine, meta={"filename_or_obj": "a.png"})
    numbered = NumberCellsd("pred")({"pred": pred, "case": "a"})
    assert numbered["case"] == "a"
    assert numbered["pred"].shape == (1, 60, 100)
    assert numbered["pred"].meta["filename_or_obj"] == "a.png"
    assert torch.equal(numbered["pred"].affine, affine)
    assert np.unique(numbered["pred"].numpy()).tolist() == [0, 1, 2]
    assert pred.max() == 1


def test_several_channels_are_no_probability_of_cell():
    with pytest.raises(DataError, match="pred: must be"):
        NumberCellsd("pred")({"pred": torch.zeros(2, 4, 4)})
