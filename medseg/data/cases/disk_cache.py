"""Disk cache of prepared cases, shared by all trainings of a machine.

An entry is named by the digest of its sources, and appears under that name whole or not at all: it
is written to a temporary folder and renamed. Runs that make the same entry concurrently do not
disturb each other: the first one's is kept. What a killed run leaves is removed an hour later by
the next run.
"""

import errno
import logging
import shutil
import time
import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from medseg._files import cache_dir
from medseg.data.cases.disk_entry import Check, read_entry, write_entry
from medseg.data.cases.packed import Packed
from medseg.errors import MachineError

__all__ = ["DiskCache"]

logger = logging.getLogger(__name__)

UNFINISHED = ".unfinished-"
# Writing an entry takes seconds, so a temporary folder of an hour ago is abandoned.
ABANDONED_SECONDS = 3600
ATTEMPTS = 3
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class DiskCache:
    """Prepared cases by digest."""

    def __init__(self, folder: str | Path | None = None) -> None:
        """Create the folder if it is missing, and remove the remains of killed runs.

        Args:
            folder: Folder of the entries; None is `medseg._files.cache_dir()`.

        Raises:
            OSError: If the folder cannot be created.
        """
        self.folder = Path(folder) if folder is not None else cache_dir()
        self.folder.mkdir(parents=True, exist_ok=True)
        _sweep(self.folder)

    def find(self, digest: str, check: Check = "content") -> Packed | None:
        """Open the case of this digest; None if it is missing or damaged.

        Args:
            digest: Name of the entry.
            check: Whether its files are read and checked, or only their sizes compared.
        """
        try:
            return read_entry(self.folder / digest, check)
        except FileNotFoundError:
            return None
        except ValueError as error:
            logger.warning("%s; the case is prepared anew", error)
            return None

    def keep(self, digest: str, files: Mapping[str, bytes], name: str) -> None:
        """Write an encoded case; an existing entry that is whole is kept.

        Args:
            digest: Name of the entry.
            files: From `encode_entry`.
            name: Name of the case, for errors.

        Raises:
            MachineError: If the disk is full.
            OSError: If it cannot be written for another reason.
        """
        with _report_full_disk(self.folder, name, files), _unfinished(self.folder) as temporary:
            write_entry(temporary, files)
            self._put(temporary, digest)

    def size(self, digest: str) -> int:
        """Bytes of an entry."""
        return sum(path.stat().st_size for path in (self.folder / digest).iterdir())

    def _put(self, temporary: Path, digest: str) -> None:
        final = self.folder / digest
        for _ in range(ATTEMPTS):
            with suppress(OSError):
                temporary.rename(final)
                return
            if self.find(digest) is not None:
                return
            # Move a damaged entry away first, as a rename cannot replace a folder with content.
            with _unfinished(self.folder) as aside, suppress(FileNotFoundError):
                final.rename(aside / "damaged")
        temporary.rename(final)


@contextmanager
def _unfinished(folder: Path) -> Generator[Path]:
    """A temporary folder on the same disk, removed afterwards unless it was renamed."""
    temporary = folder / f"{UNFINISHED}{uuid.uuid4().hex}"
    temporary.mkdir()
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _report_full_disk(folder: Path, name: str, files: Mapping[str, bytes]) -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        need = sum(map(len, files.values())) / 1e6
        raise MachineError(
            f"{folder}: no space for {name}, which takes {need:.1f} MB; free some space, or set "
            "another folder by cache_dir or MEDSEG_CACHE"
        ) from error


def _sweep(folder: Path) -> None:
    for path in folder.glob(f"{UNFINISHED}*"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                logger.info("%s: left by a run that was stopped; removed", path)
                shutil.rmtree(path, ignore_errors=True)
