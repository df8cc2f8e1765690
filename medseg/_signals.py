"""SIGTERM and SIGHUP end a command as Ctrl-C does: what is done is kept, and nothing left behind.

Schedulers and container engines send SIGTERM shortly before SIGKILL, a terminal that is closed
sends SIGHUP. Trainings handle SIGTERM themselves, see `medseg.training.stop_signals`.
"""

import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["end_as_by_ctrl_c", "signals_kept"]

_NUMBERS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


def end_as_by_ctrl_c() -> None:
    """From now on, raise KeyboardInterrupt at SIGTERM and SIGHUP.

    A signal that is ignored, as by `nohup`, or handled already, is left alone; so are the signals
    of all threads but the main one.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    owner = os.getpid()

    def interrupt(number: int, _: object) -> None:
        if os.getpid() != owner:  # a process that was forked from this one, such as a loader's
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        # A closing terminal sends several; the second would end the cleaning up after the first.
        for each in _NUMBERS:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in _NUMBERS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, interrupt)


@contextmanager
def signals_kept() -> Generator[None]:
    """Restore the handlers of SIGTERM and SIGHUP at the end of a block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _NUMBERS}
    try:
        yield
    finally:
        for number, handler in before.items():
            # None: a handler that was not set from Python, and cannot be.
            if handler is not None:
                signal.signal(number, handler)
