"""Libraries kept quiet: their loggers and warnings, while something runs, whatever threads do.

Loggers and the filters of warnings are the process's. A thread that put them back as it found
them would end the silence of another, whose library then quotes a patient's name, or leave all
silent for good. Here a silence adds something of its own and takes just that away, so that
threads may enter and leave in any order.
"""

import logging
import re
import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, cast

__all__ = [
    "quiet_libraries",
    "quiet_loggers",
    "quiet_warnings",
    "root_logger_kept",
]

SILENT = logging.CRITICAL + 1

_lock = threading.RLock()
_root_lock = threading.RLock()
# Of each logger that is kept quiet: its own level, and the levels that were asked for.
_asked: dict[str, tuple[int, list[int]]] = {}


@contextmanager
def quiet_loggers(*names: str, level: int = SILENT) -> Generator[None]:
    """Let loggers tell only what is of this level or above.

    Args:
        names: Of the loggers; those below them that have a level of their own keep it.
        level: As in `logging`; by default nothing is told.
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
    logging.getLogger(name).setLevel(max(own, *asked) if asked else own)
    if not asked:
        del _asked[name]


@contextmanager
def quiet_warnings(message: str = "", module: str = "") -> Generator[None]:
    """Ignore warnings.

    Args:
        message: Pattern of those that are meant, from their start; all if empty.
        module: Pattern of the modules that they are of; any if empty.
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
            # `catch_warnings` of a library may have put a copy in place, in this thread or another.
            for each in (filters, *([] if _filters() is filters else [_filters()])):
                with suppress(ValueError):
                    each.remove(ignored)


def _filters() -> list[Any]:
    return cast("list[Any]", warnings.filters)


@contextmanager
def quiet_libraries() -> Generator[None]:
    """Let MONAI and ignite tell of errors only."""
    # MONAI gives each of its loggers a handler of its own, to standard output.
    ours = ("monai", "ignite")
    theirs = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in ours]
    # Their warnings are of readers that nobody asked for, or of what the error tells as well.
    with (
        quiet_loggers(*{*ours, *theirs}, level=logging.ERROR),
        quiet_warnings(module=r"monai\."),
    ):
        yield


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
