"""Config keys of a bundle: path, value, allowed values and meaning of each.

`medseg train BUNDLE --keys` prints them, and an override finds a nested key by its last part if
that is unique. Meanings come from the docstrings of the components, and from the comments behind
the config's own keys.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import yaml

from medseg.bundles.docstrings import documented_arguments, summary

__all__ = ["Key", "bundle_keys", "is_argument", "nested_paths", "search_keys"]

CONTROL = "medseg.training.Control"
# Parts that are not listed: their arguments are keys already, or not for users.
_PLUMBING = {
    "bundle_root", "parts", "train_cases", "val_cases", "settings", "trained_network",
    "initialize", "finalize",
}  # fmt: skip
_LOOP = {"train", "validate"}
_COMMENT = re.compile(r"^(?P<key>[\w#]+):(?P<value>.*?)(?:\s#\s(?P<comment>.*))?$")


@dataclass(frozen=True)
class Key:
    """A key that can be overridden.

    Attributes:
        path: As in `KEY=VALUE`: `epochs`, `control#ema`; the last part is enough if it is unique.
        value: The config's value, or the default, as YAML; empty if it has to be given.
        choices: Allowed words, if it is a choice.
        meaning: What it does; empty if undocumented.
        component: Class or function whose argument it is; empty for a key of the config itself.
    """

    path: str
    value: str
    choices: tuple[str, ...]
    meaning: str
    component: str = ""


def bundle_keys(config: Mapping[str, Any], texts: Sequence[str]) -> list[Key]:
    """Every key of a merged config, and the arguments of its components with their defaults.

    Args:
        config: As `read_config` returns it.
        texts: Its files' texts, for their comments.
    """
    comments = _comments(texts)
    control = documented_arguments(CONTROL)
    keys: list[Key] = []
    for name, value in config.items():
        if name.startswith("_") or name in _PLUMBING or _is_run(value):
            continue
        argument = control.get(name)
        if not _is_component(value) and not _has_components(value):
            meaning = argument.meaning if argument else comments.get(name, "")
            words = argument.choices if argument else ()
            keys.append(Key(name, _shown(value), _texts(words), meaning))
            continue
        if _is_component(value):
            meaning = comments.get(name) or summary(value["_target_"])
            keys.append(Key(name, _shown(value), (), meaning))
        keys.extend(_nested(name, value))
    return keys


def search_keys(keys: Iterable[Key], text: str) -> list[Key]:
    """Keys whose path, component or meaning contains a text, ignoring case."""
    sought = text.casefold()
    return [key for key in keys if sought in f"{key.path} {key.component} {key.meaning}".casefold()]


def nested_paths(name: str, config: Mapping[str, Any]) -> list[str]:
    """Paths of the nested keys that end in a name, first those that the config states.

    Args:
        name: A last part, such as `ema`.
        config: As `read_config` returns it.

    Returns:
        Paths with `::`. A key that only refers to another (`"@epochs"`) is left out. Keys of the
        loop, `train::...` and `validate::...`, count only if there is no other.
    """
    top = {key: value for key, value in config.items() if key not in _PLUMBING | _LOOP}
    implied = [
        f"{key}::{name}"
        for key, value in top.items()
        if _is_component(value) and name not in value
        if name in documented_arguments(value["_target_"])
    ]
    loop = {key: value for key, value in config.items() if key in _LOOP}
    return _written(name, top) + implied or _written(name, loop)


def is_argument(path: str, config: Mapping[str, Any]) -> bool:
    """Whether a path with `::` names an argument of a component, stated in the config or not."""
    *parents, name = path.split("::")
    value: Any = config
    for parent in parents:
        children = {str(key): child for key, child in _children(value)}
        value = children.get(parent)
    return _is_component(value) and name in documented_arguments(value["_target_"])


def _written(name: str, config: Mapping[str, Any]) -> list[str]:
    return [
        path
        for path, value in _walk(config)
        if path.rpartition("::")[2] == name and not _is_reference(value)
        # A default counts only where weights say nothing, so it is not meant by its last part.
        if "::default::" not in path
    ]


def _nested(path: str, value: Any) -> Iterator[Key]:
    if _is_component(value):
        arguments = documented_arguments(value["_target_"])
        in_loop = path.partition("#")[0] in _LOOP
        rest = {
            name: argument.default
            for name, argument in arguments.items()
            if name not in value and argument.default is not ... and not in_loop
        }
        for name, child in {**value, **rest}.items():
            if name.startswith("_") or _is_reference(child) or (in_loop and _is_expression(child)):
                continue
            argument = arguments.get(name)
            meaning = argument.meaning if argument else ""
            component = str(value["_target_"]).rpartition(".")[2]
            nested = _has_components(child) or _is_component(child)
            if meaning or not nested:
                words = _texts(argument.choices) if argument else ()
                yield Key(f"{path}#{name}", _shown(child), words, meaning, component)
            if nested:
                yield from _nested(f"{path}#{name}", child)
    elif isinstance(value, list | Mapping):
        for name, child in _children(value):
            yield from _nested(f"{path}#{name}", child)


def _walk(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, child in _children(value):
        path = f"{prefix}::{name}" if prefix else str(name)
        if prefix:
            yield path, child
        yield from _walk(child, path)


def _children(value: Any) -> Iterable[tuple[object, Any]]:
    if isinstance(value, Mapping):
        return cast("Mapping[object, Any]", value).items()
    return enumerate(cast("list[Any]", value)) if isinstance(value, list) else ()


def _is_component(value: Any) -> bool:
    return isinstance(value, Mapping) and "_target_" in value


def _has_components(value: Any) -> bool:
    return any(_is_component(child) or _has_components(child) for _, child in _children(value))


def _is_run(value: Any) -> bool:
    """Whether a value is a run id or its alias, which is run and not overridden."""
    if isinstance(value, str):
        return value.startswith("%")
    return isinstance(value, list) and any(
        isinstance(step, str) and step.startswith("$") for step in cast("list[Any]", value)
    )


def _is_reference(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("@")


def _is_expression(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("$", "%"))


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if _is_component(value):
        return str(value["_target_"]).rpartition(".")[2]
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")


def _texts(words: Iterable[Any]) -> tuple[str, ...]:
    return tuple("null" if word is None else str(word) for word in words)


def _comments(texts: Sequence[str]) -> dict[str, str]:
    """The comment behind each key in the first column."""
    comments: dict[str, str] = {}
    for text in texts:
        for line in text.splitlines():
            match = _COMMENT.match(line)
            if match and match["comment"]:
                comments[match["key"]] = match["comment"]
    return comments
