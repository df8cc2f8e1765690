"""What the measures of a picture's label promise."""

import numpy as np

from medseg.reports.areas import area_columns

LABEL = np.array([[0, 1, 1, 2], [0, 0, 2, 2]])


def test_each_class_has_its_pixels_and_its_share_of_the_picture():
    assert area_columns(LABEL, ["background", "gland", "stroma"]) == {
        "gland_px": "2",
        "gland_percent": "25.000",
        "stroma_px": "3",
        "stroma_percent": "37.500",
    }


def test_numbered_objects_are_one_class_and_counted():
    assert area_columns(7 * LABEL, ["background", "cell"], "instances") == {
        "cell_px": "5",
        "cell_percent": "62.500",
        "cell_count": "2",
    }


def test_a_picture_without_anything_has_zeros():
    columns = area_columns(np.zeros((3, 4), np.uint16), ["background", "cell"], "instances")
    assert list(columns.values()) == ["0", "0.000", "0"]
