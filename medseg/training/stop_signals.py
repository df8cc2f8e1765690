"""Record SIGTERM and Ctrl-C instead of dying at once, so that the running step can be kept.

Schedulers send SIGTERM shortly before SIGKILL, a terminal sends SIGINT at Ctrl-C. Whoever presses
it a second time does not want to wait, and gets the interrupt that Python has for it.
"""

import logging
import os
import signal
import threading
from typing import Any, Literal

__all__ = ["StopSignals"]

logger = logging.getLogger(__name__)

Came = Literal["", "SIGTERM", "Ctrl-C"]


class StopSignals:
    """Signal handlers that record which signal came.

    Only a process's main thread can listen; in other threads the signals keep their effect, as
    does a SIGINT that is ignored, as by `nohup`.

    Attributes:
        came: The signal that came, or an empty text.
    """

    def __init__(self) -> None:
        self.came: Came = ""
        self._owner = os.getpid()
        self._before: dict[signal.Signals, Any] = {}

    def listen(self) -> None:
        """Record the signals from now on."""
        self.came = ""
        self._owner = os.getpid()
        if threading.current_thread() is not threading.main_thread():
            return
        self._before = {signal.SIGTERM: signal.signal(signal.SIGTERM, self._terminate)}
        if callable(signal.getsignal(signal.SIGINT)):
            self._before[signal.SIGINT] = signal.signal(signal.SIGINT, self._interrupt)

    def leave(self) -> None:
        """Restore the previous signal handlers."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _terminate(self, *_: object) -> None:
        self.came = "SIGTERM"

    def _interrupt(self, *_: object) -> None:
        if os.getpid() != self._owner:
            # A loader's worker, which was forked: its parent ends it.
            return
        # Under torchrun each process gets the terminal's signal, and torchrun's own after it.
        if self.came == "Ctrl-C" and "LOCAL_RANK" not in os.environ:
            raise KeyboardInterrupt
        self.came = "Ctrl-C"
        logger.info(
            "Ctrl-C: the running step or validation is finished and saved; a second one ends at "
            "once, without"
        )
