"""Configs of a bundle, let in by the door, and merged from the bytes that were judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from medseg.bundles.bundle_code import import_code_of
from medseg.bundles.configs import config_paths, merge_configs, overridden
from medseg.bundles.judgement.door import (
    Judged,
    require_runnable,
    require_runnable_config,
    require_values,
)
from medseg.bundles.macro_files import with_macro_files
from medseg.bundles.plain_yaml import parse_config
from medseg.errors import UsageError

__all__ = ["OpenedConfigs", "is_config_file", "open_config_file", "open_configs"]

METADATA = "configs/metadata.json"


@dataclass(frozen=True, kw_only=True, eq=False)
class OpenedConfigs:
    """Configs that may be built.

    Attributes:
        judged: The bundle.
        paths: Of the configs, in the order in which they are merged, for messages and comments.
        texts: What stands in them.
        added: Keys of safe configs from outside the bundle, which change it as overrides do.
    """

    judged: Judged
    paths: tuple[Path, ...]
    texts: tuple[str, ...]
    added: Mapping[str, Any]

    @cached_property
    def merged(self) -> dict[str, Any]:
        """The configs merged as MONAI merges them; not to be changed.

        Raises:
            UsageError: As of `merge_configs`.
        """
        return merge_configs([(str(path), parse_config(text, path)) for path, text in self._each])

    def changed(self, overrides: Mapping[str, Any]) -> dict[str, Any]:
        """The config that is to be built: with overrides, and without macros that name files.

        From now on, the code of a trusted bundle can be imported.

        Args:
            overrides: Values by path, with `::`, from the user.

        Raises:
            UsageError: For a path that leads through nothing, metadata that are no JSON, and as of
                `with_macro_files`.
            NeedsTrustError: If a value could run code; see `require_values`.
            RefusedError: See `require_values`.
        """
        # Configs ask the workflow for the folder, and a parser without one has none.
        place = self.judged.path.resolve()
        root = place if place.is_dir() else place.parent.parent
        config = overridden(self.merged, {"bundle_root": str(root), **overrides})
        # What is safe by itself may not be when it is merged: so as it is to be built; or, where
        # the bundle has places that are trusted, what is changed, over any of its configs.
        require_values({**self.added, **overrides}, config, self.judged)
        import_code_of(self.judged)
        whole = {**config, "_meta_": self._metadata()}
        return with_macro_files(whole, self.judged)

    def _metadata(self) -> dict[str, Any]:
        if METADATA not in self.judged.tree.entries:
            return {}
        path = self.judged.path / METADATA
        return parse_config(_text(self.judged.read(METADATA), path), path)

    @property
    def _each(self) -> list[tuple[Path, str]]:
        return list(zip(self.paths, self.texts, strict=True))


def open_configs(bundle: str | Path, names: Sequence[str]) -> OpenedConfigs:
    """Open configs of a bundle, if it and they may run; imports nothing of MONAI.

    Args:
        bundle: The bundle's folder.
        names: E.g. `["train", "evaluate"]`; a path that ends in `.yaml`, `.yml` or `.json` is a
            config outside the bundle, which is judged as well.

    Raises:
        UsageError: If the folder is not a bundle, has no such config, or one is no plain data.
        NeedsTrustError: See `require_runnable`.
        RefusedError: See `require_runnable`.
    """
    own = [name for name in names if not is_config_file(name)]
    inside = dict(zip(own, config_paths(bundle, own), strict=True))
    judged = require_runnable(bundle)
    lone = {name: require_runnable_config(name, judged) for name in names if name not in inside}
    bytes_of = {name: judged.read(f"configs/{Path(inside[name]).name}") for name in own}
    bytes_of |= {
        name: config.read(next(iter(config.tree.entries))) for name, config in lone.items()
    }
    paths = tuple(Path(inside.get(name, name)) for name in names)
    texts = [_text(bytes_of[name], path) for name, path in zip(names, paths, strict=True)]
    # Before MONAI is imported: what is no plain data is one line at once.
    contents = [parse_config(text, path) for text, path in zip(texts, paths, strict=True)]
    added: dict[str, Any] = {}
    for name, content in zip(names, contents, strict=True):
        if name in lone and lone[name].standing == "safe":
            added |= content
    return OpenedConfigs(judged=judged, paths=paths, texts=tuple(texts), added=added)


def open_config_file(path: Path) -> OpenedConfigs:
    """Open one config by its path: of a bundle, or outside any, such as a recipe.

    Raises:
        UsageError: If it is no plain data.
        NeedsTrustError: If it, or the bundle that it is of, is neither safe nor trusted.
        RefusedError: If no trust suffices.
    """
    bundle = path.parent.parent
    if path.parent.name == "configs" and (bundle / METADATA).is_file() and path.suffix == ".yaml":
        return open_configs(bundle, [path.stem])
    judged = require_runnable_config(path)
    text = _text(judged.read(next(iter(judged.tree.entries))), path)
    parse_config(text, path)
    return OpenedConfigs(judged=judged, paths=(path,), texts=(text,), added={})


def is_config_file(name: str) -> bool:
    """Whether the name of a config is the path of a file, and not a name within a bundle."""
    return name.lower().endswith((".yaml", ".yml", ".json"))


def _text(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text; save the config as UTF-8") from error
