"""Nested values: a way through JSON that changes nothing, and the one form of kept cases."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from medseg.data.nested import arrays_in, join_arrays, plain, split_arrays

scalars = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False)
arrays = hnp.arrays(st.sampled_from([np.int32, np.float16, np.uint8]), hnp.array_shapes())
values = st.recursive(
    scalars | arrays,
    lambda part: st.lists(part) | st.dictionaries(st.text() | st.integers(), part),
    max_leaves=8,
)


tupled = st.recursive(
    scalars | arrays, lambda part: st.lists(part) | st.lists(part).map(tuple), max_leaves=8
)


def same(a, b):
    if isinstance(a, np.ndarray):
        return (
            isinstance(b, np.ndarray)
            and a.dtype == b.dtype
            and np.array_equal(a, b, equal_nan=True)
        )
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


@given(values)
def test_a_plain_value_survives_json_with_its_arrays_beside(value):
    found = []
    text = json.dumps(split_arrays(plain(value), found))
    assert same(join_arrays(json.loads(text), found), plain(value))
    assert len(found) == len(list(arrays_in(plain(value))))


@given(tupled)
def test_lists_and_tuples_stay_apart(value):
    found = []
    assert same(join_arrays(json.loads(json.dumps(split_arrays(value, found))), found), value)


def test_tensors_stay_tensors_beside_json():
    tensor = torch.ones(2, dtype=torch.bfloat16)
    found = []
    node = split_arrays({"weights": [tensor]}, found)
    assert join_arrays(json.loads(json.dumps(node)), found) == {"weights": [tensor]}


@pytest.mark.parametrize(
    "node", [{"tensor": "0"}, {"dict": [], "tuple": []}, [{"array": 0}, {"set": []}], {}]
)
def test_what_another_version_might_have_written_is_refused(node):
    with pytest.raises(ValueError, match=r"unknown kind|unpack"):
        join_arrays(node, [np.zeros(1)])


def test_tensors_become_arrays_and_tuples_lists():
    value = {"at": (1, np.float32(2)), 3: torch.ones(2, dtype=torch.int32), "from": Path("a")}
    expected = {"at": [1, 2.0], 3: np.ones(2, np.int32), "from": "a"}
    assert same(plain(value), expected)


def test_an_array_is_copied():
    array = np.zeros(2)
    assert not np.shares_memory(plain(array), array)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"a": {1, 2}}, "type set"),
        ([object()], "type object"),
        ({1.5: 0}, "a dictionary with a key of type float"),
        (np.array(["text"]), "type ndarray"),
    ],
)
def test_what_could_not_be_written_down_is_named(value, told):
    with pytest.raises(TypeError, match=f"^{told}$"):
        plain(value)
