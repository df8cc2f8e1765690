"""Errors of the user's in one line, also under `python -m monai.bundle run`.

MONAI wraps an error of a config's component into its own, with a traceback of a hundred
lines around it. A bundle calls `explain_errors` first, in `initialize`; from then on the
error at the bottom is printed as the command line of medseg prints it.
"""

import os
import re
import sys
from types import TracebackType

from medseg.bundles.moved_keys import refuse_lost_keys
from medseg.errors import ExitCode, MedsegError, UsageError, user_error

__all__ = ["explain_errors", "root_error"]

# MONAI's words where a class of ours does not take the values that a config gives it, or what
# it is called with; and the second of them in the text that comes from a loader's worker.
_WRONG_VALUE = re.compile(
    r"(?:Failed to instantiate component '|applying transform <)(medseg\.[\w.]*\.[A-Z]\w*)"
)
_FROM_WORKER = re.compile(
    r"^ValueError: (.+)\n\nThe above exception [^\0]*?applying transform <(medseg\.[\w.]+)", re.M
)


def explain_errors() -> None:
    """Print a user's error in one line and exit with its code, from here on.

    The first such error may be a key on the command line that no config has.

    `MEDSEG_DEBUG=1` in the environment keeps the traceback.
    """
    if os.environ.get("MEDSEG_DEBUG") != "1":
        sys.excepthook = _explain
    refuse_lost_keys(sys.argv)


def root_error(error: BaseException) -> MedsegError | None:
    """The user's error that `error` is or was caused by, if any; a config's wrong value too."""
    return user_error(error) or _wrong_value(error)


def _wrong_value(error: BaseException) -> UsageError | None:
    """A class of ours takes nothing but a config's values, so its ValueError is about them."""
    wrapped: BaseException | None = error
    while wrapped is not None:
        component = _WRONG_VALUE.match(str(wrapped))
        if component and isinstance(wrapped.__cause__, ValueError):
            return UsageError(f"{_public(component[1])}: {wrapped.__cause__}")
        told = _FROM_WORKER.search(str(wrapped))
        if told:
            return UsageError(f"{_public(told[2])}: {told[1]}")
        wrapped = wrapped.__cause__
    return None


def _public(name: str) -> str:
    """As a config names a class: by its package, not by the file."""
    parts = name.split(".")
    return ".".join([*parts[:2], parts[-1]])


def _explain(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    # Python takes the exit code of a SystemExit that its hook raises.
    if issubclass(kind, KeyboardInterrupt):
        sys.stderr.write("medseg: interrupted\n")
        raise SystemExit(int(ExitCode.INTERRUPTED))
    known = root_error(error)
    if known is None:
        sys.__excepthook__(kind, error, traceback)
        return
    sys.stderr.write(f"medseg: {known}\n")
    raise SystemExit(int(known.exit_code))
