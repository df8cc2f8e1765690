"""What one-hot encoding promises: any dtype, nothing but classes, ignored voxels empty."""

import pytest
import torch

from medseg.losses.inputs import one_hot_label

LABEL = torch.tensor([[[[0, 1], [2, 1]]]])
DTYPES = [
    *(torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.uint16, torch.uint32, torch.uint64),
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ignore_index", [None, -1, 255])
def test_a_label_of_any_dtype_is_one_hot_encoded(dtype, ignore_index):
    one_hot = one_hot_label(torch.empty(1, 3, 2, 2), LABEL.to(dtype), ignore_index=ignore_index)
    assert one_hot.dtype == torch.float32
    assert one_hot.tolist() == [[[[1, 0], [0, 0]], [[0, 1], [0, 1]], [[0, 0], [1, 0]]]]


def test_a_label_of_booleans_is_two_classes():
    one_hot = one_hot_label(torch.empty(1, 2, 1, 2), torch.tensor([[[[True, False]]]]))
    assert one_hot.tolist() == [[[[0, 1]], [[1, 0]]]]


def test_an_ignored_voxel_is_in_no_class_be_its_value_a_class_or_not():
    assert one_hot_label(torch.empty(1, 3, 2, 2), LABEL, ignore_index=1).sum(dim=1).tolist() == [
        [[1, 0], [1, 0]]
    ]
    assert one_hot_label(torch.empty(1, 2, 2, 2), LABEL, ignore_index=2).sum(dim=1).tolist() == [
        [[1, 1], [0, 1]]
    ]


def test_minus_one_does_not_mean_255_in_a_label_of_bytes():
    label = torch.tensor([[[[255, 0]]]], dtype=torch.uint8)
    with pytest.raises(ValueError, match="label values must be 0 to 1 or -1, got 255"):
        one_hot_label(torch.empty(1, 2, 1, 2), label, ignore_index=-1)


@pytest.mark.parametrize(
    ("value", "message"),
    [(3, "must be 0 to 2, got 3"), (-1, "got -1"), (0.5, "got 0.5"), (float("nan"), "got nan")],
)
def test_a_value_that_is_no_class_is_named(value, message):
    label = LABEL.float()
    label[..., 0, 0] = value
    with pytest.raises(ValueError, match=message):
        one_hot_label(torch.empty(1, 3, 2, 2), label)


def test_of_many_values_that_are_no_class_the_first_are_named():
    label = torch.arange(10, 18).view(1, 1, 2, 4)
    with pytest.raises(ValueError, match="got 10, 11, 12, 13, 14 and 3 more"):
        one_hot_label(torch.empty(1, 2, 2, 4), label)


def test_a_label_of_several_channels_is_refused():
    with pytest.raises(ValueError, match="label must have one channel of class indices, got 2"):
        one_hot_label(torch.empty(1, 2, 4, 4), torch.zeros(1, 2, 4, 4))
