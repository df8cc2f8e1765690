"""Standard streams that never end a run.

A standard output may be closed, on a full disk, or read by a program that ends early (`| head`),
and its encoding may lack a letter of a file's name. What a run does is in its files, so it goes on.
"""

import errno
import io
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

__all__ = ["escape_missing_letters", "lasting_streams"]

_NAMES = {"stdout": "standard output", "stderr": "standard error"}
# The reader has gone, or the terminal has been closed.
_GONE = (errno.EPIPE, errno.EIO, errno.ECONNRESET, errno.EBADF)


class _Lasting(io.RawIOBase):
    """Passes bytes on until that fails, and then drops them; `error` says why."""

    def __init__(self, stream: TextIO) -> None:
        below = cast("Any", stream.buffer)
        # Kept, as it closes what is below when it goes; with `python -u` nothing is between.
        self._stream = stream
        self.raw: io.RawIOBase = getattr(below, "raw", below)
        self.error: OSError | None = None

    def write(self, data: Any, /) -> int | None:
        """Bytes taken; all of them once writing has failed."""
        if self.error is None:
            try:
                return self.raw.write(data)
            except OSError as error:
                self.error = error
        return memoryview(data).nbytes

    def writable(self) -> bool:
        """As every stream for output."""
        return True

    def fileno(self) -> int:
        """The descriptor below."""
        return self.raw.fileno()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self.raw.isatty()


@contextmanager
def lasting_streams() -> Generator[list[str]]:
    """Replace standard output and error by streams whose errors do not reach the program.

    Streams that are not the process's own, such as those of a test, are left alone.

    Yields:
        Filled when the block ends: why output was lost, for each stream on which nobody chose to
        stop reading, such as a full disk.
    """
    _open_closed_descriptors()
    before = sys.stdout, sys.stderr
    own = {
        name: _lasting(getattr(sys, name) or _of_nobody(name))
        for name in _NAMES
        if getattr(sys, name) is getattr(sys, f"__{name}__")
    }
    for name, stream in own.items():
        setattr(sys, name, stream)
    lost: list[str] = []
    try:
        yield lost
    finally:
        for name, stream in own.items():
            stream.flush()
            error = _below(stream).error
            if error is not None and error.errno not in _GONE:
                lost.append(f"{_NAMES[name]}: {error.strerror}")
        sys.stdout, sys.stderr = before


def escape_missing_letters() -> None:
    r"""Write letters that the encoding of a standard stream lacks as escapes, e.g. `\xfc`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with suppress(ValueError):
                stream.reconfigure(errors="backslashreplace")


def _lasting(stream: TextIO) -> io.TextIOWrapper:
    stream.flush()
    raw = _Lasting(stream)
    unbuffered = raw.raw is cast("Any", stream.buffer)
    return io.TextIOWrapper(
        cast("Any", raw if unbuffered else io.BufferedWriter(raw)),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=cast("io.TextIOWrapper", stream).line_buffering,
        write_through=unbuffered,
    )


def _below(stream: io.TextIOWrapper) -> _Lasting:
    buffer = cast("Any", stream.buffer)
    return buffer if isinstance(buffer, _Lasting) else buffer.raw


def _of_nobody(name: str) -> TextIO:
    """A stream for a descriptor that was closed when Python started, and leads nowhere now."""
    return open(1 if name == "stdout" else 2, "w", encoding="utf-8", closefd=False)


def _open_closed_descriptors() -> None:
    """Open what is closed of 0, 1 and 2: else the next file gets that number, and the output."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The system gives the lowest free number.
            os.open(os.devnull, os.O_RDWR)
