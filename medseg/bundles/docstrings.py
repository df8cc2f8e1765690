"""Documented arguments of a config component: meaning, default and allowed values.

Read from the signature and the Google-style docstring of the component's `_target_`.
"""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, Literal, get_args, get_origin, get_type_hints

__all__ = ["Argument", "documented_arguments", "known_component", "known_module", "summary"]

# `--keys` runs nothing of a stranger's bundle, so nothing else is imported by a name in a config.
_PACKAGES = ("ignite", "medseg", "monai", "torch")
_ENTRY = re.compile(r"^(\w+): (.*)$")


@dataclass(frozen=True)
class Argument:
    """An argument of a component.

    Attributes:
        name: Name in a config.
        default: Default value; `...` if there is none.
        choices: Allowed values, if it is a choice.
        meaning: One paragraph; empty if the docstring has none.
    """

    name: str
    default: Any
    choices: tuple[Any, ...]
    meaning: str


def documented_arguments(target: str) -> dict[str, Argument]:
    """Arguments of a component, by name.

    Args:
        target: Dotted name of a class or a function, such as `medseg.networks.UNet`.

    Returns:
        In the order of the signature; empty for names outside medseg, MONAI, ignite and torch,
        MONAI's short names, and anything without a readable signature.
    """
    thing = known_component(target)
    parameters = _parameters(thing)
    meanings, words = _meanings(thing), _choices(thing)
    return {
        name: Argument(
            name,
            ... if parameter.default is parameter.empty else parameter.default,
            words.get(name, ()),
            meanings.get(name, ""),
        )
        for name, parameter in parameters.items()
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }


def summary(target: str) -> str:
    """First line of a component's docstring; empty if it has none or cannot be imported."""
    return (inspect.getdoc(known_component(target)) or "").partition("\n")[0]


def _parameters(thing: Any) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(thing).parameters
    except (TypeError, ValueError):
        return {}


def known_component(target: str) -> Any:
    """The class or function of a dotted name in medseg, MONAI, ignite or torch, else None."""
    module, _, name = target.rpartition(".")
    return getattr(known_module(module), name, None)


def known_module(name: str) -> ModuleType | None:
    """A module of medseg, MONAI, ignite or torch by its dotted name, else None."""
    parts = name.split(".")
    if parts[0] not in _PACKAGES or any(part.startswith("_") for part in parts):
        return None
    try:
        return import_module(name)
    except ImportError:
        return None


def _meanings(thing: Any) -> dict[str, str]:
    """The entries of `Args:` or `Attributes:`, of a class and its `__init__`."""
    texts = [inspect.getdoc(thing) or ""]
    if inspect.isclass(thing):
        texts.append(inspect.getdoc(thing.__init__) or "")
    meanings: dict[str, str] = {}
    for text in texts:
        for heading in ("Attributes", "Args"):
            section = re.search(rf"^{heading}:\n((?:[ \t]+.*\n?|\n)*)", text, re.MULTILINE)
            if section:
                meanings.update(_entries(inspect.cleandoc(section[1])))
    return meanings


def _entries(section: str) -> dict[str, str]:
    entries: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        entry = _ENTRY.match(line)
        if entry:
            name = entry[1]
            entries[name] = entry[2]
        elif name and line.strip():
            entries[name] += f" {line.strip()}"
    return entries


def _choices(thing: Any) -> Mapping[str, tuple[Any, ...]]:
    function = thing.__init__ if inspect.isclass(thing) else thing
    try:
        hints = get_type_hints(function)
    except (AttributeError, NameError, TypeError):  # annotations that cannot be evaluated
        return {}
    return {name: _words(hint) for name, hint in hints.items()}


def _words(hint: Any) -> tuple[Any, ...]:
    """The values of the `Literal`s in a type, and None if it is optional."""
    parts = [hint, *get_args(hint)] if get_origin(hint) is not Literal else [hint]
    words = tuple(word for part in parts if get_origin(part) is Literal for word in get_args(part))
    return (*words, None) if words and type(None) in get_args(hint) else words
