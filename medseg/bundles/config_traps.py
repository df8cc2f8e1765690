"""Traps of MONAI's config language: values that it takes for something else, without a word."""

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, cast

__all__ = ["config_traps"]

# What may hold a #: references and expressions, where it separates keys.
_REFERENCE = re.compile(r"[@%$\w#\[\]'().+ ]+")
_NUMBER = re.compile(r"[-+]?\d+e[-+]?\d+")


def config_traps(config: Mapping[str, Any]) -> Iterator[str]:
    """Values of a config that do not mean what they say, one line for each, with its key."""
    for key, value in _leaves(config, ""):
        trap = _trap(value) if isinstance(value, str) else None
        if trap:
            yield f"{key}: {trap}"
        if key.rpartition("#")[2] == "_target_" and isinstance(value, str):
            problem = _target_problem(value)
            if problem:
                yield f"{key}: {problem}"


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, child in cast("Mapping[str, Any]", value).items():
            yield from _leaves(child, f"{path}#{key}" if path else key)
    elif isinstance(value, list):
        for number, child in enumerate(cast("list[Any]", value)):
            yield from _leaves(child, f"{path}#{number}")
    else:
        yield path, value


def _trap(text: str) -> str | None:
    if "#" in text and not _REFERENCE.fullmatch(text):
        return f"MONAI turns the # of {text!r:.60} into ::, in paths too"
    if text.startswith("$") and "@" in text and "import" in text:
        return "an expression with a reference and the letters 'import' does not parse"
    if _NUMBER.fullmatch(text):
        return f"{text} is a text in YAML; write {float(text)!r}"
    return None


def _target_problem(target: str) -> str | None:
    """What is wrong with a `_target_` of medseg's own; others are the judgement's business."""
    if not target.startswith("medseg."):
        return None
    module, _, name = target.rpartition(".")
    try:
        public = import_module(module).__all__
    except (ImportError, AttributeError):
        public = ()
    return None if name in public else f"{target} is no public name of this version of medseg"
