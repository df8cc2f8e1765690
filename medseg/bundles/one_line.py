"""Errors of the user's in one line, also under `python -m monai.bundle run`.

MONAI wraps an error of a config's component into its own, with a traceback of a hundred
lines around it. A bundle calls `explain_errors` first, in `initialize`; from then on the
error at the bottom is printed as the command line of medseg prints it.
"""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType

from medseg.bundles.moved_keys import refuse_lost_keys
from medseg.errors import ExitCode, user_error

__all__ = ["excepthook_kept", "explain_errors"]


def explain_errors() -> None:
    """Print a user's error in one line and exit with its code, from here on.

    The first such error may be a key on the command line that no config has.

    `MEDSEG_DEBUG=1` in the environment keeps the traceback.
    """
    if os.environ.get("MEDSEG_DEBUG") != "1":
        sys.excepthook = _explain
    refuse_lost_keys(sys.argv)


@contextmanager
def excepthook_kept() -> Generator[None]:
    """Leave Python's hook as it was, whatever a bundle calls in `initialize`."""
    hook = sys.excepthook
    try:
        yield
    finally:
        sys.excepthook = hook


def _explain(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    # Python takes the exit code of a SystemExit that its hook raises.
    if issubclass(kind, KeyboardInterrupt):
        sys.stderr.write("medseg: interrupted\n")
        raise SystemExit(int(ExitCode.INTERRUPTED))
    known = user_error(error)
    if known is None:
        sys.__excepthook__(kind, error, traceback)
        return
    sys.stderr.write(f"medseg: {known}\n")
    raise SystemExit(int(known.exit_code))
