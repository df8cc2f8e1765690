"""KEY=VALUE overrides of a bundle's config, checked before anything runs.

MONAI silently adds an unknown key, so `--max_epoch 5` changes nothing and the training runs for a
night. Here an unknown key is an error that names the closest one.
"""

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from medseg._checks import first_few
from medseg.bundles.keys import is_argument, nested_paths
from medseg.bundles.near_keys import how_to_list, near_keys
from medseg.bundles.plain_yaml import read_value
from medseg.errors import UsageError

__all__ = ["check_run_id", "parse_overrides", "resolve_key", "resolve_overrides"]

# A number in YAML 1.2, and for users, but a text in YAML 1.1.
_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


def parse_overrides(pairs: Iterable[str], config: Mapping[str, Any]) -> dict[str, Any]:
    """Parse `KEY=VALUE` texts and check the keys by a config.

    Args:
        pairs: Keys are top-level (`epochs`), nested (`train#trainer#max_epochs`, or with `::`),
            or the last part of a nested one if it is unique (`ema` for `control#ema`);
            values are YAML, or config language (`@id`, `$expression`).
        config: The bundle's merged config.

    Raises:
        UsageError: For a text without `=`, an unknown key, or a value that is not valid YAML.
    """
    return dict(_parse(pair, config) for pair in pairs)


def resolve_overrides(overrides: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Overrides of a file, whose values are read already, by the full paths of their keys.

    Args:
        overrides: By key, as in `parse_overrides`.
        config: The bundle's merged config.

    Raises:
        UsageError: For an unknown key.
    """
    return {
        resolve_key(str(key).replace("#", "::"), config): _with_numbers(value)
        for key, value in overrides.items()
    }


def check_run_id(run_id: str, config: Mapping[str, Any]) -> None:
    """Refuse a run id that the config does not have.

    Raises:
        UsageError: If `run_id` is not a list of expressions in `config`; it names those there are.
    """
    ids = sorted(key for key, value in config.items() if _is_runnable(key, value, config))
    if run_id not in ids:
        raise UsageError(f"no run id {run_id!r} in this config; it has {', '.join(ids)}")


def resolve_key(key: str, config: Mapping[str, Any]) -> str:
    """Full path of a key that is given in full, or by a unique last part.

    Args:
        key: Such as `epochs`, `control::ema` or `ema`.
        config: The bundle's merged config.

    Raises:
        UsageError: If there is no such key, or more than one.
    """
    keys = set(_keys(config))
    if key in keys or is_argument(key, config):
        return key
    paths = [] if "::" in key else nested_paths(key, config)
    if len(paths) == 1:
        return paths[0]
    if paths:
        full = first_few([path.replace("::", "#") for path in paths], 4)
        raise UsageError(f"{key}: several keys end in this; use the full path of one: {full}")
    near = near_keys(key, config)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    shown = key.replace("::", "#")
    raise UsageError(f"{shown}: no such key in this config; {hint}{how_to_list(config)}")


def _parse(pair: str, config: Mapping[str, Any]) -> tuple[str, Any]:
    key, equals, text = pair.partition("=")
    if not equals:
        raise UsageError(f"{pair!r}: must be KEY=VALUE, e.g. epochs=5")
    key = resolve_key(key.replace("-", "_").replace("#", "::"), config)
    value = read_value(text, pair)
    # A folder may be called 2026-07-01, and no key is a date.
    return key, text if isinstance(value, datetime.date) else _with_numbers(value)


def _with_numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_numbers(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: _with_numbers(item) for key, item in cast("dict[str, Any]", value).items()}
    return float(value) if isinstance(value, str) and _EXPONENT.fullmatch(value) else value


def _keys(value: Any, prefix: str = "") -> Iterator[str]:
    for key, child in _children(value):
        here = f"{prefix}::{key}" if prefix else str(key)
        yield here
        yield from _keys(child, here)


def _children(value: Any) -> Iterable[tuple[object, Any]]:
    if isinstance(value, Mapping):
        return cast("Mapping[object, Any]", value).items()
    if isinstance(value, list):
        return enumerate(cast("list[Any]", value))
    return ()


def _is_runnable(key: str, value: Any, config: Mapping[str, Any]) -> bool:
    if isinstance(value, str) and value.startswith("%") and value[1:] in config:
        return _is_runnable(key, config[value[1:]], config)
    if key in ("initialize", "finalize") or not isinstance(value, list):
        return False
    steps = cast("list[Any]", value)
    # A list of components only is a part, such as a recipe's steps; a run has expressions.
    return any(isinstance(step, str) for step in steps) and all(_is_step(step) for step in steps)


def _is_step(item: Any) -> bool:
    if isinstance(item, Mapping):
        return "_target_" in item
    return isinstance(item, str) and item.startswith("$") and not item.startswith("$import")
