"""Values of a config, checked before anything is built: kind, range, names of arguments.

What an argument takes is read from the component that a config names: from its annotations, and
from `Control`'s own checks. A reference is followed, so that the error names the key that the user
wrote, and gives the line to write instead.
"""

import difflib
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import NoneType
from typing import Any, cast, get_args, get_type_hints

from medseg._checks import require_choice
from medseg.bundles.docstrings import known_component
from medseg.bundles.instead import instead
from medseg.bundles.keys import CONTROL
from medseg.bundles.kinds import fits, is_part, says_something, shown, words
from medseg.data.label_kind import LabelKind
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
    annotated: set[str] = set()
    plain = {name: value for name, value in config.items() if _is_plain(value)}
    # Before the annotations, which know nothing of the background.
    check_settings({name: value for name, value in plain.items() if name == "class_names"})
    for path, component in _components(config):
        target = component["_target_"]
        if isinstance(target, str):
            given = list(_given(path, component, config))
            _check_names(path, target, component)
            _check_control(target, given, before)
            annotated |= _check_kinds(target, given, before)
    check_settings(plain)
    if "label_kind" in plain:
        require_choice("label_kind", plain["label_kind"], get_args(LabelKind))
    for path, value, earlier in _changed(config, before):
        if path not in annotated:
            _check_like(path, value, earlier)


def _changed(value: Any, earlier: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The plain values that differ from earlier ones: path, value, earlier value."""
    both = (value, earlier)
    if all(isinstance(one, Mapping) for one in both):
        names = [name for name in value if name in earlier]
    elif all(isinstance(one, list) for one in both) and len(value) == len(earlier) and path:
        names = list(range(len(value))) if any(map(_is_open_part, earlier)) else []
    else:
        names = []
    for name in names:
        yield from _changed(value[name], earlier[name], f"{path}#{name}" if path else str(name))
    if not names and value != earlier and _is_plain(value) and _is_plain(earlier):
        yield path, value, earlier


def _is_open_part(value: Any) -> bool:
    return isinstance(value, Mapping | list)


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
    known = _arguments(known_component(target))
    for name in component:
        if known is not None and not name.startswith("_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known)}"
            what = target.rpartition(".")[2]
            raise UsageError(f"{path}#{name}: {what} has no argument {name}; {hint}")


@lru_cache(maxsize=256)
def _arguments(component: Any) -> tuple[str, ...] | None:
    """Names of the arguments; None if any name is taken, or nobody knows."""
    try:
        parameters = inspect.signature(component).parameters
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return None
    return tuple(parameters)


def _check_control(target: str, given: list[_Given], before: Mapping[str, Any]) -> None:
    if target != CONTROL:
        return
    # Here, as it imports ignite: half a second, which prediction does not need.
    from medseg.training.control import check_control

    hints = _hints(known_component(target))
    for one in given:
        if _is_plain(one.value):
            try:
                check_control({one.name: one.value})
            except UsageError as error:
                raise UsageError(f"{error}{_paste(one, hints.get(one.name), before)}") from error


def _check_kinds(target: str, given: list[_Given], before: Mapping[str, Any]) -> set[str]:
    """Refuse what an annotation does not allow; returns the keys that it spoke of."""
    # Annotations elsewhere are less strict than what is taken, or stricter.
    if not target.startswith("medseg."):
        return set()
    hints = _hints(known_component(target))
    spoken: set[str] = set()
    for one in given:
        hint = hints.get(one.name, Any)
        if says_something(hint):
            spoken.add(one.key)
        if _is_plain(one.value):
            if not fits(one.value, hint):
                raise UsageError(_wrong(one, hint, before))
        elif isinstance(one.value, Mapping) and is_part(hint):
            _check_part(one, hint)
    return spoken


def _check_like(key: str, value: Any, earlier: Any) -> None:
    """Refuse a value of another kind than the config's own, for the arguments of MONAI's parts."""
    # Within a part, MONAI takes null for its default, and one number for all axes.
    if "#" in key and (value is None or (_is_number(value) and _is_numbers(earlier))):
        return
    if not _is_like(value, earlier):
        raise UsageError(f"{key} must be like {shown(earlier)}, got {shown(value)}")


def _is_like(value: Any, earlier: Any) -> bool:
    if isinstance(value, str) and value.startswith(("$", "@", "%")):
        return True
    if isinstance(earlier, bool) or isinstance(value, bool):
        return isinstance(earlier, bool | NoneType) and isinstance(value, bool)
    if isinstance(earlier, list):
        first = cast("list[Any]", earlier)[:1]
        # MONAI takes one text for a list of one.
        items = [value] if isinstance(value, str) else value
        items = cast("list[Any]", items) if isinstance(items, list) else None
        return items is not None and all(_is_like(item, one) for item in items for one in first)
    if isinstance(earlier, int | float):
        return not isinstance(value, str | Mapping)
    if isinstance(earlier, str):
        return isinstance(value, str) or _is_like_texts(value)  # a reader may be several
    if isinstance(earlier, Mapping):
        return isinstance(value, Mapping | NoneType)
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_number, cast("list[Any]", value)))


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


@lru_cache(maxsize=256)
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
    what = f"{given.key} must be {words(hint)}, got {shown(given.value)}"
    return f"{what}{_paste(given, hint, before)}"


def _paste(given: _Given, hint: Any, before: Mapping[str, Any]) -> str:
    write = instead(given.value, hint, _followed(given.key, f"@{given.key}", before)[1])
    return f"; write {given.key}={write}" if write else ""
