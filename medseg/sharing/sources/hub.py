"""Hugging Face hub as the source of a bundle: `hf://OWNER/NAME@REVISION`."""

import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

from medseg.errors import DataError
from medseg.sharing.publishing.hub import CARD, OWN_FILES, Repository, hub_api, told
from medseg.sharing.sources.download import MOST_BYTES
from medseg.sharing.sources.source import Source

__all__ = ["fetch_hub", "find_hub"]

_COMMIT = re.compile(r"[0-9a-f]{40}", re.ASCII)
_MOST_FILES = 2000


def find_hub(source: Source) -> Source:
    """The commit that a branch or tag is now.

    Raises:
        UsageError: If it is no address of the hub, or a digest is given, which a commit replaces.
        DataError: If it is not there.
        MachineError: If the hub cannot be reached, or huggingface_hub is not installed.
    """
    repository = Repository.parse(source.text)
    api = hub_api(repository)
    with told(repository):
        commit = str(api.model_info(repository.id, revision=repository.revision).sha)
    if _COMMIT.fullmatch(commit) is None:
        raise DataError(f"{repository}: the hub names no commit, but {commit[:60]!r}")
    return Source(
        scheme="hf", text=str(Repository(id=repository.id, revision=commit)), sha256=source.sha256
    )


def fetch_hub(source: Source, folder: Path) -> Path:
    """Download the files of a commit; those that an earlier download got are not read again.

    Args:
        source: As `find_hub` returns it.
        folder: For downloads.

    Returns:
        The bundle's folder, below one of its own in `folder`.

    Raises:
        DataError: If it is too large, or the hub refuses.
        MachineError: If the hub cannot be reached.
        OSError: If the disk is full.
    """
    repository = Repository.parse(source.text)
    api = hub_api(repository)
    own = folder / f"hub-{hashlib.sha256(source.text.encode()).hexdigest()[:16]}"
    target = own / repository.id.partition("/")[2]
    with told(repository):
        info = api.model_info(repository.id, revision=repository.revision, files_metadata=True)
        paths = _paths(repository, info.siblings)
        for path in paths:
            api.hf_hub_download(repository.id, path, revision=repository.revision, local_dir=target)
    # The client's notes of what it has, which are no part of the bundle.
    shutil.rmtree(target / ".cache", ignore_errors=True)
    _remove_the_hubs_own(target)
    return target


def _paths(repository: Repository, siblings: Any) -> list[str]:
    files = list(siblings or [])
    size = sum(int(file.size or 0) for file in files)
    if len(files) > _MOST_FILES or size > MOST_BYTES:
        raise DataError(
            f"{repository}: has {len(files):,} files of {size:,} bytes; at most {_MOST_FILES:,} "
            f"and {MOST_BYTES:,} are taken"
        )
    for file in files:
        parts = str(file.rfilename).split("/")
        if any(part in ("", ".", "..") or "\\" in part or ":" in part for part in parts):
            raise DataError(f"{repository}: has a file {file.rfilename[:100]!r}; not taken")
    return [str(file.rfilename) for file in files]


def _remove_the_hubs_own(target: Path) -> None:
    card = target / "docs" / CARD
    for name in OWN_FILES:
        file = target / name
        is_copy = name != CARD or (
            card.is_file() and file.is_file() and card.read_bytes() == file.read_bytes()
        )
        if is_copy:
            file.unlink(missing_ok=True)
