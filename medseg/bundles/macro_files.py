"""Macros that name a file, `%other.yaml#key`, replaced before MONAI would read it unjudged."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

from medseg.bundles.judgement.door import Judged, require_runnable_config
from medseg.bundles.plain_yaml import parse_config
from medseg.errors import UsageError

__all__ = ["with_macro_files"]

_MACRO = "%"
_DEEPEST = 10


def with_macro_files(config: Mapping[str, Any], judged: Judged) -> dict[str, Any]:
    """A copy of a config in which no macro names a file any more.

    Args:
        config: Merged, with overrides.
        judged: The bundle, in whose `configs/` a relative path is looked for first; then in the
            current folder, as MONAI does. A file outside the bundle is judged as well.

    Raises:
        UsageError: If such a file is not there, is no plain data, has no such key, or names
            another in an endless chain.
        NeedsTrustError: If it is outside the bundle and not safe; `RefusedError` as well.
    """
    return {name: _replaced(value, name, judged, 0) for name, value in config.items()}


def _replaced(value: Any, key: str, judged: Judged, depth: int) -> Any:
    if isinstance(value, Mapping):
        children = cast("Mapping[str, Any]", value).items()
        return {name: _replaced(child, f"{key}#{name}", judged, depth) for name, child in children}
    if isinstance(value, list):
        items = enumerate(cast("list[Any]", value))
        return [_replaced(item, f"{key}#{place}", judged, depth) for place, item in items]
    if not (isinstance(value, str) and value.startswith(_MACRO)):
        return value
    return _of_file(value, key, judged, depth)


def _of_file(macro: str, key: str, judged: Judged, depth: int) -> Any:
    # MONAI takes seconds to import, and most configs have no macros.
    from monai.bundle.config_parser import ConfigParser

    name, inner = ConfigParser.split_path_id(macro[len(_MACRO) :])
    if not name:
        return macro
    if depth > _DEEPEST:
        raise UsageError(f"{key}: {macro:.100} leads from file to file without end; correct it")
    content = parse_config(_text(name, key, judged), name)
    try:
        found = deepcopy(cast("Any", ConfigParser(content))[inner])
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{key}: {macro:.100} names no key of that file; correct it") from error
    return _replaced(found, key, judged, depth + 1)


def _text(name: str, key: str, judged: Judged) -> str:
    inside = f"configs/{name}"
    if inside in judged.tree.entries:
        content = judged.read(inside)
    elif Path(name).exists():
        lone = require_runnable_config(name)
        content = lone.read(next(iter(lone.tree.entries)))
    else:
        raise UsageError(f"{key}: the macro names {name}, which is not there; correct the path")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: is not UTF-8 text; save the config as UTF-8") from error
