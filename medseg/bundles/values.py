"""Values of a config, checked before anything is built: kind, range, names of arguments.

What an argument takes is read from the component that a config names: from its annotations, and
from `Control`'s own checks. A reference is followed, so that the error names the key that the user
wrote, and gives the line to write instead.
"""

import difflib
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, cast, get_type_hints

from medseg.bundles.docstrings import known_component
from medseg.bundles.instead import instead
from medseg.bundles.keys import CONTROL
from medseg.bundles.kinds import fits, is_part, shown, words
from medseg.errors import UsageError
from medseg.networks.settings import check_settings

__all__ = ["check_values"]

_LAST_HOPS = 20


@dataclass(frozen=True)
class _Given:
    """An argument of a component: where its value stands, and the value."""

    key: str
    name: str
    value: Any
    component: Mapping[str, Any]


def check_values(config: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> None:
    """Refuse values that a component of the config does not take.

    Args:
        config: Merged, overrides included.
        before: Without the overrides: what a key held is shown as an example.

    Raises:
        UsageError: For the first wrong value: its key, what it must be, what to write.
    """
    before = config if before is None else before
    for path, component in _components(config):
        target = component["_target_"]
        if isinstance(target, str):
            given = list(_given(path, component, config))
            _check_names(path, target, component)
            _check_control(target, given)
            _check_kinds(target, given, before)
    check_settings({name: value for name, value in config.items() if _is_plain(value)})
    for name, value in config.items():
        _check_like(name, value, before.get(name))


def _components(value: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, Mapping):
        children = cast("Mapping[str, Any]", value)
        if "_target_" in children:
            yield path, children
        for name, child in children.items():
            yield from _components(child, f"{path}#{name}" if path else str(name))
    elif isinstance(value, list):
        for name, child in enumerate(cast("list[Any]", value)):
            yield from _components(child, f"{path}#{name}")


def _given(path: str, component: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[_Given]:
    for name, value in component.items():
        if not name.startswith("_"):
            key, value = _followed(f"{path}#{name}", value, config)
            yield _Given(key, name, value, component)


def _followed(key: str, value: Any, config: Mapping[str, Any]) -> tuple[str, Any]:
    """The key and value that a value refers to, if it refers to one."""
    for _ in range(_LAST_HOPS):
        if not (isinstance(value, str) and value.startswith("@")):
            break
        place: Any = config
        path = value[1:].replace("::", "#")
        for part in path.split("#"):
            place = _child(place, part)
        if place is _MISSING:
            break
        key, value = path, place
    return key, value


_MISSING = object()


def _child(place: Any, part: str) -> Any:
    if isinstance(place, Mapping):
        return cast("Mapping[str, Any]", place).get(part, _MISSING)
    if isinstance(place, list) and part.isdigit() and int(part) < len(cast("list[Any]", place)):
        return cast("list[Any]", place)[int(part)]
    return _MISSING


def _check_names(path: str, target: str, component: Mapping[str, Any]) -> None:
    try:
        parameters = inspect.signature(known_component(target)).parameters
    except (TypeError, ValueError):
        return
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    for name in component:
        if not name.startswith("_") and name not in parameters:
            near = difflib.get_close_matches(name, parameters, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(parameters)}"
            what = target.rpartition(".")[2]
            raise UsageError(f"{path}#{name}: {what} has no argument {name}; {hint}")


def _check_control(target: str, given: list[_Given]) -> None:
    if target == CONTROL:
        # Here, as it imports ignite: half a second, which prediction does not need.
        from medseg.training.control import check_control

        check_control({one.name: one.value for one in given if _is_plain(one.value)})


def _check_kinds(target: str, given: list[_Given], before: Mapping[str, Any]) -> None:
    # Annotations elsewhere are less strict than what is taken, or stricter.
    if not target.startswith("medseg."):
        return
    component = known_component(target)
    hints = _hints(component)
    for one in given:
        hint = hints.get(one.name, Any)
        if _is_plain(one.value):
            if not fits(one.value, hint):
                raise UsageError(_wrong(one, hint, before))
        elif isinstance(one.value, Mapping) and is_part(hint):
            _check_part(one, hint)


def _check_like(key: str, value: Any, earlier: Any) -> None:
    """Refuse a value of another kind than the config's own, for the arguments of MONAI's parts."""
    if value == earlier or not (_is_plain(value) and _is_plain(earlier)):
        return
    if _is_like(value, earlier):
        return
    raise UsageError(f"{key} must be like {shown(earlier)}, got {shown(value)}")


def _is_like(value: Any, earlier: Any) -> bool:
    if isinstance(earlier, bool) or isinstance(value, bool):
        return isinstance(earlier, bool | NoneType) and isinstance(value, bool | NoneType)
    if isinstance(earlier, list):
        items, first = cast("list[Any]", earlier), cast("list[Any]", earlier)[:1]
        if not isinstance(value, list):
            return False
        return not items or all(_is_like(item, first[0]) for item in cast("list[Any]", value))
    if isinstance(earlier, int | float):
        return isinstance(value, int | float | NoneType)
    if isinstance(earlier, str):
        # A reader may be several.
        return isinstance(value, str) or _is_like_texts(value)
    if isinstance(earlier, Mapping):
        return isinstance(value, Mapping | NoneType)
    return True


def _is_like_texts(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, str) for item in cast("list[Any]", value)
    )


def _check_part(given: _Given, hint: Any) -> None:
    target = given.value["_target_"]
    thing = known_component(target) if isinstance(target, str) else None
    made = thing if inspect.isclass(thing) else _hints(thing).get("return")
    # Of a function's result only a part may be known: a module, not which.
    if not inspect.isclass(made) or not inspect.isclass(hint):
        return
    if not (issubclass(made, hint) or issubclass(hint, made)):
        raise UsageError(
            f"{given.key} must be of the class {hint.__name__}, and {target} gives {made.__name__}"
        )


def _hints(component: Any) -> dict[str, Any]:
    function = component.__init__ if inspect.isclass(component) else component
    try:
        return get_type_hints(function)
    except (AttributeError, NameError, TypeError):
        return {}


def _is_plain(value: Any) -> bool:
    """Whether a value is known before anything is built."""
    if isinstance(value, str):
        return not value.startswith(("@", "$", "%"))
    return not (isinstance(value, Mapping) and "_target_" in value)


def _wrong(given: _Given, hint: Any, before: Mapping[str, Any]) -> str:
    key, value = given.key, given.value
    write = instead(value, hint, _followed(key, f"@{key}", before)[1])
    paste = f"; write {key}={write}" if write else ""
    return f"{key} must be {words(hint)}, got {shown(value)}{paste}"
