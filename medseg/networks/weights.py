"""Weights on disk: safetensors, with the settings that belong to them inside.

A network is useless with another window, spacing or width than it was trained with.
Those settings travel in the weights' own header, so a bundle's inference config can ask
for them and no one has to remember the overrides of a training. Beside each
`.safetensors` lies a tensor-only `.pt` for tools that know no safetensors.
"""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import safetensors
import safetensors.torch as safetensors_torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from medseg._files import write_atomically
from medseg.errors import DataError

# Their types are unknown to a checker; ours are in the signatures below.
_safetensors = cast("Any", safetensors)
_tensors = cast("Any", safetensors_torch)

__all__ = ["load_weights", "plain_network", "save_weights", "trained_setting"]


def plain_network(network: nn.Module) -> nn.Module:
    """The network within a `DistributedDataParallel`, or itself: its names have no prefix."""
    wrapped = isinstance(network, nn.parallel.DistributedDataParallel)
    return cast("nn.Module", cast("Any", network).module if wrapped else network)


def save_weights(network: nn.Module, path: str | Path, settings: Mapping[str, Any]) -> None:
    """Write `network`'s state to `path` (`.safetensors`) and to the `.pt` beside it.

    Args:
        network: What was trained; a `DistributedDataParallel` is unwrapped.
        path: Ends in `.safetensors`.
        settings: What inference has to repeat; JSON values.
    """
    path = Path(path)
    tensors = cast("dict[str, Tensor]", plain_network(network).state_dict())
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = {"settings": json.dumps(dict(settings))}
    # Both libraries' own writers hide a full disk behind errors of theirs, and safetensors'
    # makes a file that no one else may read.
    safe = cast("bytes", _tensors.save(state, metadata=header))
    plain = io.BytesIO()
    torch.save(state, plain)
    write_atomically(path, lambda temporary: temporary.write_bytes(safe))
    write_atomically(
        path.with_suffix(".pt"), lambda temporary: temporary.write_bytes(plain.getvalue())
    )


def load_weights(network: nn.Module, path: str | Path) -> None:
    """Load what `save_weights` wrote into `network`; every tensor must be there and fit.

    Args:
        network: Of the same shape; a `DistributedDataParallel` is unwrapped.
        path: The `.safetensors` file.

    Raises:
        DataError: If the file is missing or broken, or of a network of another shape.
    """
    if not Path(path).is_file():
        raise DataError(f"{path}: no weights there; train the bundle first, or install them")
    try:
        plain_network(network).load_state_dict(_tensors.load_file(path))
    except SafetensorError as error:
        raise DataError(f"{path}: not a readable safetensors file ({error})") from error
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise DataError(
            f"{path}: weights of another network than the config's: {reason}"
        ) from error


def trained_setting(path: str | Path, name: str, default: Any) -> Any:
    """One setting the weights at `path` were trained with.

    Args:
        path: A `.safetensors` file, which need not exist yet.
        name: Key in the `settings` of `save_weights`.
        default: Returned where there is no file, or the file does not say.

    Raises:
        DataError: If the file is broken, or its settings are not those of `save_weights`.
    """
    if not Path(path).is_file():
        return default
    try:
        with _safetensors.safe_open(path, framework="pt") as file:
            header = cast("dict[str, str]", file.metadata() or {})
    except SafetensorError as error:
        raise DataError(f"{path}: not a readable safetensors file ({error})") from error
    try:
        settings = json.loads(header.get("settings", "{}"))
    except json.JSONDecodeError:
        settings = None
    if not isinstance(settings, dict):
        raise DataError(f"{path}: its settings are no JSON object; save it with medseg")
    return cast("dict[str, Any]", settings).get(name, default)
