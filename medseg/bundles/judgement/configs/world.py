"""Definitions of a bundle's configs by id, whichever of them are merged.

Any config may be merged over any other, so an id stands for all that the configs define by it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from medseg.bundles.judgement.configs.config_files import ConfigFile, Key
from medseg.bundles.judgement.configs.references import macro_target, reference_id, resolved

__all__ = ["META", "Node", "World"]

META = "_meta_"
# Where the values of `+list: [...]` stand: behind those of the list that it extends.
APPENDED = "+"
_MOST_HOPS = 5
_MOST_IDS = 1_000
# What MONAI calls a key of an earlier version.
_RENAMED = {"optional_packages_version": "required_packages_version"}


@dataclass(eq=False)
class Node:
    """A value of a config.

    Attributes:
        file: Where it is written.
        key: Its keys in the file, as they are written.
        path: Its id, in parts.
        value: As the file has it.
        children: Those of a mapping or list, by key or position.
    """

    file: ConfigFile
    key: Key
    path: Key
    value: Any
    children: dict[str, "Node"] = field(default_factory=dict[str, "Node"])


class World:
    """All definitions."""

    def __init__(self, configs: Iterable[ConfigFile]) -> None:
        """Takes the configs apart; what is no mapping defines nothing."""
        self.roots: list[Node] = []
        # Of what macros copy, each found once: values in it, and whether it has relative ids.
        self.sizes: dict[Node, int] = {}
        self.relative: dict[Node, bool] = {}
        self._by_path: dict[Key, list[Node]] = {}
        # With the file whose own values alone they change, if it has them.
        self._patches: dict[Key, dict[str, list[tuple[Node, ConfigFile | None]]]] = {}
        for config in configs:
            content = cast("object", config.content)
            if isinstance(content, dict):
                above = (META,) if config.is_metadata else ()
                before: set[Key] = set()
                for name, value in cast("dict[Any, Any]", content).items():
                    self._define(config, str(name), value, above, before)
            else:
                self.roots.append(self._node(config, (), (config.path,), config.content))

    def at(self, path: Key) -> list[Node]:
        """All that is defined at an id."""
        found = list(self._by_path.get(path, ()))
        if path and path[-1].isdigit():
            found += self._by_path.get((*path[:-1], APPENDED), ())
        return found

    def find(self, path: Key) -> list[Node]:
        """What an id stands for, through macros on the way: of `a: "%b"`, `a::c` is `b::c`."""
        return self._find(path, _MOST_HOPS)

    def _find(self, path: Key, hops: int) -> list[Node]:
        found = self.at(path)
        for length in range(1, len(path) if hops else 0):
            for node in self.at(path[:length]):
                if isinstance(node.value, str) and node.value.startswith("%"):
                    text = resolved(node.value, node.path) or "%"
                    target = tuple(macro_target(text)[1].split("::"))
                    found += self._find((*target, *path[length:]), hops - 1)
        return list(dict.fromkeys(found))

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Ids of the first keys, among which one may be meant by another that is not there."""
        ids = dict.fromkeys("::".join(root.path) for root in self.roots if root.path[0] != META)
        return tuple(ids)[:_MOST_IDS]

    def sources(self, node: Node) -> list[Node]:
        """Where a value is written: of a reference or macro what it stands for, else itself."""
        seen: dict[Node, None] = {}
        waiting = [node]
        while waiting:
            here = waiting.pop()
            if here not in seen:
                seen[here] = None
                waiting.extend(self._named(here))
        return [found for found in seen if not self._named(found)]

    def _named(self, node: Node) -> list[Node]:
        if not isinstance(node.value, str) or not node.value.startswith(("@", "%")):
            return []
        text = resolved(node.value, node.path) or ""
        identity = macro_target(text)[1] if text.startswith("%") else reference_id(text)
        return self.find(tuple(identity.split("::"))) if identity else []

    def children(self, node: Node) -> dict[str, list[Node]]:
        """Values of a mapping or list, with those that other keys put there (`a#b: value`)."""
        children = {name: [child] for name, child in node.children.items()}
        for name, patches in self._patches.get(node.path, {}).items():
            for patch, own in patches:
                if own is None or own is node.file:
                    children.setdefault(name, []).append(patch)
        return children

    def is_loose(self, path: Key) -> bool:
        """Whether a key `a#b#c` changes what no config has at `a#b`, or counts in a longer list."""
        above = [path[:length] for length in range(1, len(path))]
        extended = any(APPENDED in self._patches.get(key, ()) for key in above)
        return extended or any(not self._holds(key) for key in above)

    def _holds(self, path: Key) -> bool:
        return any(isinstance(node.value, Mapping | list) for node in self._by_path.get(path, ()))

    def below(self, node: Node) -> Iterator[Node]:
        """A value and all within it."""
        waiting = [node]
        while waiting:
            here = waiting.pop()
            yield here
            waiting.extend(here.children.values())

    def _define(
        self, config: ConfigFile, name: str, value: Any, above: Key, before: set[Key]
    ) -> None:
        """A top-level key; `a#b` is within `a`, and `+a` adds to it.

        What the file has defined before is what it changes, whichever config that was merged over.
        """
        merged = name.startswith("+")
        first, *more = name.removeprefix("+").replace("#", "::").split("::")
        path = (*above, _RENAMED.get(first, first), *more)
        node = self._node(config, (name,), path, value)
        self.roots.append(node)
        own = config if any(path[:length] in before for length in range(1, len(path))) else None
        if more:
            self._patch(path[:-1], path[-1], node, own)
        if merged:
            is_list = isinstance(value, list)
            own = config if path in before else own
            for child_name, child in node.children.items():
                self._patch(path, APPENDED if is_list else child_name, child, own)
        else:
            before.add(path)

    def _patch(self, path: Key, name: str, node: Node, own: ConfigFile | None) -> None:
        self._patches.setdefault(path, {}).setdefault(name, []).append((node, own))
        if name == APPENDED:
            self._by_path.setdefault((*path, APPENDED), []).append(node)

    def _node(self, config: ConfigFile, key: Key, path: Key, value: Any) -> Node:
        node = Node(config, key, path, value)
        self._by_path.setdefault(path, []).append(node)
        for name, child in _pairs(value):
            node.children[name] = self._node(config, (*key, name), (*path, name), child)
        return node


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, child in cast("Mapping[Any, Any]", value).items():
            yield str(name), child
    elif isinstance(value, list):
        for position, child in enumerate(cast("list[Any]", value)):
            yield str(position), child
