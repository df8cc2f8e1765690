"""Sizes of structures in a predicted label, checked by hand and against SimpleITK."""

import csv
import io

import numpy as np
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from medseg.reports.volumes import (
    LEAST_PART_ML,
    StructureVolume,
    area_columns,
    measure_volumes,
    volume_columns,
    volumes_csv,
)

NAMES = ["background", "lung", "infection"]
# Voxels of 0.05 ml: two are a part, one is not.
AFFINE = np.diag([-5.0, 5.0, 2.0, 1.0])


def test_a_lesions_share_is_of_the_organ_with_its_lesions():
    label = np.zeros((6, 4, 4), dtype=np.uint8)
    label[0, :, 0] = 1
    label[1, :2, 0] = 1
    label[4, 0, :2] = 2
    lung, infection = measure_volumes(label, AFFINE, NAMES, {"infection": "lung"})
    assert lung == StructureVolume(name="lung", ml=pytest.approx(0.3), parts=1)
    assert infection == StructureVolume(
        name="infection", ml=pytest.approx(0.1), parts=1, parent="lung", percent=pytest.approx(25)
    )


def test_parts_that_touch_at_a_corner_are_one_and_specks_are_none():
    label = np.zeros((9, 3, 3), dtype=np.uint8)
    label[0, 0, 0] = label[1, 1, 1] = 2
    label[4, 0, 0] = 2
    label[7:, 2, 2] = 2
    assert measure_volumes(label, AFFINE, NAMES)[1].parts == 2


def test_a_structure_that_is_not_there_has_no_share_if_its_parent_is_not_there_either():
    empty = np.zeros((2, 2, 2), dtype=np.uint8)
    lung, infection = measure_volumes(empty, AFFINE, NAMES, {"infection": "lung"})
    assert (lung.ml, lung.parts, infection.percent) == (0, 0, None)
    assert volume_columns([infection])["infection_percent_of_lung"] == ""


def test_parts_of_parts_count_for_all_above_them():
    label = np.array([1, 2, 3, 3], dtype=np.uint8).reshape(4, 1, 1)
    names = ["background", "body", "lung", "infection"]
    found = measure_volumes(label, AFFINE, names, {"infection": "lung", "lung": "body"})
    assert [one.percent for one in found] == [None, pytest.approx(75), pytest.approx(200 / 3)]


def test_names_of_no_class_are_ignored_and_cycles_refused():
    label = np.ones((1, 1, 1), dtype=np.uint8)
    assert measure_volumes(label, AFFINE, NAMES, {"tumour": "liver"})[0].parent is None
    circle = {"infection": "lung", "lung": "infection"}
    with pytest.raises(ValueError, match="part_of has a cycle"):
        measure_volumes(label, AFFINE, NAMES, circle)


@given(
    label=arrays(
        np.uint8, array_shapes(min_dims=3, max_dims=3, max_side=7), elements=st.integers(0, 2)
    )
)
def test_parts_and_volumes_are_simpleitks(label):
    image = SimpleITK.GetImageFromArray((label == 2).astype(np.uint8))
    image.SetSpacing((5.0, 5.0, 2.0))
    shapes = SimpleITK.LabelShapeStatisticsImageFilter()
    shapes.Execute(SimpleITK.ConnectedComponent(image, True))  # noqa: FBT003 - ITK's signature
    sizes = [shapes.GetPhysicalSize(part) / 1000 for part in shapes.GetLabels()]
    found = measure_volumes(label, AFFINE, NAMES)[1]
    assert found.ml == pytest.approx(sum(sizes))
    assert found.parts == sum(size >= LEAST_PART_ML * (1 - 1e-9) for size in sizes)


def test_the_table_has_a_row_a_case_by_name_and_every_column():
    rows = {"b": {"lung_ml": "1.000"}, 'a,"x"': {"lung_ml": "2.000", "liver_ml": "3.000"}}
    table = list(csv.DictReader(io.StringIO(volumes_csv(rows))))
    assert [row["case"] for row in table] == ['a,"x"', "b"]
    assert [row["liver_ml"] for row in table] == ["3.000", ""]


LABEL = np.array([[0, 1, 1, 2], [0, 0, 2, 2]])


def test_each_class_has_its_pixels_and_its_share_of_the_picture():
    assert area_columns(LABEL, ["background", "gland", "stroma"]) == {
        "gland_px": "2",
        "gland_percent": "25.0",
        "stroma_px": "3",
        "stroma_percent": "37.5",
    }


def test_numbered_objects_are_one_class_and_counted():
    assert area_columns(7 * LABEL, ["background", "cell"], "instances") == {
        "cell_px": "5",
        "cell_percent": "62.5",
        "cell_count": "2",
    }


def test_a_picture_without_anything_has_zeros():
    columns = area_columns(np.zeros((3, 4), np.uint16), ["background", "cell"], "instances")
    assert list(columns.values()) == ["0", "0.00", "0"]
