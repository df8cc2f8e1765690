"""Words of a command line, made again from what a command was given."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, cast

import typer

__all__ = ["words_of"]


def words_of(context: typer.Context, *, without: Collection[str]) -> tuple[str, ...]:
    """The command's name, options and arguments by which another process does the same.

    Args:
        context: Of the command.
        without: Names of parameters that are left out.
    """
    parameters = [one for one in context.command.params if one.name not in without]
    options = [one for one in parameters if one.param_type_name == "option"]
    arguments = [one for one in parameters if one.param_type_name == "argument"]
    return (
        str(context.info_name),
        *(word for option in options for word in _words(option, context)),
        # After it, nothing is taken for an option.
        "--",
        *(str(value) for argument in arguments for value in _values(argument, context)),
    )


def _words(option: Any, context: typer.Context) -> Iterator[str]:
    for value in _values(option, context):
        if not option.is_flag:
            yield f"{option.opts[0]}={value}"
        elif value:
            yield option.opts[0]


def _values(parameter: Any, context: typer.Context) -> Sequence[Any]:
    value = context.params.get(parameter.name)
    if isinstance(value, list | tuple):
        return cast("Sequence[Any]", value)
    return () if value is None else (value,)
