"""Places in the configs of a bundle that keep it from being safe."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from medseg.bundles.judgement.config_files import ConfigFile, Key, read_config_tree
from medseg.bundles.judgement.tree import BundleTree
from medseg.bundles.judgement.verdict import Place

__all__ = ["config_places", "places_in"]


def config_places(tree: BundleTree) -> list[Place]:
    """Judge all configs of a bundle as plain data; nothing is imported or evaluated."""
    configs, places = read_config_tree(tree)
    for config in configs:
        places.extend(places_in(config))
    return places


def places_in(config: ConfigFile) -> Iterator[Place]:
    """Judge one config by itself."""
    yield from _places(config, config.content, ())


def _places(config: ConfigFile, value: Any, key: Key) -> Iterator[Place]:
    if isinstance(value, Mapping):
        for name, child in cast("Mapping[Any, Any]", value).items():
            path = (*key, str(name))
            if name == "_target_":
                yield _place(config, path, f"unknown: medseg's rules do not list {child!s:.200}")
            yield from _places(config, child, path)
    elif isinstance(value, list):
        for position, child in enumerate(cast("list[Any]", value)):
            yield from _places(config, child, (*key, str(position)))
    elif isinstance(value, str) and value.startswith(("$", "%")):
        yield _place(
            config, key, f"unknown: medseg's rules do not list the expression {value:.200}"
        )


def _place(config: ConfigFile, key: Key, reason: str) -> Place:
    return Place(
        file=config.path,
        line=config.line(key),
        key="#".join(key),
        grade="needs trust",
        reason=reason,
    )
