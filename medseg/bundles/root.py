"""Bundle root: find the folder of the bundle that is run, from any current directory.

MONAI resolves relative paths of a config against the current directory, so zoo bundles run only
from their own folder. Our configs call `find_bundle_root`, which looks at the config file named on
the command line.
"""

import ast
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["config_files", "find_bundle_root"]


def find_bundle_root(arguments: Sequence[str] | None = None) -> str:
    """Folder of the bundle that is being run.

    Args:
        arguments: A command line with `--config_file FILE`, as `python -m monai.bundle run`
            takes it (one path, or a list of them in Python's notation); by default that of
            this process.

    Returns:
        The folder above the first config file's `configs`, absolute; the current
        directory if no config file is named, as in code that builds its own parser.
    """
    files = config_files(sys.argv if arguments is None else arguments)
    return str(files[0].resolve().parent.parent if files else Path.cwd())


def config_files(arguments: Sequence[str]) -> list[Path]:
    """The config files that a command line names with `--config_file`, in order."""
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name.replace("-", "_") in ("__config_file", "_config_file"):
            rest = value if equals else "".join(arguments[position + 1 : position + 2])
            return _paths(rest)
    return []


def _paths(text: str) -> list[Path]:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        # Fire also accepts a bare a.yaml,b.yaml
        return [Path(part.strip()) for part in text.strip("[]()").split(",")]
    return [Path(value)] if isinstance(value, str) else [Path(part) for part in value]
