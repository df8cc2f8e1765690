"""The errors a user can cause, one class for each exit code.

A message is one line: what is wrong, where (file, key, case), what to do. The command
line prints it as it is and exits with the class's code; everything else is a bug of
medseg's and shows its traceback.
"""

from enum import IntEnum

__all__ = [
    "DataError",
    "ExitCode",
    "MachineError",
    "ManifestError",
    "MedsegError",
    "UsageError",
]


class ExitCode(IntEnum):
    """What the process says when it ends; 75 is BSD's EX_TEMPFAIL."""

    DONE = 0
    SOME_CASES_FAILED = 1
    USAGE = 2
    DATA = 3
    ENVIRONMENT = 4
    INTERRUPTED = 75


class MedsegError(ValueError):
    """Something the user can mend; the message says how."""

    exit_code = ExitCode.USAGE


class UsageError(MedsegError):
    """A wrong option, key, name or value on the command line."""

    exit_code = ExitCode.USAGE


class DataError(MedsegError):
    """An image, a label or a folder that cannot be used as it is."""

    exit_code = ExitCode.DATA


class ManifestError(DataError):
    """A data manifest that breaks its own rules."""


class MachineError(MedsegError):
    """The machine lacks something: a device, space, a package."""

    exit_code = ExitCode.ENVIRONMENT
