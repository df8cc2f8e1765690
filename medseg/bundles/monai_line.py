"""Command line of `python -m monai.bundle run`: config files and overrides, args file included."""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from medseg.bundles.plain_yaml import read_config_file

__all__ = ["MonaiLine", "config_files", "is_of_monai", "read_monai_line"]

# Options of `python -m monai.bundle run` that are not config keys.
_OF_MONAI = {
    "run_id", "init_id", "final_id", "meta_file", "config_file", "logging_file", "tracking",
    "args_file", "runner_id", "workflow_name", "workflow_type", "properties_path",
}  # fmt: skip
_OPTION = re.compile(r"--?(?P<key>[A-Za-z_][\w#:-]*)(?P<equals>=(?P<value>.*))?", re.DOTALL)


@dataclass(frozen=True)
class MonaiLine:
    """What a command line asks for.

    Attributes:
        files: The config files, in order.
        overrides: Values by key, with `::` in paths; those of the line before those of its
            args file.
    """

    files: tuple[Path, ...]
    overrides: Mapping[str, Any]


def is_of_monai(arguments: Sequence[str]) -> bool:
    """Whether it is `python -m monai.bundle`; a user's own script may have options of its own."""
    program = arguments[0].replace("\\", "/") if arguments else ""
    return program == "monai.bundle" or program.endswith("monai/bundle/__main__.py")


def read_monai_line(arguments: Sequence[str]) -> MonaiLine:
    """Read `sys.argv` of `python -m monai.bundle run`.

    Raises:
        UsageError: If the args file is no YAML or JSON of keys and values.
    """
    options = _options(arguments)
    file = options.get("args_file")
    given = {**(read_config_file(str(file)) if file else {}), **options}
    named = cast("Any", given.get("config_file"))
    files = config_files(["--config_file", named]) if isinstance(named, str) else _each(named)
    return MonaiLine(
        tuple(files),
        {
            key.replace("#", "::"): value
            for key, value in given.items()
            if key.partition("#")[0].partition("::")[0] not in _OF_MONAI
        },
    )


def config_files(arguments: Sequence[str]) -> list[Path]:
    """The config files that a command line names with `--config_file`, in order."""
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name.replace("-", "_") in ("__config_file", "_config_file"):
            return _paths(value if equals else "".join(arguments[position + 1 : position + 2]))
    return []


def _options(arguments: Sequence[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for position, text in enumerate(arguments):
        if option := _OPTION.fullmatch(text):
            following = "".join(arguments[position + 1 : position + 2])
            value = option["value"] if option["equals"] else following
            if not option["equals"] and (not following or _OPTION.fullmatch(following)):
                value = "True"
            key = option["key"].replace("-", "_")
            # A file's path stays a text, as it may look like a list in Python.
            options[key] = value if key in _OF_MONAI else _as_fire_reads(value)
    return options


def _as_fire_reads(text: str) -> Any:
    """The value that MONAI's command line, which is Fire's, makes of a text."""
    # Here, as it belongs to MONAI's command line, which alone calls this.
    from fire import parser

    return cast("Any", parser).DefaultParseValue(text)


def _paths(text: str) -> list[Path]:
    try:
        return _each(ast.literal_eval(text))
    except (ValueError, SyntaxError):
        # A folder's name may hold a comma; Fire also accepts a bare a.yaml,b.yaml
        parts = [text] if Path(text).is_file() else text.strip("[]()").split(",")
        return [Path(part.strip()) for part in parts]


def _each(value: Any) -> list[Path]:
    if isinstance(value, str):
        return [Path(value)]
    items = list(cast("list[object]", value)) if isinstance(value, list | tuple) else []
    return [Path(str(item)) for item in items]
