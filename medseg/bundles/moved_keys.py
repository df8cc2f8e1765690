"""Refuse moved and misspelt config keys, which MONAI silently accepts.

MONAI adds an unknown key to the config, where nothing refers to it: `--max_epoch 5` changes
nothing, and the training runs for a night. The same would happen to a key of an earlier version in
a user's config.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from medseg.bundles.configs import overridden, read_config
from medseg.bundles.keys import is_argument, nested_paths
from medseg.bundles.monai_line import is_of_monai, read_monai_line
from medseg.bundles.near_keys import how_to_list, near_keys
from medseg.bundles.values import check_values
from medseg.errors import UsageError

__all__ = ["refuse_lost_keys", "refuse_moved_keys"]

# New paths of the keys of earlier versions.
_NETWORK = (
    "spatial_dims", "in_channels", "first_width", "growth", "max_width", "depth", "kernel_sizes",
    "pool_sizes", "activation", "norm", "norm_kind", "initialisation", "dropout",
)  # fmt: skip
_CONTROL = (
    "checkpoint_dir", "warmup", "plateau_factor", "plateau_patience", "early_stop_tolerance",
    "clip_gradients", "accumulation_steps", "ema", "final_weights", "case_weights",
    "stored_augmentations", "compile", "tensorboard", "mlflow", "worker_start",
    "quarantine_share", "cache_dir", "val_overlap", "window_batch",
)  # fmt: skip
MOVED = {
    **{name: f"network_def#{name}" for name in _NETWORK},
    **{name: f"control#{name}" for name in _CONTROL},
    "memory_format": "network#memory_format",
    "fn_weight": "loss#fn_weight",
    "fp_weight": "loss#fp_weight",
    "ce_weight": "loss#ce_weight",
    "dice_average": "loss#average",
    "dice_absent": "loss#absent",
    "dice_classes": "loss#classes",
    "momentum": "optimizer#momentum",
    "rho": "optimizer#rho",
    "prepare_batch": "train#trainer#prepare_batch",
}


def refuse_moved_keys(config: Mapping[str, Any]) -> None:
    """Refuse a key of an earlier version that nothing in the config refers to.

    Args:
        config: As `read_config` returns it.

    Raises:
        UsageError: For the first such key; it names the new one.
    """
    moved = [key for key in MOVED if key in config]
    texts = "\n".join(_texts(config)) if moved else ""
    for key in moved:
        if not re.search(rf"[@%]{key}\b", texts):
            raise UsageError(f"{key}: this key is {MOVED[key]} now; rename it in your config")


def refuse_lost_keys(arguments: Sequence[str]) -> None:
    """Refuse keys on a command line of `python -m monai.bundle run` that nothing would use.

    Args:
        arguments: `sys.argv`, with the keys of its `--args_file`; that of another program, or
            without a config file, is not checked.

    Raises:
        UsageError: For a key that the configs lack, it names the closest or the new one; for a
            value that a key does not take.
    """
    line = read_monai_line(arguments) if is_of_monai(arguments) else None
    if line is None or not line.files:
        return
    config = read_config([str(file) for file in line.files])
    refuse_moved_keys(config)
    for key in line.overrides:
        if key.partition("::")[0] not in config:
            raise _lost(key, config)
    try:
        check_values(overridden(config, line.overrides), config)
    except UsageError as error:
        # Values of this command line are Python's.
        text = re.sub(r"; write (\S+)=(?:null\b)?", _as_option, str(error))
        raise UsageError(text) from error


def _as_option(match: re.Match[str]) -> str:
    return f"; write --{match[1]} {'None' if match[0].endswith('=null') else ''}"


def _lost(key: str, config: Mapping[str, Any]) -> UsageError:
    moved = MOVED.get(key, "")
    paths = nested_paths(key, config)
    if moved and is_argument(moved.replace("#", "::"), config):
        paths = [moved]
    if len(paths) == 1:
        return UsageError(f"{key}: use its path, --{paths[0].replace('::', '#')}")
    near = near_keys(key, config)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return UsageError(f"{key}: no such key in this config; {hint}{how_to_list(config)}")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for child in cast("Mapping[object, Any]", value).values():
            yield from _texts(child)
    elif isinstance(value, list):
        for child in cast("list[Any]", value):
            yield from _texts(child)
