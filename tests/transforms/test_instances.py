"""What separating cells promises: a line of background where they touch, nothing else changed."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from monai.data import MetaTensor
from scipy import ndimage

from medseg.errors import DataError, UsageError
from medseg.transforms import InstancesToForegroundd, part_touching
from tests.strategies import spatial_shapes

instance_labels = spatial_shapes.flatmap(
    lambda shape: hnp.arrays(np.uint16, shape, elements=st.sampled_from([0, 0, 1, 2, 300]))
)


def touches(instances):
    """Whether two different cells are neighbours, over a face, an edge or a corner."""
    highest = ndimage.maximum_filter(instances, size=3)
    lowest = ndimage.minimum_filter(np.where(instances == 0, 999, instances), size=3)
    return ((highest != lowest) & (instances > 0)).any()


def test_where_two_cells_touch_the_larger_loses_voxels():
    cells = np.array([[1, 1, 1, 2, 2], [1, 1, 1, 2, 2]])
    assert part_touching(cells).tolist() == [[1, 1, 0, 2, 2], [1, 1, 0, 2, 2]]


def test_cells_that_touch_at_a_corner_are_parted():
    cells = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 2]])
    assert part_touching(cells).tolist() == [[1, 1, 0], [1, 0, 0], [0, 0, 2]]


def test_cells_with_background_between_them_stay_as_they_are():
    cells = np.array([[1, 1, 0, 2], [1, 1, 0, 2]])
    assert part_touching(cells).tolist() == cells.tolist()


@given(cells=instance_labels)
def test_no_two_cells_touch_and_no_voxel_moves_to_another_cell(cells):
    parted = part_touching(cells)
    assert not touches(parted)
    assert ((parted == cells) | (parted == 0)).all()
    assert (part_touching(parted) == parted).all()


@given(cells=instance_labels)
def test_only_voxels_beside_another_cell_are_given_up(cells):
    lost = (part_touching(cells) == 0) & (cells > 0)
    highest = ndimage.maximum_filter(cells, size=3)
    lowest = ndimage.minimum_filter(np.where(cells == 0, 999, cells), size=3)
    assert not (lost & (highest == lowest)).any()


def test_which_cell_gives_way_does_not_depend_on_its_number():
    cells = np.array([[1, 1, 1, 2], [1, 1, 1, 2]])
    assert ((part_touching(cells) > 0) == (part_touching(3 - cells.clip(1)) > 0)).all()


@pytest.mark.parametrize("wrap", [np.asarray, torch.as_tensor, MetaTensor])
def test_the_foreground_is_one_and_keeps_the_kind_of_the_label(wrap):
    label = wrap(np.array([[[4, 4, 9, 0], [4, 4, 9, 0]]], dtype=np.float32))
    parted = InstancesToForegroundd(keys="label")({"label": label})["label"]
    kept = InstancesToForegroundd(keys="label", touching="keep")({"label": label})["label"]
    assert type(parted) is type(label)
    assert str(parted.dtype).endswith("uint8")
    assert parted.tolist() == [[[1, 0, 1, 0], [1, 0, 1, 0]]]
    assert kept.tolist() == [[[1, 1, 1, 0], [1, 1, 1, 0]]]


def test_a_frame_without_cells_is_all_background():
    label = np.zeros((1, 5, 5), dtype=np.uint8)
    assert not InstancesToForegroundd(keys="label")({"label": label})["label"].any()


def test_a_sample_without_label_passes_where_that_is_allowed():
    assert InstancesToForegroundd(keys="label", allow_missing_keys=True)({"image": 1}) == {
        "image": 1
    }


def test_an_invalid_label_is_refused():
    with pytest.raises(DataError, match=r"case 'f7': label: holds 0\.25, not a whole number"):
        InstancesToForegroundd(keys="label")({"label": np.full((1, 2, 2), 0.25), "case": "f7"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"keys": []}, "keys must name a label, got none"),
        ({"keys": "label", "touching": "cut"}, "touching must be one of part, keep, got 'cut'"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        InstancesToForegroundd(**arguments)
