"""Folder of a study: its file as it was run, and a lock against a second run of it."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from medseg._files import write_atomically
from medseg._locks import locked
from medseg.data.digest import file_sha256
from medseg.errors import UsageError

__all__ = ["study_folder"]


@contextmanager
def study_folder(folder: Path, study: Path) -> Generator[None]:
    """Hold the folder of a study while it runs, with a copy of its file in it.

    Args:
        folder: Output folder.
        study: The study file.

    Raises:
        HeldError: If another process runs a study into it.
        UsageError: At the end, if the file has changed while it ran.
    """
    with locked(folder / ".study.lock", what=str(folder)):
        digest, content = file_sha256(study), study.read_bytes()
        write_atomically(folder / "study.yaml", lambda path: path.write_bytes(content))
        yield
        if not study.exists() or file_sha256(study) != digest:
            raise UsageError(
                f"{study}: was changed while the study ran; what is done is kept, and {folder} is "
                "of the file as it was; start it again to add what is new"
            )
