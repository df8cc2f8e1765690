"""Fit of a foreign bundle: whether `medseg predict` can run it, or the first thing that is missing.

Decided from the config and metadata as plain data, before anything of the bundle is built.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from importlib.util import find_spec
from typing import Any, cast

from medseg.bundles.config_texts import config_texts
from medseg.bundles.opened import METADATA, OpenedConfigs
from medseg.bundles.plain_yaml import parse_config
from medseg.errors import UsageError

__all__ = ["importable", "is_foreign", "missing_for_predict", "require_fit"]

_NEEDED = ("network_def", "preprocessing", "inferer", "postprocessing")
_FORMATS = ("segmentation", "labels")
# `$import a.b as c`, `$from a import b`
_IMPORT = re.compile(r"\$\s*(?:import|from)\s+([\w.]+)")


def is_foreign(config: Mapping[str, Any]) -> bool:
    """Whether an inference config has the form of the model zoo, and not that of medseg's own."""
    return "preprocessing" in config and "preprocessing_steps" not in config


def missing_for_predict(
    config: Mapping[str, Any], metadata: Mapping[str, Any], files: Collection[str]
) -> str | None:
    """What keeps a bundle from being run by `medseg predict`, in words; None if nothing is known.

    Args:
        config: Its inference config, as plain data.
        metadata: Its metadata.json.
        files: Paths of its files, with `/`.
    """
    for told in (_gives_no_label(metadata), _lacks_parts(config), _lacks_code(config, files)):
        if told is not None:
            return told
    image = _first(metadata, "inputs")
    channels = image.get("num_channels")
    if channels not in (1, 3):
        return f"its network takes {channels} channels; medseg predict takes 1 or 3"
    return None


def importable(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config without imports of packages that are not installed.

    MONAI runs all imports before it builds anything; most packages are for parts, such as lists of
    data, that a prediction does not build.
    """
    imports: Any = config.get("imports")
    if not isinstance(imports, list):
        return dict(config)
    return {**config, "imports": [text for text in cast("list[Any]", imports) if _is_there(text)]}


def _is_there(text: Any) -> bool:
    found = _IMPORT.match(text) if isinstance(text, str) else None
    return found is None or find_spec(found[1].split(".")[0]) is not None


def require_fit(opened: OpenedConfigs) -> None:
    """Refuse a bundle that `medseg predict` cannot run, before its weights are looked for.

    Raises:
        UsageError: For the first thing that is missing.
    """
    config = parse_config(opened.texts[0], opened.paths[0])
    metadata = parse_config(opened.judged.read(METADATA).decode("utf-8"), METADATA)
    missing = missing_for_predict(config, metadata, opened.judged.tree.entries)
    if missing is not None:
        raise UsageError(f"{opened.judged.path}: {missing}")


def _gives_no_label(metadata: Mapping[str, Any]) -> str | None:
    pred = _first(metadata, "outputs")
    if not pred:
        return "its metadata.json describes no output of the network"
    kind, form = pred.get("type"), pred.get("format")
    if form not in _FORMATS or len(_sizes(_first(metadata, "inputs"))) < 2:
        return f"its output is no label of voxels (type {kind}, format {form})"
    return None


def _lacks_parts(config: Mapping[str, Any]) -> str | None:
    missing = [key for key in _NEEDED if key not in config]
    return f"its inference config has no {missing[0]}" if missing else None


def _lacks_code(config: Mapping[str, Any], files: Collection[str]) -> str | None:
    for name in _modules(config):
        if name.split(".")[0] == "scripts" and not _has_module(name, files):
            return f"needs its own code, {name}, which is not in its folder"
    return None


def _has_module(name: str, files: Collection[str]) -> bool:
    # A component is `scripts.module.Name`: the module, or its package, has to be there.
    parts = name.split(".")
    paths = ["/".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return any(f"{path}.py" in files or f"{path}/__init__.py" in files for path in paths)


def _modules(config: Mapping[str, Any]) -> Iterator[str]:
    """Names of modules that the config imports, and of components with a dotted name."""
    for key, text in config_texts(config):
        found = _IMPORT.match(text)
        if found is not None:
            yield found[1]
        elif key == "_target_" and text.startswith("scripts."):
            yield text


def _first(metadata: Mapping[str, Any], side: str) -> Mapping[str, Any]:
    """The first tensor that metadata describes on a side of the network; empty if there is none."""
    tensors = _mapping(_mapping(metadata.get("network_data_format")).get(side))
    return _mapping(next(iter(tensors.values()), None))


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _sizes(tensor: Mapping[str, Any]) -> list[Any]:
    sizes: Any = tensor.get("spatial_shape")
    return cast("list[Any]", sizes) if isinstance(sizes, list) else []
