"""Flow style of YAML: one value in one line, as the shipped configs are written.

PyYAML's own flow style quotes what need not be quoted and breaks lines anywhere, so that a written
config would look unlike those that people have read.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

__all__ = ["flow"]

_BARE = re.compile(r"[A-Za-z_][\w.-]*")
# Words that YAML 1.1 reads as something else, in any case.
_NOT_BARE = frozenset(("yes", "no", "true", "false", "on", "off", "null"))


def flow(value: Any) -> str:
    """A value of numbers, words, lists and mappings as YAML in one line.

    Examples:
        `flow([1, 2.5])` is `[1, 2.5]`; `flow({"a": None})` is `{a: null}`; a reference such as
        `@keys` is quoted.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        pairs = cast("Mapping[Any, Any]", value).items()
        return "{" + ", ".join(f"{key}: {flow(one)}" for key, one in pairs) + "}"
    return "[" + ", ".join(flow(one) for one in cast("Sequence[Any]", value)) + "]"


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        raise ValueError(f"a config holds no {value}")
    mantissa, exponent, power = f"{value:.10g}".partition("e")
    # PyYAML reads 1e-05 as text.
    return (mantissa if "." in mantissa else f"{mantissa}.0") + exponent + power


def _text(value: str) -> str:
    bare = _BARE.fullmatch(value) is not None and value.lower() not in _NOT_BARE
    return value if bare else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
