"""A folder of prepared cases, shared by all trainings of a machine.

An entry is named by the digest of what it was made from, and appears under that name whole or
not at all: it is written into a folder beside and renamed. Runs that make the same entry at the
same time do not disturb each other: the first one's stays. What a killed run leaves is removed
an hour later by the next one.
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
from medseg.data.cases.disk_entry import read_entry, write_entry
from medseg.data.cases.packed import Packed
from medseg.errors import MachineError

__all__ = ["DiskCache"]

logger = logging.getLogger(__name__)

UNFINISHED = ".unfinished-"
# Writing one entry takes seconds; nobody is at work on a folder that was left for an hour.
ABANDONED_SECONDS = 3600
ATTEMPTS = 3
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class DiskCache:
    """Prepared cases by digest."""

    def __init__(self, folder: str | Path | None = None) -> None:
        """Make the folder where it is missing, and remove what killed runs left in it.

        Args:
            folder: Where the entries are; `medseg._files.cache_dir()` where none is given.

        Raises:
            OSError: If the folder cannot be made.
        """
        self.folder = Path(folder) if folder is not None else cache_dir()
        self.folder.mkdir(parents=True, exist_ok=True)
        _sweep(self.folder)

    def find(self, digest: str) -> Packed | None:
        """The case of this digest, opened but not read; none if it is not there or damaged."""
        try:
            return read_entry(self.folder / digest)
        except FileNotFoundError:
            return None
        except ValueError as error:
            logger.warning("%s; the case is prepared anew", error)
            return None

    def keep(self, digest: str, files: Mapping[str, bytes], name: str) -> None:
        """Write an encoded case; one that is there already and whole stays.

        Args:
            digest: Its name.
            files: From `encode_entry`.
            name: What an error calls the case.

        Raises:
            MachineError: If the disk is full.
            OSError: If it cannot be written for another reason.
        """
        with _told_if_full(self.folder, name, files), _unfinished(self.folder) as made:
            write_entry(made, files)
            self._put(made, digest)

    def size(self, digest: str) -> int:
        """Bytes of an entry."""
        return sum(path.stat().st_size for path in (self.folder / digest).iterdir())

    def _put(self, made: Path, digest: str) -> None:
        final = self.folder / digest
        for _ in range(ATTEMPTS):
            with suppress(OSError):
                made.rename(final)
                return
            if self.find(digest) is not None:
                return
            # A damaged one goes out of the way first, as a folder cannot be replaced.
            with _unfinished(self.folder) as aside, suppress(FileNotFoundError):
                final.rename(aside / "damaged")
        made.rename(final)


@contextmanager
def _unfinished(folder: Path) -> Generator[Path]:
    """A folder on the same disk that is gone afterwards, unless it was renamed."""
    made = folder / f"{UNFINISHED}{uuid.uuid4().hex}"
    made.mkdir()
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def _told_if_full(folder: Path, name: str, files: Mapping[str, bytes]) -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        need = sum(map(len, files.values())) / 1e6
        raise MachineError(
            f"{folder}: no room for {name}, which takes {need:.1f} MB; make room, or name another "
            "folder by cache_dir or MEDSEG_CACHE"
        ) from error


def _sweep(folder: Path) -> None:
    for path in folder.glob(f"{UNFINISHED}*"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                logger.info("%s: left by a run that was stopped; removed", path)
                shutil.rmtree(path, ignore_errors=True)
