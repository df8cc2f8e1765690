"""MONAI's and ignite's own words kept off a command's output."""

import logging
import warnings
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["hushed"]

LIBRARIES = ("monai", "ignite")


@contextmanager
def hushed() -> Generator[None]:
    """Let MONAI and ignite speak of errors only, and leave their loggers as they were."""
    # MONAI gives each of its loggers a handler of its own, to standard output.
    theirs = [n for n in logging.Logger.manager.loggerDict if n.partition(".")[0] in LIBRARIES]
    levels = {name: logging.getLogger(name).level for name in (*LIBRARIES, *theirs)}
    for name in levels:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # Of readers that nobody asked for, or of what the error that follows tells as well.
            warnings.filterwarnings("ignore", module=r"monai\.")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
