"""Store of installed bundles, in the user's folder, by name, version and digest.

    bundles/NAME/VERSION/DIGEST/installed.json      where it came from and what was found
    bundles/NAME/VERSION/DIGEST/NAME/               the bundle, read-only
    bundles/.staging/                               what is being installed or removed
    bundles/.downloads/                             what was fetched and is not yet installed

A bundle enters and leaves by one rename, so whatever is at its place is whole. Reading needs no
lock, and works on a disk that is read-only.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from medseg._files import write_atomically
from medseg._locks import locked
from medseg._user_folder import user_folder
from medseg.errors import UsageError
from medseg.sharing.store.installed import RECORD, Record, read_record
from medseg.sharing.store.names import Wanted, parse_wanted, version_order
from medseg.sharing.store.staging import staging_folder

__all__ = [
    "Installed",
    "downloads_folder",
    "find_installed",
    "installed_bundles",
    "installed_hint",
    "matching_bundles",
    "place",
    "remove_installed",
    "staging",
    "store_folder",
    "write_record",
]

_DIGITS = 12
# Renames are short; what is fetched and unpacked is not under the lock.
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Installed:
    """An installed bundle.

    Attributes:
        record: What the installation left.
        folder: The bundle's folder.
    """

    record: Record
    folder: Path

    @property
    def name(self) -> str:
        """Name and version, as commands take it."""
        return f"{self.record.name}@{self.record.version}"

    @property
    def full_name(self) -> str:
        """Name, version and digest, for one version that was installed with two contents."""
        return f"{self.name}+{self.record.sha256[:_DIGITS]}"


def store_folder() -> Path:
    """Folder of the store; it need not exist."""
    return user_folder() / "bundles"


def downloads_folder() -> Path:
    """Folder of what was fetched and is not yet installed; it need not exist."""
    return store_folder() / ".downloads"


def staging() -> AbstractContextManager[Path]:
    """See `staging_folder`: a fresh folder on the store's disk."""
    return staging_folder(store_folder() / ".staging")


def installed_bundles(name: str = "*") -> list[Installed]:
    """The installed bundles by name, each name's oldest version first.

    Args:
        name: Of the bundle; all of them by default.

    Raises:
        DataError: If the record of one is damaged.
    """
    store = store_folder()
    found = (_read(path) for path in _records(store, name))
    return sorted((one for one in found if one is not None), key=_order)


def find_installed(text: str) -> Installed:
    """The installed bundle of a name: `NAME` is the newest version, `NAME@1.2.0` that one.

    Raises:
        UsageError: If it is not installed, or that version is with several contents.
        DataError: If its record is damaged.
    """
    there = matching_bundles(text)
    newest = [one for one in there if one.record.version == there[-1].record.version]
    if len(newest) > 1:
        raise UsageError(
            f"{text}: is installed with several contents; use one of "
            f"{', '.join(one.full_name for one in newest)}"
        )
    return newest[0]


def matching_bundles(text: str) -> list[Installed]:
    """The installed bundles that a name may mean, the oldest version first; never none.

    Raises:
        UsageError: If none is installed.
        DataError: If the record of one is damaged.
    """
    wanted = parse_wanted(text)
    there = [] if wanted is None else _matching(wanted)
    if not there:
        raise UsageError(f"{text}: no such bundle is installed; {installed_hint()}")
    return there


def installed_hint() -> str:
    """What is installed, for an error: `installed: a@1.0.0, b@0.2.0`."""
    try:
        names = list(dict.fromkeys(one.name for one in installed_bundles()))
    except ValueError as error:
        return f"the store cannot be read: {error}"
    return f"installed: {', '.join(names)}" if names else "none is installed"


def place(staged: Path, record: Record) -> Installed:
    """Move what was staged into the store.

    Args:
        staged: A folder on the same disk that holds the record and the bundle's folder.
        record: The same record; of a bundle that is there already, only this is renewed.
    """
    final = _folder_of(record)
    with _changes():
        if (final / RECORD).is_file():
            write_record(final, record)
        else:
            final.parent.mkdir(parents=True, exist_ok=True)
            staged.rename(final)
    return Installed(record=record, folder=final / record.name)


def write_record(folder: Path, record: Record) -> None:
    """Write or renew the record of a bundle."""
    text = record.model_dump_json(indent=1)
    write_atomically(folder / RECORD, lambda path: path.write_text(f"{text}\n", encoding="utf-8"))


def remove_installed(chosen: Sequence[Installed]) -> None:
    """Remove bundles from the store; each vanishes in one step.

    Raises:
        OSError: If the store cannot be written to.
    """
    with staging() as staged, _changes():
        for n, one in enumerate(chosen):
            folder = one.folder.parent
            folder.rename(staged / str(n))
            for empty in (folder.parent, folder.parent.parent):
                with suppress(OSError):
                    empty.rmdir()


def _changes() -> AbstractContextManager[None]:
    path = store_folder() / ".lock"
    return locked(path, what=str(store_folder()), patience_seconds=_PATIENCE_SECONDS)


def _matching(wanted: Wanted) -> list[Installed]:
    return [
        one
        for one in installed_bundles(wanted.name)
        if wanted.version in (None, one.record.version)
        and one.record.sha256.startswith(wanted.digest or "")
    ]


def _folder_of(record: Record) -> Path:
    return store_folder() / record.name / record.version / record.sha256[:_DIGITS]


def _records(store: Path, name: str) -> Iterator[Path]:
    for path in store.glob(f"{name}/*/*/{RECORD}"):
        # pathlib's * also finds hidden folders: what is being removed lies in one.
        if not path.relative_to(store).parts[0].startswith("."):
            yield path


def _read(path: Path) -> Installed | None:
    """The installed bundle of a record; None if it was removed meanwhile."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    record = read_record(content, str(path.parent))
    return Installed(record=record, folder=path.parent / record.name)


def _order(one: Installed) -> tuple[str, tuple[tuple[int, ...], str], str]:
    return one.record.name, version_order(one.record.version), one.record.sha256
