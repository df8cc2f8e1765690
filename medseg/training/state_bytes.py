"""Serialisation of a training's state: tensors as safetensors, the rest as JSON in its header.

Nothing is pickled, so a checkpoint from elsewhere can hold wrong numbers but no code.
"""

import json
from typing import Any, cast

import safetensors.torch as safetensors_torch
import torch
from torch import Tensor

from medseg.data.nested import join_arrays, split_arrays

__all__ = ["state_from_bytes", "state_to_bytes"]

# safetensors has incomplete types.
_tensors = cast("Any", safetensors_torch)
_HEADER = "state"


def state_to_bytes(state: Any) -> bytes:
    """Serialise a state.

    Args:
        state: As `medseg.data.nested.split_arrays` takes it, with tensors for arrays.

    Raises:
        TypeError: If it holds anything else.
    """
    tensors: list[object] = []
    text = json.dumps(split_arrays(state, tensors))
    copies = {str(number): _copy(tensor) for number, tensor in enumerate(tensors)}
    return cast("bytes", _tensors.save(copies, metadata={_HEADER: text}))


def state_from_bytes(content: bytes) -> Any:
    """Deserialise the bytes of `state_to_bytes`; tensors are on the CPU.

    Raises:
        ValueError: If it was written by a version of medseg with another format.
        Exception: If it is damaged: `safetensors.SafetensorError`, `KeyError` or another.
    """
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    tensors = _tensors.load(content)
    # Copies, as safetensors' tensors share the memory of the bytes.
    copies = [torch.clone(tensors[str(number)]) for number in range(len(tensors))]
    return join_arrays(json.loads(header["__metadata__"][_HEADER]), copies)


def _copy(tensor: object) -> Tensor:
    # Two names may share memory, which safetensors refuses.
    if not isinstance(tensor, Tensor):
        raise TypeError("a state holds its arrays as tensors")
    return tensor.detach().to("cpu", copy=True).contiguous()
