"""Record SIGTERM instead of dying; schedulers send it shortly before SIGKILL."""

import signal
import threading
from typing import Any

__all__ = ["Sigterm"]


class Sigterm:
    """Signal handler that records whether SIGTERM came.

    Only a process's main thread can listen; in other threads the signal keeps its effect.
    """

    def __init__(self) -> None:
        self.came = False
        self._before: Any = None

    def listen(self) -> None:
        """Record the signal from now on."""
        self.came = False
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._note)

    def leave(self) -> None:
        """Restore the previous signal handler."""
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)
            self._before = None

    def _note(self, *_: object) -> None:
        self.came = True
