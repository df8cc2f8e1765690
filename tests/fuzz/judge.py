"""Verdict on one file: right, refused in one line, or a fault."""

import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from medseg.errors import MedsegError, user_error
from tests.fuzz.target import Facts, Target

__all__ = ["SECONDS", "judge"]

SECONDS = 20
# Longer lines than a terminal shows on one screen are a dump of the file, not a message.
_LONGEST = 2000


class _TooLongError(BaseException):
    """Raised by the alarm; no reader may catch it."""


def judge(target: Target, path: Path) -> str | None:
    """What is wrong with how a file is read; None if nothing is."""
    try:
        with _alarm(SECONDS):
            ours = target.ours(path)
    except _TooLongError:
        return f"takes more than {SECONDS} s"
    except Exception as error:
        return _fault(error)
    if target.independent is None:
        return None
    return _difference(target, path, ours, target.independent)


def _fault(error: Exception) -> str | None:
    """What is wrong with an error; None for one line with an exit code."""
    users = user_error(error)
    if users is None:
        return "".join(traceback.format_exception(error)[-6:])
    text = str(users)
    if "out of memory" in text:
        return f"asks for too much memory: {text}"
    # The command line escapes what else is not printable, such as the letters of a name.
    if not text or len(text) > _LONGEST or "\n" in text:
        return f"is refused, but not in one line: {text[:300]!r}"
    assert isinstance(users, MedsegError)
    assert users.exit_code
    return None


def _difference(
    target: Target, path: Path, ours: Facts, independent: Callable[[Path], Facts]
) -> str | None:
    try:
        with _alarm(SECONDS):
            theirs = independent(path)
    except _TooLongError:
        return None
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        if any(known in text for known, _ in target.stricter):
            return None
        return f"is read, and the independent reader refuses it: {text[-400:]}"
    for name, value in theirs.items():
        if difference := _unequal(ours[name], value):
            return f"is read otherwise than by the independent reader: {name}: {difference}"
    return None


def _unequal(ours: Any, theirs: Any) -> str:
    if not isinstance(theirs, np.ndarray):
        return "" if ours == theirs else f"{ours!r:.200} instead of {theirs!r:.200}"
    if np.shape(ours) != theirs.shape:
        return f"shape {np.shape(ours)} instead of {theirs.shape}"
    if ours.dtype.kind in "iu" and theirs.dtype.kind in "iu":
        return "" if np.array_equal(ours, theirs) else "other whole numbers"
    with np.errstate(all="ignore"):
        # Readers scale in float32 or float64.
        size = np.abs(theirs.astype(float))
        most = size[np.isfinite(size)].max(initial=0.0)
        near = np.allclose(ours, theirs, rtol=1e-5, atol=1e-6 * most, equal_nan=True)
    return "" if near else f"{_first(ours, theirs)}"


def _first(ours: Any, theirs: Any) -> str:
    with np.errstate(all="ignore"):
        at = np.argwhere(~np.isclose(ours, theirs, rtol=1e-5, equal_nan=True))
    if not len(at):
        return "other numbers"
    place = tuple(at[0])
    return f"{ours[place]} instead of {theirs[place]} at {tuple(map(int, place))}"


@contextmanager
def _alarm(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise _TooLongError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
