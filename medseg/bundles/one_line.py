"""One-line user errors under `python -m monai.bundle run`.

MONAI wraps an error of a config's component into its own, with a traceback of a hundred lines. A
bundle calls `explain_errors` first, in `initialize`; from then on only the original error is
printed, as medseg's command line does.
"""

import logging
import os
import sys
import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType

from medseg._quiet import quiet_warnings
from medseg._signals import end_as_by_ctrl_c, signals_kept
from medseg._streams import escape_missing_letters
from medseg._text import printable
from medseg.bundles.complaints import users_error
from medseg.bundles.monai_line import is_of_monai
from medseg.bundles.moved_keys import refuse_lost_keys
from medseg.errors import ExitCode

__all__ = ["excepthook_kept", "explain_errors"]

# MONAI builds every reader it knows, and tells that one of them lacks a decoder of NVIDIA.
UNUSED_READER = "NvImgCodecPydicomReader: "


def explain_errors() -> None:
    """From now on, print a user's error in one line and exit with its code.

    SIGTERM and SIGHUP end the process as Ctrl-C does. Also refuses keys on the command line that no
    config has. `MEDSEG_DEBUG=1` in the environment keeps tracebacks.

    Only in a process of `python -m monai.bundle`: one that goes on when the bundle is done, such as
    a notebook or a server, keeps its own hooks and signals.
    """
    if not is_of_monai(sys.argv):
        return
    if os.environ.get("MEDSEG_DEBUG") != "1":
        sys.excepthook = _explain
        threading.excepthook = _explain_in_thread
        for logger in _repeating():
            logger.addFilter(_is_no_repeat)
    end_as_by_ctrl_c()
    escape_missing_letters()
    warnings.filterwarnings("ignore", message=UNUSED_READER)
    refuse_lost_keys(sys.argv)


@contextmanager
def excepthook_kept() -> Generator[None]:
    """Restore `sys.excepthook` and signals after a bundle that calls `explain_errors`.

    Meanwhile neither MONAI's warning of a reader that nothing uses is shown, nor the errors that
    engines log before they raise them.
    """
    hooks = sys.excepthook, threading.excepthook
    repeating = _repeating()
    try:
        for logger in repeating:
            logger.addFilter(_is_no_repeat)
        with signals_kept(), quiet_warnings(UNUSED_READER):
            yield
    finally:
        for logger in repeating:
            logger.removeFilter(_is_no_repeat)
        sys.excepthook, threading.excepthook = hooks


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
    sys.stderr.write(f"medseg: {printable(str(users))}\n")
    raise SystemExit(int(users.exit_code))


def _explain_in_thread(raised: threading.ExceptHookArgs) -> None:
    # TensorBoard's writer keeps what its thread met, and raises it at the next call.
    if type(raised.thread).__name__ != "_AsyncWriterThread":
        threading.__excepthook__(raised)


def _repeating() -> list[logging.Logger]:
    """The loggers by which ignite and MONAI log an error, with its traceback, before raising it."""
    engines = ("SupervisedTrainer", "SupervisedEvaluator")
    names = [*(f"ignite.engine.engine.{engine}" for engine in engines), "dev_collate"]
    return [logging.getLogger(name) for name in names]


def _is_no_repeat(record: logging.LogRecord) -> bool:
    return record.name != "dev_collate" and "terminating due to exception" not in str(record.msg)
