"""Config files of a bundle, read as plain data, with the line of each key.

Every YAML and JSON file is read, metadata and manifests too, since `--config_file` makes any of
them a config, or part of one. Whatever two parsers could read in two ways is refused: keys that are
given twice, aliases, tags, invisible characters.
"""

import json
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, cast

import yaml

from medseg.bundles.judgement.configs.json_lines import json_lines
from medseg.bundles.judgement.configs.sizes import children, require_size
from medseg.bundles.judgement.tree import BundleTree
from medseg.bundles.judgement.verdict import Place, Slip
from medseg.bundles.plain_yaml import require_plain_yaml
from medseg.errors import DataError, UsageError

__all__ = ["ConfigFile", "Key", "config_paths", "parse_text", "read_config_tree"]

Key = tuple[str, ...]
# Our longest manifest has 70,000; MONAI reads a config whole, so a larger one is no honest config.
MOST_BYTES = 4_000_000
METADATA = "configs/metadata.json"

_YAML = (".yaml", ".yml")
_SUFFIXES = (*_YAML, ".json")
_LARGE_FILES = ("large_files.yml", "large_files.yaml", "large_files.json")
_CLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Line ends for one YAML parser, and none for the next.
_MOST_DIGITS = 100
_LINE_ENDS = frozenset("\x85\u2028\u2029")


@dataclass(frozen=True)
class ConfigFile:
    """A config as plain data.

    Attributes:
        path: In the bundle, with `/`.
        content: Mappings, lists, text, numbers, None.
        line: Gives the line of a path of keys, from 1; of the last key that is there.
        by_user: Whether the user gave it, on the command line, and no bundle.
    """

    path: str
    content: Any
    line: Callable[[Key], int | None]
    by_user: bool = False

    @property
    def is_metadata(self) -> bool:
        """Whether MONAI reads it as metadata, by default."""
        return self.path == METADATA

    @cached_property
    def is_active(self) -> bool:
        """Whether it is more than data: it builds, computes or refers to something, or may well."""
        name = self.path.lower()
        if self.by_user or (name.endswith(_YAML) and name not in _LARGE_FILES):
            return True
        return any(map(_is_marked, _all_values(self.content)))


def _is_marked(value: Any) -> bool:
    if isinstance(value, str):
        return value.startswith(("$", "%", "@"))
    return isinstance(value, dict) and "_target_" in value


def _all_values(content: Any) -> Iterator[Any]:
    waiting = [content]
    while waiting:
        value = waiting.pop()
        yield value
        waiting.extend(children(value))


def config_paths(tree: BundleTree) -> list[str]:
    """Paths of all YAML and JSON files, in sorted order: each can be named as a config."""
    return [path for path in tree.entries if _is_config(path)]


def _is_config(path: str) -> bool:
    return path.lower().endswith(_SUFFIXES)


def read_config_tree(tree: BundleTree) -> tuple[list[ConfigFile], list[Place]]:
    """Read all configs of a bundle.

    Returns:
        The configs, and a place for each that cannot be read as plain data.
    """
    configs: list[ConfigFile] = []
    places: list[Place] = []
    for path in config_paths(tree):
        try:
            configs.append(parse_text(path, _text(tree.read(path, MOST_BYTES), path)))
        except (DataError, UsageError) as error:
            places.append(_refused(path, str(error)))
    return configs, places


def parse_text(path: str, text: str) -> ConfigFile:
    """Read one config.

    Raises:
        UsageError: If it is no plain data of a sensible size; the message begins with the path.
    """
    if path.lower().endswith(".json"):
        return _read_json(path, text)
    return _read_yaml(path, text)


def _text(content: bytes, path: str) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not UTF-8 text") from None
    for line, letters in enumerate(text.split("\n"), start=1):
        for letter in letters.removesuffix("\r"):
            if letter > "~" or letter < " ":
                _require_visible(letter, f"{path}: line {line}: ")
    return text


def _require_visible(letter: str, where: str) -> None:
    if letter == "\t":
        return
    kind = unicodedata.category(letter)
    if kind in ("Cc", "Cf", "Co", "Cs") or letter in _LINE_ENDS:
        name = unicodedata.name(letter, "control character")
        raise UsageError(
            f"{where}the invisible character U+{ord(letter):04X} ({name.lower()}), by which a file "
            "says one thing to a reader and another to a program"
        )


