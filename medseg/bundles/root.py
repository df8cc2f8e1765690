"""Bundle root: find the folder of the bundle that is run, from any current directory.

MONAI resolves relative paths of a config against the current directory, so zoo bundles run only
from their own folder. Our configs call `find_bundle_root`, which asks the workflow, or the function
of `monai.bundle`, that builds them for its config file.
"""

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, cast
from weakref import WeakKeyDictionary

from medseg.errors import UsageError

__all__ = ["find_bundle_root"]

# A parser knows nothing of the workflow that it belongs to, nor of its file. Callers of a workflow
# build parts from its parser once it has been initialised, and with it the root.
_roots: WeakKeyDictionary[Any, Path] = WeakKeyDictionary()


def find_bundle_root() -> str:
    """Folder of the bundle that is being built, which a config calls as `bundle_root`.

    Returns:
        The folder above the first config file's `configs`, absolute, where a function of
        `monai.bundle` or a `ConfigWorkflow` builds the bundle; the current directory if it is a
        bundle and a parser alone builds it.

    Raises:
        UsageError: If a parser alone builds it from elsewhere, as nothing tells which folder.
    """
    from monai.bundle.config_parser import ConfigParser
    from monai.bundle.workflows import ConfigWorkflow

    for frame in _calling_frames():
        caller = frame.f_locals.get("self")
        # By its class: MONAI's parser takes any attribute for a key of its config.
        if isinstance(caller, ConfigWorkflow):
            root = _above(Path(caller.config_root_path))
            _roots[caller.parser] = root
            return str(root)
        if isinstance(caller, ConfigParser) and caller in _roots:
            return str(_roots[caller])
        config_file = _config_file_of_a_function(frame)
        if config_file is not None:
            return str(_above(config_file.parent))
    if (Path.cwd() / "configs" / "metadata.json").is_file():
        return str(Path.cwd())
    raise UsageError(
        "bundle_root: a parser alone does not tell which folder its config is from; give it, "
        "as parser['bundle_root'] = FOLDER before anything is built, or change to that folder"
    )


def _calling_frames() -> Iterator[FrameType]:
    frame = inspect.currentframe()
    while frame is not None:
        yield frame
        frame = frame.f_back


def _above(configs: Path) -> Path:
    return configs.resolve().parent


def _config_file_of_a_function(frame: FrameType) -> Path | None:
    """First config file of a function such as `monai.bundle.ckpt_export`, which has no workflow."""
    if frame.f_globals.get("__name__") != "monai.bundle.scripts":
        return None
    files: object = cast("Mapping[str, object]", frame.f_locals).get("config_file_")
    if isinstance(files, list | tuple):
        files = next(iter(cast("list[object]", files)), None)
    return Path(files) if isinstance(files, str | Path) else None
