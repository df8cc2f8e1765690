"""Saving and loading weights: safetensors, with the training's settings in the header.

A network is useless with another window, spacing or width than it was trained with. These settings
are stored in the header of the weights, so that a bundle's inference config can read them and
nobody has to remember the overrides of a training. Next to each `.safetensors` a tensor-only
`.pt` is written, for tools that do not support safetensors.
"""

import io
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import safetensors
import safetensors.torch as safetensors_torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from medseg._files import write_atomically
from medseg.errors import DataError

# safetensors has no complete annotations.
_safetensors = cast("Any", safetensors)
_tensors = cast("Any", safetensors_torch)

__all__ = ["halve_weights", "load_weights", "plain_network", "save_weights", "trained_setting"]


def plain_network(network: nn.Module) -> nn.Module:
    """The network inside a `DistributedDataParallel`, or itself; its names have no prefix."""
    wrapped = isinstance(network, nn.parallel.DistributedDataParallel)
    return cast("nn.Module", cast("Any", network).module if wrapped else network)


def save_weights(network: nn.Module, path: str | Path, settings: Mapping[str, Any]) -> None:
    """Write `network`'s state to `path` (`.safetensors`) and to a `.pt` next to it.

    Args:
        network: The trained network; a `DistributedDataParallel` is unwrapped.
        path: Ends in `.safetensors`.
        settings: Settings that inference must repeat; JSON values.
    """
    path = Path(path)
    tensors = cast("dict[str, Tensor]", plain_network(network).state_dict())
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    _write(state, path, {"settings": json.dumps(dict(settings))})


def halve_weights(path: str | Path, out: str | Path) -> None:
    """Convert the weights at `path` to half precision, settings included, and write them to `out`.

    Kernels are rounded to float16. Tensors of one axis (biases, norms and their running
    statistics) stay as they are: they take little space, and a variance may exceed float16's range.
    A float32 network loads the result as it loads the original.

    Args:
        path: File written by `save_weights`.
        out: Ends in `.safetensors`; it and the `.pt` next to it are replaced.

    Raises:
        DataError: If the file is missing or broken, or holds a kernel beyond float16's range.
    """
    state, header = _read(path)
    halved = {name: _halved(tensor) for name, tensor in state.items()}
    lost = next((name for name, tensor in halved.items() if tensor.isinf().any()), None)
    if lost is not None:
        raise DataError(
            f"{path}: {lost} holds values beyond float16's range; ship the weights in float32"
        )
    _write(halved, Path(out), header)


def _halved(tensor: Tensor) -> Tensor:
    return tensor.half() if tensor.dim() > 1 and tensor.is_floating_point() else tensor


def _write(state: Mapping[str, Tensor], path: Path, header: Mapping[str, str]) -> None:
    # The libraries' own file writers turn a full disk into their own errors, and safetensors'
    # creates a file that only its owner may read.
    safe = cast("bytes", _tensors.save(dict(state), metadata=dict(header)))
    plain = io.BytesIO()
    torch.save(dict(state), plain)
    write_atomically(path, lambda temporary: temporary.write_bytes(safe))
    write_atomically(
        path.with_suffix(".pt"), lambda temporary: temporary.write_bytes(plain.getvalue())
    )


def load_weights(network: nn.Module, path: str | Path) -> None:
    """Load weights written by `save_weights`; every tensor must be present and fit.

    Half-precision weights are converted to the network's precision.

    Args:
        network: Of the same architecture; a `DistributedDataParallel` is unwrapped.
        path: The `.safetensors` file.

    Raises:
        DataError: If the file is missing or broken, or of a network of another shape.
    """
    state, _ = _read(path)
    try:
        plain_network(network).load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise DataError(f"{path}: the weights do not fit the config's network: {reason}") from error


def trained_setting(path: str | Path, name: str, default: Any) -> Any:
    """Read one of the training's settings from the weights at `path`.

    Args:
        path: A `.safetensors` file, which need not exist yet.
        name: Key in the `settings` of `save_weights`.
        default: Returned if the file or the setting does not exist.

    Raises:
        DataError: If the file is broken, or its settings are not those of `save_weights`.
    """
    if not Path(path).is_file():
        return default
    with _opened(path) as file:
        header = cast("dict[str, str]", file.metadata() or {})
    try:
        settings = json.loads(header.get("settings", "{}"))
    except json.JSONDecodeError:
        settings = None
    if not isinstance(settings, dict):
        raise DataError(f"{path}: its settings are not a JSON object; save the weights with medseg")
    return cast("dict[str, Any]", settings).get(name, default)


def _read(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Every tensor and the header's texts."""
    if not Path(path).is_file():
        raise DataError(f"{path}: no weights there; train the bundle first, or install them")
    with _opened(path) as file:
        state = {name: cast("Tensor", file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118 - no mapping
        return state, dict(file.metadata() or {})


@contextmanager
def _opened(path: str | Path) -> Generator[Any]:
    try:
        with _safetensors.safe_open(path, framework="pt") as file:
            yield file
    except SafetensorError as error:
        raise DataError(f"{path}: not a readable safetensors file ({error})") from error
