"""Claims: which process predicts a case into a folder now.

Shares of a cohort have one output folder, on several machines too, so a claim is of a case, not of
the folder. Two runs over the same cases share them: each leaves out what the other is at.
"""

import errno
from contextlib import suppress
from pathlib import Path

from medseg._locks import Lock, acquire, remove_unheld
from medseg.errors import user_error

__all__ = ["Claims"]

_ENDING = ".medseg-lock"


class Claims:
    """The cases of an output folder that this process has claimed.

    Args:
        folder: The output folder; made by the first claim, and removed if it stays empty.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._is_new = not folder.exists()
        self._locks: dict[str, Lock] = {}
        remove_unheld(folder, f".*{_ENDING}")

    def claim(self, name: str) -> None:
        """Claim a case by the base name of its outputs.

        Raises:
            HeldError: If another process has claimed it.
            MachineError: If the folder cannot be written to.
        """
        try:
            self._locks[name] = acquire(
                self._folder / f".{name}{_ENDING}", what=f"{self._folder / name}_*"
            )
        except OSError as error:
            # A name that is too long for this disk is the case's trouble alone.
            refused = None if error.errno == errno.ENAMETOOLONG else user_error(error)
            raise refused or error from error

    def release(self, name: str) -> None:
        """Give a claim back; does nothing if there is none."""
        lock = self._locks.pop(name, None)
        if lock is not None:
            lock.release()

    def close(self) -> None:
        """Give all claims back."""
        for name in list(self._locks):
            self.release(name)
        if self._is_new:
            with suppress(OSError):
                self._folder.rmdir()
