"""Saving and loading weights: safetensors, with the training's settings in the header.

A network is useless with another window, spacing or width than it was trained with. These settings
are stored in the header of the weights, so that a bundle's inference config can read them and
nobody has to remember the overrides of a training. Next to each `.safetensors` a tensor-only
`.pt` is written, for tools that do not support safetensors.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import safetensors.torch as safetensors_torch
from safetensors import SafetensorError
from torch import Tensor, nn

from medseg._files import write_atomically
from medseg.errors import DataError, UsageError
from medseg.networks.ensemble import Ensemble
from medseg.networks.known import KnownNetwork, arguments_of, build_network, build_shell
from medseg.networks.members import fold_of, member_settings, weights_members
from medseg.networks.provenance import KEY, Provenance, provenance_json
from medseg.networks.settings import checked_setting
from medseg.networks.weights_bytes import plain_bytes, safe_bytes
from medseg.networks.weights_file import read_weights_file, read_weights_header

# safetensors has no complete annotations.
_tensors = cast("Any", safetensors_torch)

__all__ = [
    "halve_weights",
    "halved_state",
    "load_weights",
    "plain_network",
    "read_state",
    "renew_plain",
    "save_weights",
    "trained_network",
    "trained_setting",
    "write_state",
]

# Every level halves the image.
_DEEPEST = 32


def plain_network(network: nn.Module) -> nn.Module:
    """The network inside a `DistributedDataParallel`, or itself; its names have no prefix."""
    wrapped = isinstance(network, nn.parallel.DistributedDataParallel)
    return cast("nn.Module", cast("Any", network).module if wrapped else network)


def save_weights(
    network: nn.Module,
    path: str | Path,
    settings: Mapping[str, Any],
    provenance: Provenance | None = None,
) -> None:
    """Write `network`'s state to `path` (`.safetensors`) and to a `.pt` next to it.

    Args:
        network: The trained network; a `DistributedDataParallel` is unwrapped.
        path: Ends in `.safetensors`.
        settings: Settings that inference must repeat; JSON values.
        provenance: Where the weights come from; its digest is not used, the header states that of
            `network`'s tensors.
    """
    path = Path(path)
    tensors = cast("dict[str, Tensor]", plain_network(network).state_dict())
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    texts = {"settings": json.dumps(dict(settings))}
    if provenance is not None:
        texts[KEY] = json.dumps(provenance_json(provenance))
    write_state(state, path, texts)


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
    state, texts = read_state(path)
    write_state(halved_state(state, path), Path(out), texts)


def halved_state(state: Mapping[str, Tensor], path: str | Path) -> dict[str, Tensor]:
    """The tensors in half precision, see `halve_weights`.

    Args:
        state: By name.
        path: Their file, for the error.

    Raises:
        DataError: If a kernel holds values beyond float16's range.
    """
    halved = {name: _halved(tensor) for name, tensor in state.items()}
    lost = next((name for name, tensor in halved.items() if tensor.isinf().any()), None)
    if lost is not None:
        raise DataError(
            f"{path}: {lost} holds values beyond float16's range; ship the weights in float32"
        )
    return halved


def _halved(tensor: Tensor) -> Tensor:
    return tensor.half() if tensor.dim() > 1 and tensor.is_floating_point() else tensor


def write_state(state: Mapping[str, Tensor], path: Path, texts: Mapping[str, str]) -> None:
    """Write tensors to `path`, with texts and the tensors' digest in the header, and to a `.pt`."""
    # The libraries' own file writers turn a full disk into their own errors, and safetensors'
    # creates a file that only its owner may read.
    safe, plain = safe_bytes(state, texts), plain_bytes(state)
    write_atomically(path, lambda temporary: temporary.write_bytes(safe))
    write_atomically(path.with_suffix(".pt"), lambda temporary: temporary.write_bytes(plain))


def renew_plain(path: str | Path) -> None:
    """Write the `.pt` beside weights again, unless it holds them already.

    Raises:
        DataError: If the weights are missing, broken or damaged.
    """
    state, _ = read_state(path)
    plain, beside = plain_bytes(state), Path(path).with_suffix(".pt")
    if not (beside.is_file() and beside.read_bytes() == plain):
        write_atomically(beside, lambda temporary: temporary.write_bytes(plain))


def load_weights(network: nn.Module, path: str | Path, held_out: int | None = None) -> None:
    """Load weights written by `save_weights`; every tensor must be present and fit.

    Half-precision weights are converted to the network's precision.

    Args:
        network: Of the same architecture; a `DistributedDataParallel` is unwrapped.
        path: The `.safetensors` file; those of an `Ensemble` are its folds, see `weights_members`.
        held_out: Fold whose cases are to be scored; None if they are of no fold.

    Raises:
        DataError: If a file is missing, broken or damaged, or of a network of another shape, or if
            weights of a cross-validation were trained on the cases that are to be scored.
    """
    files, plain = weights_members(path), plain_network(network)
    parts = list(plain.members) if isinstance(plain, Ensemble) else [plain]
    if len(parts) != len(files):
        raise DataError(
            f"{path}: stands for the weights of {len(files)} networks, and the config has "
            f"{len(parts)}; leave network_def out, or name the weights of one fold"
        )
    if held_out is not None:
        _require_held_out(files, held_out)
    for part, file in zip(parts, files, strict=True):
        _load(part, file)


