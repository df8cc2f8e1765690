"""Bundle root: find the folder of the bundle that is run, from any current directory.

MONAI resolves relative paths of a config against the current directory, so zoo bundles run only
from their own folder. Our configs call `find_bundle_root`, which asks the workflow that builds it
for its config file, and looks for one on the command line if there is no workflow.
"""

import inspect
import sys
from collections.abc import Sequence
from pathlib import Path

from medseg.bundles.monai_line import config_files

__all__ = ["find_bundle_root"]


def find_bundle_root(arguments: Sequence[str] | None = None) -> str:
    """Folder of the bundle that is being run.

    Args:
        arguments: A command line with `--config_file FILE`, as `python -m monai.bundle run`
            takes it (one path, or a list of them in Python's notation); by default the
            workflow's config, or that of this process's command line.

    Returns:
        The folder above the first config file's `configs`, absolute; the current
        directory if no config file is named, as in code that builds its own parser.
    """
    configs = _configs_of_the_workflow() if arguments is None else None
    if configs is not None:
        return str(configs.resolve().parent)
    files = config_files(sys.argv if arguments is None else arguments)
    return str(files[0].resolve().parent.parent if files else Path.cwd())


def _configs_of_the_workflow() -> Path | None:
    """Folder of the configs of the `ConfigWorkflow` that builds the caller, if there is one.

    MONAI hands nothing of the workflow to what it builds, hence a look at the calling frames:
    `monai.bundle.run(config_file=...)` from Python has no command line that names the file.
    """
    from monai.bundle.workflows import ConfigWorkflow

    frame = inspect.currentframe()
    while frame is not None:
        caller = frame.f_locals.get("self")
        # By its class: MONAI's parser takes any attribute for a key of its config.
        if isinstance(caller, ConfigWorkflow):
            return Path(caller.config_root_path)
        frame = frame.f_back
    return None
