"""The errors that end a training before its time, each with its exit code."""

from medseg.errors import ExitCode, MedsegError

__all__ = ["TrainingStoppedError"]


class TrainingStoppedError(MedsegError):
    """A training that was told to stop, and can go on where it was."""

    exit_code = ExitCode.INTERRUPTED
