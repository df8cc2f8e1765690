"""Zip or folder on this machine as the source of a bundle."""

from pathlib import Path

from medseg.data.digest import file_sha256
from medseg.errors import DataError, UsageError
from medseg.sharing.publishing.share_index import INDEX
from medseg.sharing.sources.source import Source

__all__ = ["fetch_path"]


def fetch_path(source: Source, folder: Path) -> Path:
    """Path of a zip or folder; nothing is copied into `folder`.

    Raises:
        UsageError: If there is none, it is a share, or a folder and a digest is asked for.
        DataError: If the zip has another digest.
    """
    del folder
    path = Path(source.text)
    if not path.exists():
        hint = "give a zip, a folder or an address, or the name of a bundle with --from SHARE"
        raise UsageError(f"{source.text}: no such file or folder; {hint}")
    if (path / INDEX).is_file() and not (path / "configs").exists():
        raise UsageError(f"{path}: is a share; name one of its bundles: NAME --from {path}")
    if source.sha256 is None:
        return path
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; a digest (--sha256) is that of a zip")
    found = file_sha256(path)
    if found != source.sha256:
        raise DataError(f"{path}: has SHA-256 {found}, not {source.sha256}; it is another file")
    return path
