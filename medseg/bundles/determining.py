"""Part of a config that determines what a training gives, wherever its files lie."""

from collections.abc import Mapping
from typing import Any

__all__ = ["determining"]

# Where files lie, and what is told of a bundle: no part of what determines a result.
_PATHS = (
    "_meta_", "bundle_root", "dataset_dir", "manifest_file", "output_dir", "ckpt_dir", "ckpt_path",
    "initialize",
)  # fmt: skip


def determining(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config without the paths of its files.

    Args:
        config: As `checked_config` returns it.

    Returns:
        Its other keys; of initial weights, whose bytes count and not where they lie, nothing.
    """
    kept = {key: value for key, value in config.items() if key not in _PATHS}
    control = {key: value for key, value in kept["control"].items() if key != "init_weights"}
    return {**kept, "control": control}
