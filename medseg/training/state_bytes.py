"""A training's state as bytes, and back: tensors as safetensors, all else as JSON in its header.

Nothing is pickled, so a checkpoint from elsewhere can hold wrong numbers but no program.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import safetensors.torch as safetensors_torch
import torch
from torch import Tensor

__all__ = ["state_from_bytes", "state_to_bytes"]

# Its types are unknown to a checker.
_tensors = cast("Any", safetensors_torch)
_HEADER = "state"


def state_to_bytes(state: Any) -> bytes:
    """Write down a state.

    Args:
        state: Dictionaries with texts or whole numbers as keys, lists, tuples, tensors and
            what JSON holds, within each other as deep as they like.

    Raises:
        TypeError: If there is anything else in it.
    """
    tensors: dict[str, Tensor] = {}
    text = json.dumps(_encode(state, tensors))
    return cast("bytes", _tensors.save(tensors, metadata={_HEADER: text}))


def state_from_bytes(content: bytes) -> Any:
    """Read what `state_to_bytes` wrote; tensors are on the CPU.

    Raises:
        Exception: If it is damaged: `safetensors.SafetensorError`, `KeyError` or another.
    """
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    return _decode(json.loads(header["__metadata__"][_HEADER]), _tensors.load(content))


def _encode(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        name = str(len(tensors))
        # A copy: two names may share memory, which safetensors refuses.
        copy = value.detach().to("cpu", copy=True)
        tensors[name] = copy.contiguous()
        return {"tensor": name}
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return {"dict": [[_key(key), _encode(child, tensors)] for key, child in items]}
    if isinstance(value, list | tuple):
        children = [_encode(child, tensors) for child in cast("list[Any]", value)]
        return {"tuple": children} if isinstance(value, tuple) else children
    return _scalar(value)


def _key(key: Any) -> str | int:
    if isinstance(key, str | int) and not isinstance(key, bool):
        return key
    raise TypeError(f"a state's keys must be texts or whole numbers, got {key!r}")


def _scalar(value: Any) -> Any:
    plain: Any = cast("Any", value).item() if isinstance(value, np.generic) else value
    if plain is None or isinstance(plain, bool | int | float | str):
        return cast("Any", plain)
    raise TypeError(f"a state cannot hold a {type(plain).__name__}")


def _decode(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_decode(child, tensors) for child in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    (kind, content), *_ = cast("dict[str, Any]", value).items()
    if kind == "tensor":
        return torch.clone(tensors[content])
    if kind == "tuple":
        return tuple(_decode(child, tensors) for child in content)
    return {key: _decode(child, tensors) for key, child in content}
