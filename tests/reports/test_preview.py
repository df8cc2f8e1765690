"""The page of a preview: what it shows, and that it shows the truth."""

import numpy as np
import pytest
import torch

from medseg.data.colours import class_colour
from medseg.reports.preview import PLACES_KEY, RECORD_KEY, draw_samples, preview_page
from medseg.reports.preview_view import picture_view, volume_view
from medseg.transforms import Centres, Flip, RandWarpPatchd, Rotation, WarpRanges

# The first panel: 440 pixels wide, below the title; the sample's is below it.
LEFT, TOP, CELL, GAP = 24, 78, 440, 8


def square(size=32):
    """An image that is dark on the left and a label in its upper left quarter."""
    image = np.linspace(0, 1, size, dtype=np.float32)[None, None].repeat(size, axis=1)
    label = np.zeros((1, size, size), dtype=np.uint8)
    label[:, 4:12, 4:12] = 1
    return {"image": image, "label": label}


def warp(patch_size, **parts):
    return RandWarpPatchd(
        ["image", "label", PLACES_KEY],
        patch_size,
        [1.0] * len(patch_size),
        ["linear", "nearest", "linear"],
        warp=WarpRanges(**parts),
        centres=Centres(foreground=0),
        record_key=RECORD_KEY,
    )


def pixels(case, steps, samples=1, view=picture_view):
    drawn = draw_samples(case, steps, 0, samples)
    return np.asarray(preview_page(drawn, view(case["image"]), "toy"), dtype=int)


def cell(page, row, column=0):
    left, top = LEFT + column * (CELL + GAP), TOP + row * (CELL + GAP)
    return page[top : top + CELL, left : left + CELL]


def middle_of_class_1(panel):
    rows, columns = np.nonzero((panel == np.array(class_colour(1))).all(axis=-1))
    return rows.mean(), columns.mean()


def test_a_sample_stands_below_the_patch_it_was_made_from():
    page = pixels(square(), [warp([32, 32], flip=Flip(axes=[1], prob=1))])
    # Rows and columns 4 to 12 of 32, 13.75 pixels each; mirrored, columns 20 to 28.
    assert middle_of_class_1(cell(page, 0)) == pytest.approx((110, 110), abs=4)
    assert middle_of_class_1(cell(page, 1)) == pytest.approx((110, 330), abs=4)


def test_all_panels_have_the_greys_of_the_image_as_prepared():
    def brighten(sample):
        return {**sample, "image": sample["image"] + 0.5}

    page = pixels(square(), [warp([32, 32]), brighten])
    # Away from lines and contours: column 14.5 of 31 is 0.47 of white, half a white more below.
    assert cell(page, 0)[380, 207].mean() == pytest.approx(0.47 * 255, abs=6)
    assert cell(page, 1)[380, 207].mean() == pytest.approx(0.97 * 255, abs=6)


def test_colours_stay_colours():
    case = square()
    case["image"] = np.stack([case["image"][0], 0 * case["image"][0], 0 * case["image"][0]])
    panel = cell(pixels(case, [warp([32, 32])]), 1)
    assert panel[380, 320, 0] > 150
    assert panel[380, 320, 1] < 100


def test_the_grid_turns_with_the_image():
    case = square(64)
    case["image"] = np.zeros((1, 64, 64), dtype=np.float32)
    straight, turned = (
        cell(pixels(case, [warp([64, 64], **parts)]), 1).mean(axis=-1)
        for parts in ({}, {"rotation": Rotation(degrees=30, prob=1)})
    )
    # Straight lines fill rows from end to end; turned ones cross them.
    assert (straight.min(axis=1) > 50).any()
    assert not (turned.min(axis=1) > 50).any()
    assert (turned > 50).mean() == pytest.approx((straight > 50).mean(), abs=0.06)


def test_the_slice_of_a_volume_is_where_most_label_is_before_and_after():
    image = torch.zeros(1, 16, 16, 12)
    image[..., 3] = 1  # the slice with the label is bright
    label = torch.zeros(1, 16, 16, 12, dtype=torch.uint8)
    label[:, 4:12, 4:12, 3] = 1
    flip = warp([16, 16, 12], flip=Flip(axes=[2], prob=1))
    page = pixels({"image": image, "label": label}, [flip], view=volume_view)
    for row in (0, 1):
        assert cell(page, row)[50, 150].mean() > 200


def test_a_recipe_without_a_warp_shows_the_middle_and_no_grid():
    def crop(sample):
        return {key: sample[key][:, :16, :16] for key in ("image", "label")}

    case = square()
    case["image"] = np.zeros((1, 32, 32), dtype=np.float32)
    page = pixels(case, [crop])
    # As prepared: 16 of 32 from the middle, 8 to 24. The label ends at 12, 110 pixels in; its
    # other two sides are outside.
    assert middle_of_class_1(cell(page, 0)) == pytest.approx((82, 82), abs=6)
    assert (cell(page, 1)[400, 20:] == 0).all()


@pytest.mark.parametrize(
    ("samples", "wide", "blocks"), [(1, 1, 1), (5, 5, 1), (6, 3, 2), (9, 5, 2)]
)
def test_columns_are_shared_out_evenly(samples, wide, blocks):
    page = pixels(square(), [warp([16, 16])], samples)
    assert page.shape[1] == 2 * LEFT + wide * (CELL + GAP) - GAP
    height = pixels(square(), [warp([16, 16])], wide).shape[0]
    assert page.shape[0] == height + (blocks - 1) * 2 * (CELL + GAP)


def test_a_case_without_label_and_more_values_than_colours_are_drawn():
    empty = square()
    empty["label"] = np.zeros((1, 32, 32), dtype=np.uint8)
    assert pixels(empty, [warp([16, 16])]).any()
    many = square()
    many["label"] = (np.arange(32 * 32, dtype=np.int32).reshape(1, 32, 32)) // 20
    assert pixels(many, [warp([32, 32])]).any()


def test_the_same_seed_draws_the_same_page():
    steps = [warp([16, 16], rotation=Rotation(degrees=30, prob=0.5))]
    np.testing.assert_array_equal(pixels(square(), steps, 3), pixels(square(), steps, 3))
