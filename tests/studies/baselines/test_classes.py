"""Which group of voxels becomes which class."""

import numpy as np
import pytest

from medseg.errors import DataError, UsageError
from medseg.studies.baselines.classes import (
    ClassRule,
    classes_by_reference,
    classes_of_levels,
    largest_part,
    parse_rule,
)
from medseg.studies.baselines.method import Settings, chosen_methods, label_image, require_settings

BRIGHT = ClassRule("bright")


@pytest.mark.parametrize(
    ("rule", "levels", "classes", "expected"),
    [
        ("bright", 2, 2, [0, 1]),
        ("dark", 2, 2, [1, 0]),
        ("bright", 4, 2, [0, 0, 0, 1]),
        ("dark", 4, 2, [1, 0, 0, 0]),
        ("bright", 4, 3, [0, 0, 1, 2]),
        ("dark", 4, 3, [2, 1, 0, 0]),
    ],
)
def test_the_brightest_or_the_darkest_groups_are_the_last_classes(rule, levels, classes, expected):
    assert classes_of_levels(ClassRule(rule), levels, classes).tolist() == expected


def test_classes_of_groups_may_be_listed():
    rule = parse_rule("1, 0,1", "CT")
    assert classes_of_levels(rule, 3, 2).tolist() == [1, 0, 1]
    for levels, classes in ((2, 2), (3, 1)):
        with pytest.raises(UsageError, match="--foreground must have"):
            classes_of_levels(rule, levels, classes)


def test_stained_tissue_is_dark_and_all_else_is_bright():
    assert parse_rule("auto", "histology").name == "dark"
    assert {parse_rule("auto", modality).name for modality in ("CT", "MR", "PT")} == {"bright"}


def test_a_word_that_is_no_rule_is_refused():
    with pytest.raises(UsageError, match="must be auto, bright, dark, reference"):
        parse_rule("light", "CT")


def test_by_the_reference_a_group_is_what_most_of_it_is():
    groups = np.array([[0, 0, 0, 1, 1, 2]], np.uint8)
    label = np.array([[1, 1, 0, 0, 0, 1]], np.uint8)
    assert classes_by_reference(groups, label, 4).tolist() == [1, 0, 1, 0]


def test_the_largest_part_of_each_class_is_kept():
    label = np.array([[1, 1, 0, 1, 0, 2], [1, 0, 0, 0, 2, 2], [0, 2, 0, 0, 0, 0]], np.uint8)
    expected = [[1, 1, 0, 0, 0, 2], [1, 0, 0, 0, 2, 2], [0, 0, 0, 0, 0, 0]]
    assert largest_part(label).tolist() == expected
    assert not largest_part(np.zeros((3, 3), np.uint8)).any()


def test_an_unknown_method_is_told_with_its_neighbour():
    with pytest.raises(UsageError, match=r"--method ostu: no such method; did you mean otsu\?"):
        chosen_methods(["ostu"], 2)


def test_methods_of_two_classes_are_left_out_of_more():
    assert "sobel" in chosen_methods([], 2)
    assert chosen_methods([], 3) == ["k-means", "mrf", "otsu", "watershed"]
    with pytest.raises(UsageError, match="--method sobel finds one class; the data set has 3"):
        require_settings(Settings(method="sobel", rule=BRIGHT), 3)


@pytest.mark.parametrize(("levels", "classes"), [(6, 2), (2, 3)])
def test_levels_are_as_many_as_classes_or_more_and_otsu_has_five_at_most(levels, classes):
    with pytest.raises(UsageError, match="--levels must be from"):
        require_settings(Settings(method="otsu", levels=levels, rule=BRIGHT), classes)


def test_values_that_are_no_numbers_are_refused():
    with pytest.raises(DataError, match="values that are no numbers"):
        label_image(np.full((4, 4, 1), np.nan), Settings(method="otsu", rule=BRIGHT), 2)


def test_the_rule_of_brightness_does_not_turn_sobel_around():
    image = np.zeros((30, 30, 1))
    image[8:22, 8:22] = 100
    maps = [
        label_image(image, Settings(method="sobel", rule=ClassRule(rule)), 2)
        for rule in ("bright", "dark")
    ]
    np.testing.assert_array_equal(*maps)
    assert maps[0][15, 15] == 1
