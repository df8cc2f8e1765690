"""Failed runs with their reasons, and how each row is run again."""

from medseg._text import safe_name
from medseg.studies.pages.contents import Contents, Extent
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
    """The command of each row, what it changes, and its resolved config if that is written."""
    parts = [
        _of_row(contents, row, extent) for row in contents.results.rows if row in contents.repeats
    ]
    return "\n\n".join(["## Repeat a row", *parts]) if parts else ""


def _of_row(contents: Contents, row: str, extent: Extent) -> str:
    repeat, changes = contents.repeats[row], contents.results.overrides.get(row, {})
    lines = [f"### {escaped(row)}"]
    if changes:
        told = (code(f"{key}={value}") for key, value in changes.items())
        lines.append(f"Changes {', '.join(told)}.")
    if repeat.config and extent == "whole":
        path = config_path(contents.results.rows.index(row), row)
        lines.append(f"Resolved config: {file_link('config.yaml', path)}.")
    return "\n\n".join([*lines, code_block(repeat.command, "bash")])
