"""Silence that threads share: it begins with the first that wants it and ends with the last.

Loggers and warnings are the process's. A thread that put them back as it found them would end the
silence of another, whose library then quotes a patient's name, or leave all silent for good.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager

__all__ = ["shared"]

Silence = Callable[[], AbstractContextManager[None]]


def shared(begin: Silence) -> Silence:
    """A context manager of which one is open however many threads are in it.

    Args:
        begin: Makes it; it may be left by another thread than entered it.
    """
    lock, stack = threading.Lock(), ExitStack()
    inside = 0

    @contextmanager
    def entered() -> Generator[None]:
        nonlocal inside
        with lock:
            if inside == 0:
                stack.enter_context(begin())
            inside += 1
        try:
            yield
        finally:
            with lock:
                inside -= 1
                if inside == 0:
                    stack.close()

    return entered
