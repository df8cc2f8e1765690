"""YAML of configs and overrides, refused if it is no plain data of a sensible size.

Nine lines of aliases of aliases stand for a billion values, an alias within its own anchor for
endlessly many, and a key that is given twice is lost without a word. All this is seen in the
stream of the parser's events, before anything is built from them.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import yaml

from medseg.errors import UsageError

__all__ = ["parse_config", "read_config_file", "read_value", "require_plain_yaml"]

# Our longest config has 150 lines, 10,000 characters and 600 values.
MOST_CHARACTERS = 1_000_000
MOST_VALUES = 100_000
MOST_LEVELS = 50

# libyaml's, ten times as fast, where PyYAML was built with it.
_yaml = cast("Any", yaml)
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class _Collection:
    """A list or mapping that is being read."""

    kind: Literal["list", "mapping"]
    anchor: str | None
    values: int = 1
    parts: int = 0
    keys: set[str] = field(default_factory=set[str])


def read_config_file(path: str | Path) -> dict[str, Any]:
    """Read one YAML or JSON config as plain data.

    Raises:
        UsageError: If it cannot be read, is no YAML or JSON, no mapping, or too large; it names
            the file and the line.
    """
    return parse_config(_text(path), path)


def parse_config(text: str, path: str | Path) -> dict[str, Any]:
    """Parse a YAML or JSON config as plain data.

    Args:
        text: What stands in it.
        path: Its file, for the error; what ends in `.json` is JSON.

    Raises:
        UsageError: As of `read_config_file`.
    """
    if Path(path).suffix.lower() == ".json":
        content = _loaded(str(path), lambda: json.loads(text, object_pairs_hook=_unique))
    else:
        require_plain_yaml(text, str(path))
        content = _loaded(str(path), lambda: yaml.load(text, _Parser))
    if not isinstance(content, dict):
        what = "is empty" if content is None else f"holds a {_kind(content)}"
        raise UsageError(f"{path}: {what}; a config is a YAML file of keys and values")
    _require_text_keys(cast("dict[object, Any]", content), str(path))
    return cast("dict[str, Any]", content)


def read_value(text: str, where: str) -> Any:
    """Read the value of an override.

    Args:
        text: YAML; or a reference or macro of MONAI's, which YAML would not take unquoted.
        where: The override, for the error.

    Raises:
        UsageError: If it is not valid YAML, or not plain data of a sensible size.
    """
    if text.lstrip().startswith(("@", "%")):
        return text.strip()
    require_plain_yaml(text, where)
    return _loaded(where, lambda: yaml.load(text, _Parser))


def require_plain_yaml(text: str, where: str) -> None:
    """Refuse YAML that is invalid, too long, too deep, too large, or has a key twice.

    Args:
        text: The YAML.
        where: File or override, for the error.

    Raises:
        UsageError: In one line.
    """
    if len(text) > MOST_CHARACTERS:
        raise UsageError(f"{where:.200}: longer than {MOST_CHARACTERS:,} characters; is no config")
    try:
        _follow(_yaml.parse(text, _Parser), where)
    except yaml.YAMLError as error:
        raise UsageError(_not_valid(error, where)) from error


def _follow(events: Iterator[Any], where: str) -> None:
    opened = [_Collection("list", None)]
    sizes: dict[str, int] = {}
    for event in events:
        inner = opened[-1]
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            kind = "mapping" if isinstance(event, yaml.MappingStartEvent) else "list"
            opened.append(_Collection(kind, event.anchor))
            if len(opened) > MOST_LEVELS:
                raise UsageError(f"{_at(event, where)}nested deeper than {MOST_LEVELS} levels")
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            done = opened.pop()
            sizes[done.anchor or ""] = done.values
            _add(opened[-1], done.values, event, where)
        elif isinstance(event, yaml.AliasEvent):
            if any(event.anchor == outer.anchor for outer in opened):
                raise UsageError(f"{_at(event, where)}*{event.anchor} refers to itself; remove it")
            _add(inner, sizes.get(cast("str", event.anchor), 1), event, where)
        elif isinstance(event, yaml.ScalarEvent):
            _require_once(inner, event, where)
            sizes[event.anchor or ""] = 1
            _add(inner, 1, event, where)


def _add(inner: _Collection, values: int, event: Any, where: str) -> None:
    inner.parts += 1
    inner.values += values
    if inner.values > MOST_VALUES:
        raise UsageError(f"{_at(event, where)}more than {MOST_VALUES:,} values; is no config")


def _require_once(inner: _Collection, event: Any, where: str) -> None:
    """Refuse a mapping's key that it has already; the first would be lost."""
    if inner.kind == "list" or inner.parts % 2:
        return
    if event.value in inner.keys and event.value != "<<":
        raise UsageError(f"{_at(event, where)}{event.value} is given twice; remove one")
    inner.keys.add(event.value)


def _at(event: Any, where: str) -> str:
    line = f"line {event.start_mark.line + 1}: " if _is_file(where) else ""
    return f"{where:.200}: {line}"


def _not_valid(error: yaml.YAMLError, where: str) -> str:
    if not _is_file(where):
        return f"{where!r:.200}: the value is not valid YAML; quote it"
    marked = error if isinstance(error, yaml.MarkedYAMLError) else None
    line = f"line {marked.problem_mark.line + 1}: " if marked and marked.problem_mark else ""
    reason = str(marked.problem if marked else error).partition("\n")[0]
    return f"{where}: {line}not valid YAML ({reason}); correct the config"


def _text(path: str | Path) -> str:
    # A pipe or a device would be read for ever.
    if Path(path).exists() and not Path(path).is_file():
        raise UsageError(f"{path}: not a regular file; is no config")
    try:
        # One character too many is enough to refuse it.
        with Path(path).open(encoding="utf-8") as file:
            return file.read(MOST_CHARACTERS + 1)
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text; save the config as UTF-8") from error


def _loaded(where: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except yaml.YAMLError as error:
        raise UsageError(_not_valid(error, where)) from error
    except RecursionError as error:
        raise UsageError(f"{where:.200}: nested too deeply; is no config") from error
    # A day that no month has, a number of 5,000 digits, a list as a key, a wrong JSON.
    except (TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0].partition("; ")[0]
        raise UsageError(f"{where:.200}: {reason:.100}; correct it") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice} is given twice")
    return dict(pairs)


def _require_text_keys(content: dict[object, Any], where: str) -> None:
    key = next((key for key in content if not isinstance(key, str) or not key), None)
    if key is not None or None in content:
        raise UsageError(f"{where}: {key!r} is a key of it, and must be text; correct the config")


def _is_file(where: str) -> bool:
    """Whether a place is a file, and not an override, which holds an equals sign."""
    return where.lower().endswith((".yaml", ".yml", ".json"))


def _kind(content: object) -> str:
    return "list" if isinstance(content, list) else "single value"
