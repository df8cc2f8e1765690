"""Config files of a bundle: find and merge them as plain data, nothing evaluated."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

from medseg.bundles.plain_yaml import read_config_file
from medseg.errors import UsageError

__all__ = ["MAY_BE", "NEEDED", "config_paths", "merge_configs", "overridden", "read_config"]

# Keys of an inference config that `medseg predict` reads: required and optional ones.
NEEDED = ("preprocessing_steps", "network", "inferer", "device", "class_names")
MAY_BE = ("window", "part_of", "label_kind", "postprocessing")

_IS_FILE = (
    "not a bundle's folder but a file; a zip is installed first ('medseg bundle install ZIP'), and "
    "then goes by its name"
)


def config_paths(bundle: str | Path, names: Sequence[str]) -> list[str]:
    """Paths of a bundle's config files, in the order in which they are merged.

    Args:
        bundle: The bundle's folder.
        names: E.g. `["train", "evaluate"]`.

    Raises:
        UsageError: If the folder is not a bundle, or has no such config.
    """
    folder = Path(bundle)
    if folder.suffix == ".zip" and folder.is_file():
        raise UsageError(
            f"{bundle}: is a zip; install it (medseg bundle install) and give its name"
        )
    if not (folder / "configs" / "metadata.json").is_file():
        if folder.is_file():
            raise UsageError(f"{bundle}: {_IS_FILE}")
        what = "no configs/metadata.json" if folder.exists() else "there is no such folder"
        near = sorted(
            path.parents[1].name for path in folder.parent.glob("*/configs/metadata.json")
        )
        hint = f"; bundles beside it: {', '.join(near)}" if near else ""
        raise UsageError(f"{bundle}: not a bundle ({what}){hint}")
    paths = [_config_path(folder / "configs", name) for name in names]
    for path in paths:
        if not path.is_file():
            there = sorted(other.stem for other in path.parent.glob("*.yaml"))
            raise UsageError(f"{bundle}: no config {path.stem}; use one of {', '.join(there)}")
    return [str(path.resolve()) for path in paths]


def _config_path(configs: Path, name: str) -> Path:
    """A bundle of the model zoo has its configs as JSON; beside YAML that is a copy of it."""
    yaml, json = configs / f"{name}.yaml", configs / f"{name}.json"
    return json if json.is_file() and not yaml.is_file() else yaml


def read_config(paths: Sequence[str]) -> dict[str, Any]:
    """Config files merged as MONAI merges them, as plain data.

    What is to be built comes from `open_configs`, which judges it first.

    Raises:
        UsageError: If one is not valid YAML, no plain data of keys and values, or changes a part
            that none before it has.
    """
    return merge_configs([(path, read_config_file(path)) for path in paths])


def merge_configs(parts: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Merge configs as MONAI merges them.

    Args:
        parts: Path and content of each, in order.

    Raises:
        UsageError: If one changes a part that none before it has.
    """
    # MONAI takes seconds to import, and `config_paths` does not need it.
    from monai.bundle import utils
    from monai.bundle.config_parser import ConfigParser

    merge_kv = cast("Any", utils).merge_kv
    parser = cast("Any", ConfigParser({}))
    for path, content in parts:
        for key, value in content.items():
            try:
                merge_kv(parser, key, value)
            except KeyError as error:
                names = ", ".join(Path(path).stem for path, _ in parts)
                raise UsageError(
                    f"{names}: a config changes a part that none before it has "
                    f"({error.args[0]}); merge it over another, e.g. --config train --config "
                    "evaluate"
                ) from error
            except (IndexError, TypeError, ValueError) as error:
                raise UsageError(f"{path}: {key}: {error}; correct the key") from error
    merged = ConfigParser({ConfigParser.meta_key: {}, **parser.get()})
    return cast("dict[str, Any]", cast("Any", merged).get())


def overridden(config: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a config with overrides, as a workflow has it.

    Args:
        config: As `read_config` returns it.
        overrides: Values by path, with `::`.

    Raises:
        UsageError: For a path that leads through nothing.
    """
    from monai.bundle.config_parser import ConfigParser

    parser = cast("Any", ConfigParser(deepcopy(dict(config))))
    for key, value in overrides.items():
        try:
            parser[key] = value
        except (IndexError, KeyError, TypeError, ValueError) as error:
            path = key.replace("::", "#")
            raise UsageError(f"{path}: no such key in this config; correct its path") from error
    return cast("dict[str, Any]", parser.get())
