"""Pins: values that a user gives, which stay while the rest is planned around them."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from medseg.bundles.plain_yaml import read_value
from medseg.errors import UsageError
from medseg.planning.rules.choice import Choice

__all__ = ["PINNABLE", "parse_pins", "pinned", "pinned_all"]

PINNABLE = (
    "spacing_mm", "pixel_size", "window", "scales", "measured_voxels", "content", "patch_size",
    "centres#foreground", "flip_axes", "rotation_degrees", "elastic_mm", "border_weight",
    "border_weight_px", "network_def#depth", "network_def#first_width",
    "network_def#kernel_sizes", "network_def#pool_sizes", "loss#fp_weight", "loss#fn_weight",
    "loss#ce_weight", "epochs", "iterations_per_epoch", "batch_size", "learning_rate", "schedule",
    "early_stop_patience", "max_minutes", "val_interval", "precision", "cache", "fold", "seed",
    "num_workers", "threshold", "waist_px", "least_px", "largest_hole_px",
)  # fmt: skip

_GIVEN = "given by --set; the rest is planned around it"


def parse_pins(texts: Iterable[str]) -> dict[str, Any]:
    """Pins by their full key, from `KEY=VALUE` texts; the last part of a key is enough.

    Raises:
        UsageError: If a text has no `=`, or no rule plans such a key.
    """
    found: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--set {text}: write KEY=VALUE, e.g. --set patch_size=[64,64,32]")
        names = [name for name in PINNABLE if key in (name, name.rpartition("#")[2])]
        if not names:
            near = difflib.get_close_matches(key, PINNABLE, n=3, cutoff=0.4) or PINNABLE[:3]
            raise UsageError(
                f"--set {key}: nothing plans such a key; there is {', '.join(near)}; others "
                "are given to "
                f"medseg train, as {text}"
            )
        found[names[0]] = read_value(value, f"--set {text}")
    return found


def pinned(choice: Choice, pins: Mapping[str, Any]) -> Choice:
    """The choice, or the user's value in its place."""
    if choice.key not in pins:
        return choice
    would = f"the rule gives {choice.value}"
    return replace(choice, value=pins[choice.key], why=_GIVEN, changes=f"without --set: {would}")


def pinned_all(choices: Sequence[Choice], pins: Mapping[str, Any]) -> list[Choice]:
    """Likewise of several."""
    return [pinned(choice, pins) for choice in choices]
