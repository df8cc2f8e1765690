"""A training's state as bytes: nothing of it changes, and nothing else is taken for one."""

import hashlib
import json

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from medseg.errors import DataError
from medseg.training.checkpoint_files import newest_checkpoint, write_checkpoint
from medseg.training.state_bytes import state_from_bytes, state_to_bytes

tensors = st.builds(
    lambda shape, dtype: torch.arange(int(np.prod(shape))).reshape(shape).to(dtype),
    st.lists(st.integers(0, 3), max_size=3),
    st.sampled_from([torch.float32, torch.bfloat16, torch.uint8, torch.bool]),
)
scalars = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False)
states = st.recursive(
    scalars | tensors,
    lambda part: (
        st.lists(part)
        | st.lists(part).map(tuple)
        | st.dictionaries(st.text() | st.integers(), part)
    ),
    max_leaves=10,
)


def same(a, b):
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


@given(states)
def test_a_state_comes_back_as_it_was(state):
    assert same(state_from_bytes(state_to_bytes(state)), state)


def test_two_names_of_one_memory_become_two_tensors():
    shared = torch.zeros(4)
    one, other = state_from_bytes(state_to_bytes([shared, shared[:2]]))
    one += 1
    assert other.tolist() == [0, 0]


@pytest.mark.parametrize("part", [np.zeros(2), {1, 2}, object(), {1.5: 0}, b"bytes"])
def test_what_a_state_cannot_hold_is_refused(part):
    with pytest.raises(TypeError):
        state_to_bytes({"part": part})


def test_a_checkpoint_in_another_form_is_refused_in_one_line(tmp_path):
    path = write_checkpoint(tmp_path, 1, {"network": torch.zeros(1)})
    state = json.dumps({"dict": [["network", {"tensor": "0"}]]})
    path.write_bytes(safetensors.torch.save({"0": torch.zeros(1)}, metadata={"state": state}))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(f"{path.name}.sha256").write_text(f"{digest}  {path.name}\n")
    with pytest.raises(DataError, match=r"checkpoint_00000001\.safetensors: written by another"):
        newest_checkpoint(tmp_path)