def _require_held_out(files: Sequence[Path], held_out: int) -> None:
    if len(files) > 1:
        raise DataError(
            f"{files[0].parent}: each case of fold {held_out} is one that {len(files) - 1} of "
            f"these {len(files)} networks were trained on; score cases that none saw (split=test), "
            f"or one network (ckpt_path={files[0].with_name(f'fold_{held_out}.safetensors')})"
        )
    trained = fold_of(files[0])
    if trained is not None and trained[0] != held_out:
        raise DataError(
            f"{files[0]}: was trained on the cases of fold {held_out}; score it on those it did "
            f"not see: fold={trained[0]}"
        )


def _load(network: nn.Module, path: Path) -> None:
    state, _ = read_state(path)
    try:
        network.load_state_dict(state)
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
        DataError: If the file is broken, its settings are not those of `save_weights`, or the
            value is none that this setting can have.
    """
    settings = member_settings(path)
    return checked_setting(path, name, settings[name]) if name in settings else default


def trained_network(path: str | Path, default: Mapping[str, Any]) -> KnownNetwork | Ensemble:
    """Create the network of the weights at `path` from their header.

    It has the header's shape, not yet the weights; see `load_weights`.

    Args:
        path: A `.safetensors` file, which need not exist yet; folds of a cross-validation that
            stand for it are an `Ensemble`.
        default: Arguments of `UNet`, or of another known network with its `_target_`, where there
            is no file, or the file does not say. Headers of before there was a key `network` have
            some of them, each a key of its own, and `class_names` for `out_channels`.

    Raises:
        DataError: If the file is broken, or describes no network of medseg's, another than that
            of its weights, or one for images of other axes or channels than `default`.
        UsageError: If there is no file, and `default` is no network.
    """
    settings = member_settings(path)
    networks = [_network(member, settings, default) for member in weights_members(path)]
    if len(networks) == 1:
        return networks[0]
    return Ensemble(networks, "sigmoid" if settings.get("activation") == "sigmoid" else "softmax")


def _network(path: Path, settings: Mapping[str, Any], default: Mapping[str, Any]) -> KnownNetwork:
    described = settings.get("network", {**default, **_older_keys(settings)})
    if not path.is_file():
        return build_network(described, "the default of trained_network", UsageError)
    where = f"{path}: the network in its settings"
    _require_same_kind(_arguments(described), _arguments(default), path)
    if not _has_shape(described, where, _shapes(path)):
        if "network" in settings:
            raise DataError(f"{where} is another than that of its weights; save it with medseg")
        raise DataError(f"{path}: do not fit this bundle's network; use weights of this bundle")
    return build_network(described, where, DataError)


def _require_same_kind(
    described: Mapping[str, Any], default: Mapping[str, Any], path: str | Path
) -> None:
    """Refuse weights of a bundle for other images: a 2-D network would label volumes all the same.

    Raises:
        DataError: If both state a number of axes or channels, and not the same.
    """
    for name, words in (("spatial_dims", "spatial axes"), ("in_channels", "image channels")):
        theirs, ours = described.get(name), default.get(name)
        if name in described and name in default and theirs != ours:
            raise DataError(
                f"{path}: its network is for {str(theirs)[:20]} {words}, this bundle's for {ours}; "
                "use weights of this bundle"
            )


def _older_keys(settings: Mapping[str, Any]) -> dict[str, Any]:
    older = {name: value for name, value in settings.items() if name in arguments_of()}
    classes = settings.get("class_names")
    if isinstance(classes, list):
        older["out_channels"] = len(cast("list[Any]", classes))
    return older


def _has_shape(described: Any, where: str, shapes: dict[str, tuple[int, ...]]) -> bool:
    """Whether the network has these tensors; tried on the meta device, without memory."""
    arguments = _arguments(described)
    depth = arguments.get("depth")
    if isinstance(depth, int) and depth > min(_DEEPEST, len(shapes)):
        return False
    state = build_shell(arguments, where, DataError).state_dict()
    return {name: tuple(tensor.shape) for name, tensor in state.items()} == shapes


def _arguments(described: Any) -> dict[str, Any]:
    return dict(cast("Mapping[str, Any]", described)) if isinstance(described, Mapping) else {}


def _shapes(path: str | Path) -> dict[str, tuple[int, ...]]:
    tensors = read_weights_header(path).tensors
    return {name: tensor.shape for name, tensor in tensors.items()}


def read_state(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Every tensor and the header's texts; the tensors agree with the digest there.

    Raises:
        DataError: If the file is missing, broken or damaged.
    """
    header, content = read_weights_file(path)
    try:
        state = cast("dict[str, Tensor]", _tensors.load(content))
    except SafetensorError as error:
        raise DataError(f"{path}: not a readable safetensors file ({error})") from error
    return state, dict(header.texts)
