"""Logging of a bundle's `logging.conf`: to the console, and nowhere else.

Python's loader evaluates `class` and `args` of that file as code, imports formatters by name, and
its handlers empty files, send mail and open connections. MONAI 1.6.1 lets all handlers of `logging`
pass, if their arguments are literals. Here only the console form does, whoever trusts the bundle.
"""

import configparser
from collections.abc import Mapping
from logging.config import fileConfig

from medseg.errors import UsageError

__all__ = ["log_to_console"]

_HANDLERS = frozenset({"StreamHandler", "logging.StreamHandler", "NullHandler"})
_STREAMS = frozenset({"", "()", "(sys.stdout,)", "(sys.stderr,)"})
_OF_HANDLERS = frozenset({"class", "args", "level", "formatter"})
_OF_FORMATTERS = frozenset({"format", "datefmt", "style"})


def log_to_console(content: bytes, where: str) -> None:
    """Configure logging by a `logging.conf`, from these bytes.

    Args:
        content: Of the file.
        where: Its path, for the error.

    Raises:
        UsageError: If it is no such file, or has more than handlers of the console.
    """
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(content.decode("utf-8"))
        for name in parser.sections():
            _check(name, parser[name], where)
        fileConfig(parser, disable_existing_loggers=False)
    except UsageError:
        raise
    # What Python's loader meets in a file that lacks a section or names no handler.
    except (configparser.Error, LookupError, ValueError, TypeError, AttributeError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise UsageError(
            f"{where}: cannot be used to configure logging ({lines[0]:.100}); correct it, or "
            "remove it"
        ) from error


def _check(name: str, section: Mapping[str, str], where: str) -> None:
    if name.startswith("handler_"):
        kind = section.get("class", "").strip()
        stream = "".join(section.get("args", "").split())
        if kind not in _HANDLERS or stream not in _STREAMS or not section.keys() <= _OF_HANDLERS:
            raise _more_than_console(name, where)
    elif name.startswith("formatter_") and not section.keys() <= _OF_FORMATTERS:
        raise _more_than_console(name, where)


def _more_than_console(name: str, where: str) -> UsageError:
    return UsageError(
        f"{where}: [{name:.60}] is more than a log on the console, with class=StreamHandler and "
        "args=(sys.stdout,); medseg runs no other; correct it, or remove the file"
    )
