"""One-line user errors under `python -m monai.bundle run`.

MONAI wraps an error of a config's component into its own, with a traceback of a hundred lines. A
bundle calls `explain_errors` first, in `initialize`; from then on only the original error is
printed, as medseg's command line does.
"""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType

from medseg._signals import end_as_by_ctrl_c, signals_kept
from medseg._streams import escape_missing_letters
from medseg._text import printable
from medseg.bundles.moved_keys import refuse_lost_keys
from medseg.errors import ExitCode, user_error

__all__ = ["excepthook_kept", "explain_errors"]


def explain_errors() -> None:
    """From now on, print a user's error in one line and exit with its code.

    SIGTERM and SIGHUP end the process as Ctrl-C does. Also refuses keys on the command line that no
    config has. `MEDSEG_DEBUG=1` in the environment keeps tracebacks.
    """
    if os.environ.get("MEDSEG_DEBUG") != "1":
        sys.excepthook = _explain
    end_as_by_ctrl_c()
    escape_missing_letters()
    refuse_lost_keys(sys.argv)


@contextmanager
def excepthook_kept() -> Generator[None]:
    """Restore `sys.excepthook` and signals after a bundle that calls `explain_errors`."""
    hook = sys.excepthook
    try:
        with signals_kept():
            yield
    finally:
        sys.excepthook = hook


def _explain(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    # Python exits with the code of a SystemExit raised by its hook.
    if issubclass(kind, KeyboardInterrupt):
        sys.stderr.write("medseg: interrupted\n")
        raise SystemExit(int(ExitCode.INTERRUPTED))
    users = user_error(error)
    if users is None:
        sys.__excepthook__(kind, error, traceback)
        return
    sys.stderr.write(f"medseg: {printable(str(users))}\n")
    raise SystemExit(int(users.exit_code))
