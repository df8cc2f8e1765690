"""What the lists of voxels promise: right classes, bounded, spread, the same every time."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from monai.data import MetaTensor

from medseg.errors import DataError, UsageError
from medseg.transforms import ClassVoxelsd
from medseg.transforms.class_voxels import list_class_voxels
from tests.strategies import spatial_shapes

labels = spatial_shapes.flatmap(
    lambda shape: hnp.arrays(np.uint8, shape, elements=st.sampled_from([0, 0, 1, 2, 9]))
)


def as_sets(lists):
    return {value: {tuple(index) for index in voxels.tolist()} for value, voxels in lists.items()}


def test_three_voxels_of_two_classes_by_hand():
    label = np.array([[0, 1, 0], [2, 0, 1]], dtype=np.uint8)
    lists = list_class_voxels(label, max_voxels=10)
    assert {value: voxels.tolist() for value, voxels in lists.items()} == {
        1: [[0, 1], [1, 2]],
        2: [[1, 0]],
    }
    assert all(voxels.dtype == np.int32 for voxels in lists.values())


@given(label=labels, max_voxels=st.integers(1, 40))
def test_every_listed_voxel_has_its_class_and_none_is_listed_twice(label, max_voxels):
    lists = list_class_voxels(label, max_voxels=max_voxels)
    assert set(lists) == set(np.unique(label).tolist()) - {0}
    for value, voxels in lists.items():
        assert voxels.shape == (min(max_voxels, (label == value).sum()), label.ndim)
        assert (label[tuple(voxels.T)] == value).all()
        assert len(np.unique(voxels, axis=0)) == len(voxels)


@given(label=labels)
def test_small_classes_are_listed_whole_whatever_the_order_of_memory(label):
    expected = {v: set(map(tuple, np.argwhere(label == v))) for v in np.unique(label) if v}
    flipped = np.ascontiguousarray(label[::-1])[::-1]
    for same in (label, np.asfortranarray(label), flipped):
        assert as_sets(list_class_voxels(same, max_voxels=10**6)) == expected


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int64, np.float32, np.float64])
def test_the_dtype_changes_nothing(dtype):
    label = np.random.default_rng(0).integers(0, 4, (9, 8, 7))
    expected = as_sets(list_class_voxels(label, max_voxels=50))
    assert as_sets(list_class_voxels(label.astype(dtype), max_voxels=50)) == expected


def test_a_mask_of_booleans_is_one_class():
    assert list(list_class_voxels(np.eye(3, dtype=bool), max_voxels=9)) == [1]


def test_a_large_class_is_covered_evenly_with_no_row_or_slice_preferred():
    # A step of 250 through rows of 50 would stay in one column of a cube.
    label = np.ones((50, 50, 50), dtype=np.uint8)
    voxels = list_class_voxels(label, max_voxels=500)[1]
    for axis in range(3):
        fifths = np.bincount(voxels[:, axis] // 10, minlength=5)
        assert fifths.min() > 60, "of 100 expected"


def test_a_component_of_a_hundredth_keeps_about_a_hundredth_of_the_list():
    label = np.zeros((60, 60, 60), dtype=np.uint8)
    label[:40] = 1  # 144000 voxels
    label[50:60, 20:32, 20:32] = 1  # 1440 voxels, elsewhere
    voxels = list_class_voxels(label, max_voxels=2000)[1]
    assert 15 <= (voxels[:, 0] >= 50).sum() <= 25


def test_slabs_are_joined_without_a_seam(monkeypatch):
    label = np.random.default_rng(1).integers(0, 3, (12, 5, 6)).astype(np.uint8)
    whole = list_class_voxels(label, max_voxels=20)
    monkeypatch.setattr("medseg.transforms.class_voxels.SLAB_VOXELS", 60)
    assert as_sets(list_class_voxels(label, max_voxels=20)) == as_sets(whole)


def test_the_same_label_gives_the_same_list():
    label = np.random.default_rng(2).integers(0, 3, (20, 20)).astype(np.uint8)
    one, two = (list_class_voxels(label.copy(), max_voxels=30) for _ in range(2))
    assert all((one[value] == two[value]).all() for value in one)


def test_a_label_that_is_all_background_has_no_lists():
    sample = ClassVoxelsd(keys="label")({"label": np.zeros((1, 4, 4), np.uint8)})
    assert sample["class_voxels"] == {}


def test_values_below_one_are_no_class():
    label = np.array([[-1, 0, 1]], dtype=np.int16)
    assert list(list_class_voxels(label, max_voxels=9)) == [1]


@pytest.mark.parametrize(
    "wrap", [np.asarray, torch.as_tensor, MetaTensor, lambda a: torch.as_tensor(a).bfloat16()]
)
def test_arrays_and_tensors_give_the_same_lists_and_the_sample_keeps_its_keys(wrap):
    label = np.zeros((1, 3, 4, 5), dtype=np.uint8)
    label[0, 1, 2, 3] = 7
    before = {"label": wrap(label), "image": "untouched"}
    after = ClassVoxelsd(keys="label", max_voxels=5)(before)
    assert after["class_voxels"][7].tolist() == [[1, 2, 3]]
    assert after["label"] is before["label"]
    assert after["image"] == "untouched"
    assert "class_voxels" not in before


def test_a_sample_without_label_passes_where_that_is_allowed():
    step = ClassVoxelsd(keys="label", allow_missing_keys=True)
    assert step({"image": 1}) == {"image": 1}
    with pytest.raises(KeyError, match="label"):
        ClassVoxelsd(keys="label")({"image": 1})


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (np.full((1, 2, 2), np.nan), "case 'a': label: holds nan, not a whole number"),
        (np.full((1, 2, 2), np.inf), "holds inf"),
        (np.full((1, 2, 2), 0.5, np.float32), "holds 0.5, not a whole number; resample labels"),
        (np.full((1, 2, 2), 70000), "holds 70000, more than 65535"),
        (np.zeros((1, 0, 2)), r"label: has no voxels, got shape \(1, 0, 2\)"),
        (np.zeros((2, 4, 4)), r"must be \(1, \*spatial\), got shape \(2, 4, 4\)"),
        (np.zeros(4), r"must be \(1, \*spatial\), got shape \(4,\)"),
    ],
)
def test_a_label_that_cannot_be_used_is_refused_in_one_line(label, message):
    with pytest.raises(DataError, match=message) as caught:
        ClassVoxelsd(keys="label")({"label": label, "case": "a"})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("max_voxels", [0, -1, 2.5, float("nan"), True, "many"])
def test_a_list_must_have_room_for_a_voxel(max_voxels):
    with pytest.raises(UsageError, match="max_voxels must be a whole number from 1, got"):
        ClassVoxelsd(keys="label", max_voxels=max_voxels)


@pytest.mark.parametrize("keys", [[], ["label", "other"]])
def test_there_is_one_label(keys):
    with pytest.raises(UsageError, match="keys must name one label"):
        ClassVoxelsd(keys=keys)
