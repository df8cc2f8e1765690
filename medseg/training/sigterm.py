"""SIGTERM as a wish that is noted: what a scheduler sends some time before it kills."""

import signal
import threading
from typing import Any

__all__ = ["Sigterm"]


class Sigterm:
    """Whether the signal came while it was listened for.

    Only a process's main thread can listen; in another, the signal does what it did.
    """

    def __init__(self) -> None:
        self.came = False
        self._before: Any = None

    def listen(self) -> None:
        """Note the signal from now on."""
        self.came = False
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._note)

    def leave(self) -> None:
        """Let the signal do again what it did."""
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)
            self._before = None

    def _note(self, *_: object) -> None:
        self.came = True
