"""Which connected parts of a label stay."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from monai.data.meta_tensor import MetaTensor

from medseg.errors import DataError, UsageError
from medseg.inference import KeepPartsd, keep_parts
from medseg.inference.kept_parts import PartRule, unit_size

NAMES = ["background", "lung", "tumour"]
# Of class 1 a part of four pixels and one of one; of class 2 two of two.
LABEL = np.array(
    [
        [1, 1, 0, 2, 2],
        [1, 1, 0, 0, 0],
        [0, 0, 0, 2, 0],
        [1, 0, 0, 0, 2],
    ],
    dtype=np.uint8,
)


def kept(rules, unit=1.0):
    return keep_parts(LABEL, rules, unit)


def test_only_the_largest_part_of_a_class_stays_the_first_of_equals():
    result = kept({1: PartRule(keep="largest"), 2: PartRule(keep="largest")})
    assert (result == 1).sum() == 4
    # The two pixels that touch at a corner are one part, as large as the first.
    assert np.argwhere(result == 2).tolist() == [[0, 3], [0, 4]]


def test_parts_below_a_size_become_background_and_other_classes_stay():
    result = kept({1: PartRule(smallest=2)})
    assert result[3, 0] == 0
    assert (result == 1).sum() == 4
    assert ((result == 2) == (LABEL == 2)).all()


def test_a_size_is_in_the_unit_of_a_voxel():
    # A pixel of 0.5: the part of four is 2.0, that of one 0.5.
    assert (kept({1: PartRule(smallest=0.6)}, unit=0.5) == 1).sum() == 4
    assert (kept({1: PartRule(smallest=2.1)}, unit=0.5) == 1).sum() == 0


def test_a_voxel_of_one_by_two_by_five_millimetres_is_a_hundredth_of_a_millilitre():
    assert unit_size(np.diag([1.0, -2.0, 5.0, 1.0]), 3) == pytest.approx(0.01)
    assert unit_size(np.diag([1.0, -2.0, 5.0, 1.0]), 2) == 1


def test_a_label_without_the_class_is_returned_as_it_is():
    label = np.zeros((3, 3), np.uint8)
    assert keep_parts(label, {1: PartRule(keep="largest")}, 1.0) is label


labels = arrays(np.uint8, (4, 5, 3), elements=st.integers(0, 2))
rules = st.builds(PartRule, keep=st.sampled_from(["all", "largest"]), smallest=st.floats(0, 20))


@given(labels=labels, one=rules, two=rules)
def test_voxels_only_become_background_and_a_second_time_nothing_changes(labels, one, two):
    chosen = {1: one, 2: two}
    before = labels.copy()
    result = keep_parts(labels, chosen, 1.0)
    assert (labels == before).all()
    assert ((result == labels) | (result == 0)).all()
    assert (keep_parts(result, chosen, 1.0) == result).all()


@given(labels=labels)
def test_the_largest_part_is_that_of_simple_itk(labels):
    sitk = pytest.importorskip("SimpleITK")
    components = sitk.ConnectedComponentImageFilter()
    components.FullyConnectedOn()
    parts = components.Execute(sitk.GetImageFromArray((labels == 1).astype(np.uint8)))
    sizes = np.bincount(sitk.GetArrayFromImage(parts).ravel(), minlength=2)[1:]
    result = keep_parts(labels, {1: PartRule(keep="largest")}, 1.0)
    assert (result == 1).sum() == sizes.max()


def step(**arguments):
    return KeepPartsd("pred", class_names=NAMES, **arguments)


def test_as_a_step_it_takes_classes_by_name_and_millilitres_by_the_affine():
    volume = torch.as_tensor(LABEL)[None, ..., None]
    # 1 ml a voxel: 10 mm along each axis; the affine of a batch, as inferers return it.
    label = MetaTensor(volume, affine=torch.diag(torch.tensor([10.0, 10, 10, 1]))[None])
    result = step(keep_largest=["tumour"], smallest={"lung": 1.5})({"pred": label})["pred"]
    assert isinstance(result, MetaTensor)
    assert result.dtype == torch.uint8
    assert (np.asarray(result) == 1).sum() == 4
    assert (np.asarray(result) == 2).sum() == 2


def test_without_classes_it_changes_nothing_whatever_there_is():
    probability = torch.rand(1, 4, 4)
    assert step()({"pred": probability})["pred"] is probability


def test_wrong_arguments_are_refused_in_a_line():
    with pytest.raises(UsageError, match=r"keep_largest: there is no class 'liver'; they are lung"):
        step(keep_largest=["liver"])
    with pytest.raises(UsageError, match=r"write keep_largest=\[tumour\]"):
        step(keep_largest="tumour")
    with pytest.raises(UsageError, match=r"smallest#lung"):
        step(smallest={"lung": -1})
    with pytest.raises(
        DataError, match="leave keep_largest and smallest out; numbered objects have"
    ):
        step(keep_largest=["lung"])({"pred": torch.rand(1, 4, 4)})
