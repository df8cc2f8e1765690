"""Value to write in place of a wrong one, in the line that refuses it."""

import inspect
from collections.abc import Mapping
from typing import Any, cast, get_args

from medseg.bundles.docstrings import known_component, known_module
from medseg.bundles.kinds import fits, is_part, shown

__all__ = ["instead"]

_NONE_WORDS = ("none", "null", "nil", "off", "no", "false")


def instead(value: Any, hint: Any, earlier: Any) -> str:
    """What to write in place of a wrong value.

    Args:
        value: The wrong value, plain data.
        hint: The annotation of the argument.
        earlier: What the config has there without the user's override.

    Returns:
        As in `KEY=VALUE`, quoted for the shell where needed; empty if nobody can know.
    """
    if isinstance(value, str) and value.casefold() in _NONE_WORDS and fits(None, hint):
        return "null"
    if value is None and fits("none", hint) and not _is_text(hint):
        return "none"
    if isinstance(value, str) and fits(value.casefold(), hint) and not _is_text(hint):
        return value.casefold()
    if (isinstance(value, str) or _is_size(value)) and fits([value], hint):
        times = len(cast("list[Any]", earlier)) if isinstance(earlier, list) else 1
        same = isinstance(value, int | float)
        return f"[{','.join([shown(value).strip(chr(39))] * (times if same else 1))}]"
    if isinstance(value, int | float) and _is_text(hint):
        return f"\"'{shown(value)}'\""
    if isinstance(value, str) and _has_part(hint) and isinstance(earlier, Mapping):
        return _part_named(value, cast("Mapping[str, Any]", earlier))
    return ""


def _is_size(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _is_text(hint: Any) -> bool:
    """Whether any text is allowed."""
    return fits("any text", hint)


def _has_part(hint: Any) -> bool:
    return is_part(hint) or any(is_part(inner) for inner in get_args(hint))


def _part_named(name: str, earlier: Mapping[str, Any]) -> str:
    """A component of a name, with the arguments of the earlier one that it has too."""
    package, _, _ = str(earlier.get("_target_", "")).rpartition(".")
    last = package.rpartition(".")[2]
    for place in dict.fromkeys((package, f"monai.{last}", f"torch.{last}")):
        names = [other for other in dir(known_module(place)) if other[0].isupper()]
        found = next((other for other in names if other.casefold() == name.casefold()), None)
        if found is not None:
            return _written(f"{place}.{found}", earlier)
    return ""


def _written(target: str, earlier: Mapping[str, Any]) -> str:
    known = inspect.signature(known_component(target)).parameters
    kept = [
        f'{name}: "{value}"'
        for name, value in earlier.items()
        if name in known and str(value).startswith(("@", "$"))
    ]
    return f"'{{{', '.join([f'_target_: {target}', *kept])}}}'"
