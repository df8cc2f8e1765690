"""Errors that a user can cause, one class per exit code.

A message is one line: what is wrong, where (file, key, case), what to do. The command line prints
it and exits with the class's code. Refusals of the machine during a run (space, permission, memory)
become such a line as well; any other exception is a bug in medseg and shows its traceback.
"""

import errno
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import TypeVar

__all__ = [
    "AlreadyDoneError",
    "DataError",
    "ExitCode",
    "MachineError",
    "ManifestError",
    "MedsegError",
    "NeedsTrustError",
    "RefusedError",
    "TrainingStoppedError",
    "UsageError",
    "caused_by",
    "causes_of",
    "error_of_code",
    "is_out_of_memory",
    "meets_all",
    "unwrap_user_error",
    "user_error",
]


# Whatever is read or written next, it would be refused.
_OF_ALL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE)

_MEMORY = "out of memory; use smaller patches or batches, or a larger machine"
_HANDLES = "raise their limit (ulimit -n 4096), or use fewer num_workers"
_PERMISSIONS = "check the path and its permissions, or use another folder"
_REMEDIES = {
    errno.ENOSPC: "make room, or use another folder",
    errno.EDQUOT: "make room, or use another folder",
    errno.EMFILE: _HANDLES,
    errno.ENFILE: _HANDLES,
    errno.EROFS: "use another folder",
    errno.ENAMETOOLONG: "shorten the name, or use another folder",
}
# What the machine refuses to libraries, which tell it by text alone; the first that fits counts.
_TEXTS = (
    (r"Too many open files|received 0 items of ancdata", f"too many open files; {_HANDLES}"),
    (
        r"shared memory|Bus error",
        "too little shared memory (/dev/shm) for the workers of the data loader; use num_workers=0,"
        " or more of it, such as docker run --shm-size=2g",
    ),
    (
        r"DataLoader worker \(pid.*(is killed by|exited unexpectedly)",
        "a worker of the data loader was killed, most likely for lack of memory; use fewer "
        "num_workers or cache=disk, and continue with start=resume",
    ),
    (
        r"can't start new thread",
        "too many processes and threads; raise their limit (ulimit -u), or use fewer num_workers",
    ),
)

Cause = TypeVar("Cause", bound=BaseException)


class ExitCode(IntEnum):
    """Exit codes of the process; 75 is BSD's EX_TEMPFAIL."""

    DONE = 0
    SOME_CASES_FAILED = 1
    USAGE = 2
    DATA = 3
    ENVIRONMENT = 4
    NEEDS_TRUST = 10
    REFUSED = 11
    INTERRUPTED = 75


class MedsegError(ValueError):
    """Base class of errors that the user can fix; the message says how."""

    exit_code = ExitCode.USAGE


class UsageError(MedsegError):
    """A wrong option, key, name or value on the command line or in a config."""

    exit_code = ExitCode.USAGE


class DataError(MedsegError):
    """An image, a label or a folder that cannot be used."""

    exit_code = ExitCode.DATA


class ManifestError(DataError):
    """An invalid data manifest."""


class MachineError(MedsegError):
    """The machine lacks something: a device, space, a package."""

    exit_code = ExitCode.ENVIRONMENT


class NeedsTrustError(MedsegError):
    """A bundle, a config or a value could run code, and this user has not trusted it."""

    exit_code = ExitCode.NEEDS_TRUST


class RefusedError(MedsegError):
    """A bundle, a config or a value that no trust suffices for."""

    exit_code = ExitCode.REFUSED


class TrainingStoppedError(MedsegError):
    """A training was stopped by a signal, and can be resumed."""

    exit_code = ExitCode.INTERRUPTED


class AlreadyDoneError(MedsegError):
    """Nothing is left to do, and the folder cannot be written to: no failure."""

    exit_code = ExitCode.DONE


def error_of_code(code: int | None) -> type[MedsegError]:
    """Class of the errors with an exit code, such as a job's; `MachineError` for any other."""
    kinds = (
        UsageError, DataError, MachineError, NeedsTrustError, RefusedError, TrainingStoppedError,
    )  # fmt: skip
    return next((kind for kind in kinds if kind.exit_code == code), MachineError)


def user_error(error: BaseException) -> MedsegError | None:
    """The error to show to the user, found among an error and its causes.

    Args:
        error: The caught error, perhaps wrapped by a library (`raise ... from ...`).

    Returns:
        The `MedsegError` that `error` is or was caused by; a `MachineError` if the machine refused
        something; None for a bug.
    """
    causes = list(causes_of(error))
    ours = next((cause for cause in causes if isinstance(cause, MedsegError)), None)
    if ours is not None:
        return _as_in_its_worker(ours)
    told = (_of_worker(cause) or _refusal(cause) for cause in causes)
    return next(filter(None, told), None)


@contextmanager
def unwrap_user_error() -> Generator[None]:
    """Raise a user's error that a library has wrapped without the wrapping.

    Raises:
        MedsegError: In place of an exception caused by it, see `user_error`.
    """
    try:
        yield
    except Exception as error:
        users = user_error(error)
        if users is None or users is error:
            raise
        raise users from error


def caused_by(error: BaseException, kind: type[Cause]) -> Cause | None:
    """The first of an error and its causes that is an instance of `kind`, or None."""
    return next((cause for cause in causes_of(error) if isinstance(cause, kind)), None)


def meets_all(error: BaseException) -> bool:
    """Whether the machine would refuse the next case as well: a full disk, too many open files."""
    refused = caused_by(error, OSError)
    return refused is not None and refused.errno in _OF_ALL


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means out of memory: Python's, torch's or a library's below it."""
    # By name and text, so that a command need not import torch. oneDNN says "could not create a
    # primitive" when it gets no memory for one, and C++ "bad_alloc".
    texts = r"can't allocate memory|could not create a (primitive|memory)\b(?! desc)|bad.alloc"
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or re.search(texts, str(error)) is not None
    )


def _as_in_its_worker(error: MedsegError) -> MedsegError:
    """Restore the message of a worker's error, which torch's loader replaces by a traceback."""
    text = str(error)
    if not re.match(r"Caught \w+ in DataLoader worker", text):
        return error
    return type(error)(text.strip().splitlines()[-1].partition(": ")[2])


def _of_worker(error: BaseException) -> MedsegError | None:
    """The error of ours in the traceback as text that torch's loader makes of a worker's causes."""
    text = str(error)
    if not re.match(r"Caught \w+ in DataLoader worker", text):
        return None
    found = re.search(r"^medseg\.[\w.]+\.(\w+Error): (.+)$", text, re.MULTILINE)
    if found is None:
        return None
    kinds = (UsageError, ManifestError, MachineError)
    kind = next((kind for kind in kinds if kind.__name__ == found[1]), DataError)
    return kind(found[2])


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its causes, the outermost first."""
    # An error raised while another was handled (`__context__`) is a bug in the handling.
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__


def _refusal(error: BaseException) -> MachineError | None:
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        remedy = _REMEDIES.get(error.errno or 0, _PERMISSIONS)
        return MachineError(f"{where}{error.strerror}; {remedy}")
    text = str(error)
    for pattern, line in _TEXTS:
        if re.search(pattern, text):
            return MachineError(line)
    return MachineError(_MEMORY) if is_out_of_memory(error) else None
