"""Failed runs with their reasons, and how each row is run again."""

import json

from medseg._text import safe_name
from medseg.studies.pages.contents import Contents
from medseg.studies.pages.extent import Extent
from medseg.studies.pages.markdown_text import code, code_block, escaped, file_link, table

__all__ = ["config_path", "failures_section", "repeat_section"]


def config_path(place: int, row: str) -> str:
    """Where the resolved config of a row is written, beside the page; its number comes first."""
    return f"rows/{place:02d}_{safe_name(row)}/config.yaml"


def failures_section(contents: Contents) -> str:
    """A line for each failed run; empty if none failed."""
    lines = [
        [escaped(run.row), str(run.seed), str(run.fold), escaped(run.reason)]
        for run in contents.results.runs
        if run.reason
    ]
    columns = ["row", "seed", "fold", "reason"]
    return f"## Failed runs\n\n{table(columns, lines, words=4)}" if lines else ""


def repeat_section(contents: Contents, extent: Extent) -> str:
    """What each row changes, the command that repeats it, and its resolved config if written."""
    repeats = contents.repeats
    parts = [_of_row(contents, row, extent) for row in contents.results.rows]
    shown = [part for part in parts if part]
    if not shown:
        return ""
    before = [code_block(repeats.preparation, "bash")] if repeats.preparation else []
    return "\n\n".join(["## Repeat a row", *before, *shown])


def _of_row(contents: Contents, row: str, extent: Extent) -> str:
    command, config = contents.repeats.commands.get(row), contents.repeats.configs.get(row)
    if command is None:
        return ""
    changes = contents.results.overrides.get(row, {})
    told = ", ".join(code(f"{key}: {_value(value)}") for key, value in changes.items())
    lines = [f"**{escaped(row)}**" + (f" changes {told}." if told else " changes nothing.")]
    if config and extent == "whole":
        path = config_path(contents.results.rows.index(row), row)
        lines[0] += f" Resolved: {file_link('config.yaml', path)}."
    return "\n\n".join([*lines, code_block(command, "bash")])


def _value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