def _read_json(path: str, text: str) -> ConfigFile:
    content = json_content(path, text)
    lines = cache(lambda: json_lines(text))
    return ConfigFile(path, content, lambda key: _nearest(lines(), key))


def _nearest(lines: dict[Key, int], key: Key) -> int:
    return next((lines[key[:n]] for n in range(len(key), 0, -1) if key[:n] in lines), 1)


def json_content(path: str, text: str) -> Any:
    """JSON as plain data.

    Raises:
        UsageError: If it is invalid, too deep, too large, or has a key twice.
    """
    try:
        content = json.loads(text, object_pairs_hook=_unique, parse_int=_integer)
    except RecursionError:
        raise UsageError(f"{path}: nested too deeply; is no config") from None
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}: line {error.lineno}: not valid JSON ({error.msg})") from None
    except ValueError as error:
        raise UsageError(f"{path}: {error!s:.100}") from None
    require_size(content, path)
    return content


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits; is no config")
    return int(digits)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice} is given twice, so that one of two values counts")
    return content


def _read_yaml(path: str, text: str) -> ConfigFile:
    # Levels and values before anything is composed, or the composer runs out of stack.
    require_plain_yaml(text, path)
    loader = _CLoader(text)
    try:
        node = loader.get_single_node()
        _require_plain(node, path, loader)
        content = None if node is None else loader.construct_document(node)
        require_size(content, path)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        problem = str(getattr(error, "problem", None) or error).partition("\n")[0]
        raise UsageError(f"{path}: {line}not valid YAML ({problem:.100})") from None
    except UsageError:
        raise
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path}: {error!s:.100}") from None
    finally:
        loader.dispose()
    return ConfigFile(path, content, lambda key: _yaml_line(node, key))


def _require_plain(node: Any, path: str, loader: Any) -> None:
    """Refuse aliases, tags and merge keys: what they stand for is not what is written there."""
    seen: set[int] = set()
    waiting = [] if node is None else [node]
    while waiting:
        here = waiting.pop()
        where = f"{path}: line {here.start_mark.line + 1}: "
        if id(here) in seen:
            raise UsageError(f"{where}an alias (*) repeats this part elsewhere; write it out")
        seen.add(id(here))
        if not here.tag.startswith("tag:yaml.org,2002:") or here.tag.endswith(_STRANGE):
            raise UsageError(f"{where}the tag or merge key {here.tag!r:.60} is no plain data")
        if isinstance(here, yaml.ScalarNode):
            _require_plain_scalar(here, where, loader)
        elif isinstance(here, yaml.MappingNode):
            waiting.extend(part for pair in cast("Any", here).value for part in pair)
        elif isinstance(here, yaml.SequenceNode):
            waiting.extend(cast("Any", here).value)


def _require_plain_scalar(node: Any, where: str, loader: Any) -> None:
    if node.tag.endswith((":int", ":float")) and len(node.value) > _MOST_DIGITS:
        raise UsageError(f"{where}a number of too many digits; is no config")
    # Written without quotes, it is what it looks like, unless a tag says otherwise.
    if not node.style and node.tag != loader.resolve(yaml.ScalarNode, node.value, (True, False)):
        raise UsageError(f"{where}a tag makes something else of {node.value!r:.60}")


_STRANGE = (":merge", ":value", ":binary", ":set", ":omap", ":pairs")


def _yaml_line(node: Any, key: Key) -> int:
    if node is None:
        return 1
    line = node.start_mark.line + 1
    for name in key:
        found = next((pair for pair in _pairs(node) if pair[0] == name), None)
        if found is None:
            break
        _, line, node = found
    return line


def _pairs(node: Any) -> Iterator[tuple[str, int, Any]]:
    if isinstance(node, yaml.MappingNode):
        for name, child in cast("Any", node).value:
            yield str(name.value), name.start_mark.line + 1, child
    elif isinstance(node, yaml.SequenceNode):
        for position, child in enumerate(cast("Any", node).value):
            yield str(position), child.start_mark.line + 1, child


def _refused(path: str, message: str) -> Place:
    """A place from an error of reading, which names the path and perhaps the line."""
    reason = message.partition(f"{path}: ")[2] or message
    line = None
    if reason.startswith("line "):
        number, _, rest = reason.removeprefix("line ").partition(": ")
        if number.isdigit():
            line, reason = int(number), rest
    slip = Slip("file", reason) if reason.startswith("not valid ") else None
    reason = f"is no config: {reason}"
    return Place(file=path, line=line, key="", grade="refused", reason=reason, slip=slip)
