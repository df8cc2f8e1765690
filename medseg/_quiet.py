"""Context managers that silence loggers and warnings of libraries, and escape log lines.

Loggers and warning filters belong to the whole process. A thread that saved and restored them
could end the silence of another thread, whose library then logs a patient's name, or leave all
loggers silent for good. Here each context adds an entry of its own and removes only that, so that
threads may enter and leave in any order.
"""

import logging
import re
import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, cast

from medseg._text import printable

__all__ = [
    "printable_logs",
    "quiet_libraries",
    "quiet_loggers",
    "quiet_warnings",
    "root_logger_kept",
]

SILENT = logging.CRITICAL + 1

_lock = threading.RLock()
_root_lock = threading.RLock()
# For each silenced logger: its own level, and the requested levels.
_asked: dict[str, tuple[int, list[int]]] = {}


@contextmanager
def quiet_loggers(*names: str, level: int = SILENT) -> Generator[None]:
    """Make loggers emit only messages of at least this level.

    Args:
        names: Names of the loggers; child loggers with a level of their own keep it.
        level: As in `logging`; by default nothing is logged.
    """
    with _lock:
        for name in names:
            logger = logging.getLogger(name)
            _asked.setdefault(name, (logger.level, []))[1].append(level)
            _set_level(name)
    try:
        yield
    finally:
        with _lock:
            for name in names:
                _asked[name][1].remove(level)
                _set_level(name)


def _set_level(name: str) -> None:
    own, asked = _asked[name]
    logger, level = logging.getLogger(name), max(own, *asked) if asked else own
    # Setting a level clears the caches of all loggers, and inner calls rarely change it.
    if logger.level != level:
        logger.setLevel(level)
    if not asked:
        del _asked[name]


@contextmanager
def quiet_warnings(message: str = "", module: str = "") -> Generator[None]:
    """Ignore warnings.

    Args:
        message: Pattern for the start of their messages; empty for all.
        module: Pattern for the modules that issue them; empty for all.
    """
    patterns = [re.compile(text) if text else None for text in (message, module)]
    ignored = ("ignore", patterns[0], Warning, patterns[1], 0)
    with _lock:
        filters = _filters()
        filters.insert(0, ignored)
    try:
        yield
    finally:
        with _lock:
            # A library's `catch_warnings` may have installed a copy, in this thread or another.
            for each in (filters, *([] if _filters() is filters else [_filters()])):
                with suppress(ValueError):
                    each.remove(ignored)


def _filters() -> list[Any]:
    return cast("list[Any]", warnings.filters)


@contextmanager
def quiet_libraries() -> Generator[None]:
    """Make MONAI and ignite log errors only."""
    # Each logger of MONAI has its own handler, to standard output.
    ours = ("monai", "ignite")
    theirs = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in ours]
    # Their warnings are about unused readers, or repeat the error.
    with (
        quiet_loggers(*{*ours, *theirs}, level=logging.ERROR),
        quiet_warnings(module=r"monai\."),
    ):
        yield


@contextmanager
def printable_logs() -> Generator[None]:
    """Escape control characters, such as those of a file's name, in log lines of medseg."""
    before = logging.getLogRecordFactory()

    def escaped(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = before(*args, **kwargs)
        if record.name.partition(".")[0] == "medseg":
            record.msg, record.args = printable(record.getMessage()), None
        return record

    logging.setLogRecordFactory(escaped)
    try:
        yield
    finally:
        logging.setLogRecordFactory(before)


@contextmanager
def root_logger_kept() -> Generator[None]:
    """Restore the root logger after a library that changes it, in one thread at a time."""
    with _root_lock:
        root = logging.getLogger()
        level, filters, handlers = root.level, list(root.filters), list(root.handlers)
        try:
            yield
        finally:
            root.setLevel(level)
            root.filters, root.handlers = filters, handlers
