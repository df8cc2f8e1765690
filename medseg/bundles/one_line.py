"""Errors of the user's in one line, also under `python -m monai.bundle run`.

MONAI wraps an error of a config's component into its own, with a traceback of a hundred
lines around it. A bundle calls `explain_errors` first, in `initialize`; from then on the
error at the bottom is printed as the command line of medseg prints it.
"""

import os
import sys
from collections.abc import Iterator
from types import TracebackType

from medseg.errors import MedsegError

__all__ = ["explain_errors", "root_error"]


def explain_errors() -> None:
    """Print a user's error in one line and exit with its code, from here on.

    `MEDSEG_DEBUG=1` in the environment keeps the traceback.
    """
    if os.environ.get("MEDSEG_DEBUG") != "1":
        sys.excepthook = _explain


def root_error(error: BaseException) -> MedsegError | None:
    """The user's error that `error` is or was caused by, if any."""
    return next((link for link in _chain(error) if isinstance(link, MedsegError)), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _explain(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    known = root_error(error)
    if known is None:
        sys.__excepthook__(kind, error, traceback)
        return
    sys.stderr.write(f"medseg: {known}\n")
    # Python takes the exit code of a SystemExit that its hook raises.
    raise SystemExit(int(known.exit_code))
