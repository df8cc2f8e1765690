"""Bytes of weights files: safetensors, and plain tensors for tools that do not read these."""

import io
from collections.abc import Mapping
from typing import Any, cast

import safetensors.torch as safetensors_torch
import torch
from torch import Tensor

from medseg.networks.weights_file import signed_weights

# safetensors has no complete annotations.
_tensors = cast("Any", safetensors_torch)

__all__ = ["plain_bytes", "safe_bytes"]


def safe_bytes(state: Mapping[str, Tensor], texts: Mapping[str, str]) -> bytes:
    """A safetensors file of tensors, with texts and the tensors' digest in its header."""
    return signed_weights(cast("bytes", _tensors.save(dict(state))), texts)


def plain_bytes(state: Mapping[str, Tensor]) -> bytes:
    """A `.pt` file of tensors alone; equal tensors give equal bytes."""
    # In one order, so that equal tensors are equal files; safetensors has another than networks.
    plain = io.BytesIO()
    torch.save(dict(sorted(state.items())), plain)
    return plain.getvalue()
