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

from medseg.bundles.complaints import users_error
from medseg.bundles.moved_keys import refuse_lost_keys
from medseg.errors import ExitCode

__all__ = ["excepthook_kept", "explain_errors"]


def explain_errors() -> None:
    """From now on, print a user's error in one line and exit with its code.

    Also refuses keys on the command line that no config has. `MEDSEG_DEBUG=1` in the environment
    keeps tracebacks.
    """
    if os.environ.get("MEDSEG_DEBUG") != "1":
        sys.excepthook = _explain
    refuse_lost_keys(sys.argv)


@contextmanager
def excepthook_kept() -> Generator[None]:
    """Restore `sys.excepthook` after a bundle that calls `explain_errors`."""
    hook = sys.excepthook
    try:
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
    users = users_error(error)
    if users is None:
        sys.__excepthook__(kind, error, traceback)
        return
    sys.stderr.write(f"medseg: {users}\n")
    raise SystemExit(int(users.exit_code))
