"""What each rule promises for any facts, and what it gives for some that can be checked by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.errors import DataError, UsageError
from medseg.networks.levels import Levels
from medseg.planning.rules.grid import patch_size, picture_pixels, spacing, view_of
from medseg.planning.rules.intensity import measured_voxels, recipe_of, window
from medseg.planning.rules.levels import fitted_patch, plan_levels
from medseg.planning.rules.network import (
    border_choices,
    cell_choices,
    centres,
    class_weights,
    rare_classes,
)
from medseg.planning.rules.pins import parse_pins
from medseg.planning.rules.training import Pace, divided, draws, length_within
from medseg.planning.rules.warp import elastic_mm, flip_axes, rotation_degrees, sides
from tests.planning.builders import facts, one_class

patches = st.lists(st.integers(8, 160), min_size=2, max_size=3)
voxels = st.floats(0.3, 8.0)
PACE = Pace(
    step=0.1,
    prepare=1.0,
    validation=0.5,
    validating=0.0,
    start=10.0,
    case_bytes=1,
    base_bytes=1,
    trial_cases=5,
    voxels=1,
)


@given(patch=patches, data=st.data())
def test_a_planned_network_takes_its_planned_patch(patch, data):
    grid = data.draw(st.lists(voxels, min_size=len(patch), max_size=len(patch)))
    levels = plan_levels(patch, grid, 5)
    fitted = fitted_patch(patch, levels)
    network = Levels(
        widths=(2,) * levels.depth,
        kernels=levels.kernels,
        pools=levels.pools,
        dropouts=(0.0,) * levels.depth,
        convolution="padded",
    )
    assert network.output_size(fitted) == tuple(fitted)
    assert math.prod(network.bottleneck_size(fitted)) >= 2


@given(patch=patches)
def test_an_even_grid_gives_an_even_network(patch):
    levels = plan_levels([max(patch)] * 3, [1.0, 1.0, 1.0], 5)
    assert levels.arguments == {}


def test_levels_of_thick_slices_by_hand():
    # 0.5 x 0.5 x 2 mm: in plane alone until voxels are 1 and then 2 mm, then along all three axes.
    levels = plan_levels([64, 64, 16], [0.5, 0.5, 2.0], 5)
    assert levels.pools == ((2, 2, 1), (2, 2, 1), (2, 2, 2), (2, 2, 2))
    assert levels.kernels == ((3, 3, 1), (3, 3, 1), (3, 3, 3), (3, 3, 3), (3, 3, 3))


def test_one_slice_is_neither_halved_nor_convolved_along():
    levels = plan_levels([64, 64, 1], [1.0, 1.0, 6.0], 4)
    assert {kernel[2] for kernel in levels.kernels} == {1}
    assert levels.strides == (8, 8, 1)


def test_a_crop_of_the_hippocampus_gets_the_patch_that_was_chosen_by_hand():
    crop = facts(shape=(35, 51, 35), box=(24.0, 39.0, 29.0), spacing=(1.0, 1.0, 1.0))
    patch = patch_size(crop, "volume", [1.0, 1.0, 1.0], 50_000).value
    assert fitted_patch(patch, plan_levels(patch, [1.0] * 3, 5)) == [32, 48, 32]


@given(
    shape=st.tuples(*[st.integers(20, 400)] * 3),
    box=st.tuples(*[st.floats(5, 300)] * 3),
    most=st.integers(12_000, 200_000),
)
def test_a_patch_stays_within_the_image_and_nearly_within_its_voxels(shape, box, most):
    choice = patch_size(facts(shape=shape, box=box), "volume", [1.0, 1.0, 1.0], most)
    assert all(1 <= n <= whole for n, whole in zip(choice.value, shape, strict=True))
    assert math.prod(choice.value) <= 1.3 * most


@given(thickness=st.floats(1, 80), finest=st.floats(0.2, 3))
def test_a_grid_is_never_finer_than_the_images_nor_too_coarse_for_the_thinnest_class(
    thickness, finest
):
    some = facts(
        spacing=(finest,) * 3,
        spacing_low=(finest,) * 3,
        shape=(300, 300, 300),
        classes=(one_class(thickness=thickness),),
    )
    for mm in spacing(some, "volume", 50_000).value:
        assert mm >= 0.99 * finest
        assert mm <= max(1.01 * finest, thickness / 9.9)


def test_slices_are_taken_one_by_one_where_they_stay_thick_on_the_planned_grid():
    voxel = {"spacing": (0.8, 0.8, 8.0), "spacing_low": (0.8, 0.8, 8.0)}
    thick = facts(**voxel, shape=(64, 64, 20))
    assert view_of(thick, 50_000) == "slices"
    # 400 pixels of a thick organ are seen on a coarser grid, beside which 8 mm are not much.
    coarse = facts(**voxel, shape=(512, 512, 20), classes=(one_class(thickness=40.0),))
    assert view_of(coarse, 50_000) == "volume"
    assert view_of(facts(shape=(64, 64, 1)), 50_000) == "slices"


def test_large_objects_are_seen_at_half_resolution():
    pictures = {"kind": "picture", "shape": (512, 512), "spacing": (1.0, 1.0)}
    large = facts(**pictures, classes=(one_class(thickness=60.0),))
    small = facts(**pictures, classes=(one_class(thickness=8.0),))
    assert picture_pixels(large).value == [2.0, 2.0]
    assert picture_pixels(small).value == [1.0, 1.0]


def test_a_ct_window_holds_nearly_all_labelled_intensities():
    low, high = window(facts()).value
    assert low < 2.0
    assert high > 98.0
    assert high - low >= 200


def test_a_pet_window_begins_at_no_uptake():
    uptake = tuple(float(n) for n in range(15))
    pet = facts(modality="PT", unit="SUV", inside=uptake, outside=(0.5,) * 15)
    assert window(pet).value == [0.0, 13.0]


@pytest.mark.parametrize(
    ("zeros", "dark", "over"),
    [(0.0, 0.0, "all"), (0.3, 0.0, "nonzero"), (0.0, 0.6, "otsu"), (0.3, 0.6, "nonzero")],
)
def test_air_does_not_set_the_scale_of_an_mr_image(zeros, dark, over):
    assert measured_voxels(facts(modality="MR", zeros=zeros, dark=dark)).value == over


@pytest.mark.parametrize(
    ("changes", "recipe"),
    [
        ({}, "ct_body"),
        ({"modality": "PT"}, "pet_volume"),
        ({"modality": "MR"}, "mri_volume"),
        ({"modality": "US"}, "mri_volume"),
        ({"kind": "picture", "modality": "microscopy"}, "microscopy"),
        (
            {"kind": "picture", "modality": "histology", "label_kind": "mask", "colour": "rgb"},
            "histology_he",
        ),
        ({"kind": "picture", "modality": "histology"}, "microscopy"),
    ],
)
def test_the_recipe_is_that_of_the_modality(changes, recipe):
    assert recipe_of(facts(**changes))[0] == recipe


def test_volumes_in_colour_have_no_recipe():
    with pytest.raises(DataError, match="volumes in colour"):
        recipe_of(facts(colour="rgb"))


@pytest.mark.parametrize("name", ["left_lung", "kidney_L", "hippocampus right", "Niere links"])
def test_a_class_named_by_a_side_is_not_mirrored(name):
    assert flip_axes(facts(classes=(one_class(name),))).value == []


@pytest.mark.parametrize("name", ["lesion", "liver", "oral", "bright_matter", "copyright"])
def test_other_names_are_no_sides(name):
    assert sides(facts(classes=(one_class(name),))) == ""


def test_a_class_that_always_lies_on_one_side_is_not_mirrored():
    assert "lies on one side" in sides(facts(classes=(one_class("spleen", centres=(0.75,) * 20),)))


def test_two_like_classes_on_opposite_sides_are_not_mirrored():
    pair = (one_class("a", centres=(0.35, 0.38) * 10), one_class("b", centres=(0.62, 0.65) * 10))
    assert flip_axes(facts(classes=pair)).value == []


def test_few_cases_do_not_show_a_side_so_nothing_is_mirrored():
    assert flip_axes(facts(cases=3)).value == []


def test_thick_slices_turn_in_their_plane_alone():
    assert rotation_degrees(facts(), "volume", [1.0, 1.0, 4.0]).value == [0, 0, 15]
    assert rotation_degrees(facts(), "volume", [4.0, 1.0, 1.0]).value == [15, 0, 0]


@given(thickness=st.floats(0, 100))
def test_an_elastic_bend_is_no_wider_than_half_of_the_thinnest_class(thickness):
    bend = elastic_mm(facts(classes=(one_class(thickness=thickness),)), "volume").value
    assert bend <= max(1.0, thickness / 2 + 0.05)
    assert elastic_mm(facts(), "slices").value == 0.0


@given(
    minutes=st.floats(1, 600),
    step=st.floats(0.01, 5),
    validation=st.floats(0.01, 20),
    cases=st.integers(1, 300),
)
def test_a_planned_training_ends_within_its_minutes(minutes, step, validation, cases):
    pace = Pace(**{**PACE.__dict__, "step": step, "validation": validation})
    held_out = max(1, cases // 5)
    length = length_within(pace, minutes, cases, held_out)
    if length is None:
        return
    seconds = pace.start + pace.prepare * cases + step * length.steps
    # Rounding of epochs may add one validation to those that were counted.
    seconds += validation * held_out * (length.validations - 1)
    assert seconds <= 60 * minutes
    assert length.steps >= 90
    assert length.epochs % length.val_interval == 0


@given(steps=st.integers(1, 50_000), validations=st.integers(2, 10))
def test_the_last_epoch_is_validated_and_no_more_steps_are_run_than_asked_for(steps, validations):
    length = divided(steps, validations)
    assert length.epochs % length.val_interval == 0
    assert length.steps <= max(steps, length.val_interval * length.iterations)


def test_what_does_not_fit_has_no_length():
    # Ten seconds to start and a second for each of 100 cases are more than a minute.
    assert length_within(PACE, 1.0, 100, 20) is None


def test_numbers_of_objects_come_from_their_sizes():
    # Percentiles 0.5, 2, 5, 10, 20, ...: 100 pixels at the 2nd, 400 at the 20th.
    sizes = (80.0, 100.0, 200.0, 300.0, 400.0, *range(500, 1500, 100))
    cells = facts(
        kind="picture",
        label_kind="instances",
        touching=0.2,
        classes=(one_class(sizes=tuple(float(n) for n in sizes)),),
    )
    planned, choices = cell_choices(cells)
    assert planned.least_px == 50
    assert planned.largest_hole_px == 100
    # The median disc, of 700 pixels, has a radius of 14.9, and a quarter of it is 3.7.
    assert planned.waist_px == 3.7
    assert {choice.key for choice in choices} == set(vars(planned))
    assert border_choices(cells)[0].value == 10.0


@pytest.mark.parametrize(("covered", "weights"), [(0.5, "balanced"), (0.1, None), (0.9, None)])
def test_pixels_weigh_alike_unless_objects_cover_about_half(covered, weights):
    (choice,) = class_weights(facts(label_kind="instances", covered=covered))
    assert choice.value == weights
    assert class_weights(facts(label_kind="classes")) == []


@pytest.mark.parametrize(
    ("groups", "balanced"),
    [({"a": 10, "b": 5}, True), ({"a": 9, "b": 5}, False), ({"a": 9}, False), ({}, False)],
)
def test_rare_groups_are_drawn_more_often(groups, balanced):
    choices = draws(facts(groups=groups))
    assert [one.key for one in choices] == ["control#case_weights"] * balanced
    if balanced:
        assert choices[0].value["groups"] == "root"
        assert "10 a, 5 b" in choices[0].evidence


def test_a_rare_class_is_told_and_patches_lie_on_it():
    some = facts(classes=(one_class("liver", share=0.1), one_class("lesion", share=0.001)))
    assert rare_classes(some) == ["lesion"]
    choice = centres(some, holds_the_image=False)
    assert choice.value == 0.67
    assert "lesion" in choice.evidence


def test_a_pin_is_found_by_the_last_part_of_its_key():
    assert parse_pins(["first_width=8", "patch_size=[32,32,16]"]) == {
        "network_def#first_width": 8,
        "patch_size": [32, 32, 16],
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("patch_sise=[1,2]", "nothing plans such a key; there is patch_size"),
        ("patch_size", "write KEY=VALUE"),
        ("patch_size=[1", "patch_size"),
    ],
)
def test_a_wrong_pin_is_one_line(text, says):
    with pytest.raises(UsageError, match=says) as caught:
        parse_pins([text])
    assert "\n" not in str(caught.value)
