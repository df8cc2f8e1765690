"""Ledger of a cohort: which cases were predicted, from which inputs, with which outputs.

One SQLite file in the output folder. A case is entered as begun before its first file is written
and as done after its last, so incomplete outputs are recognised after a power cut. SQLite's
rollback journal rather than WAL: a row per case is little to write, and WAL requires all processes
to be on one machine. Each call opens the file anew, since it may come from any thread.
"""

import json
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast, get_args

from medseg._text import printable
from medseg.data.label_kind import LabelKind
from medseg.data.output_names import LEDGER
from medseg.errors import DataError, MachineError

__all__ = ["Entry", "Ledger", "Status"]

Status = Literal["begun", "done", "failed"]

# "mseg": distinguishes the ledger from another program's database of the same name.
_APPLICATION = 0x6D736567
_VERSION = 1
# Other processes lock the file for milliseconds, or longer on a network file system.
_PATIENCE_SECONDS = 60.0
_TABLE = """
create table if not exists cases (
    name text primary key, key text not null, status text not null, content text not null
) without rowid
"""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Ledger entry of one case; it names neither a folder nor a patient.

    Attributes:
        name: Base name of the case's outputs.
        key: Digest of everything that its outputs depend on; empty if none was begun.
        status: Its progress.
        settings: Digest of weights, bundle and options.
        source: The image: base name of its file, or its DICOM series.
        outputs: SHA-256 of each output, by file name.
        columns: Its row in the table of volumes.
        classes: Value, name and codes of each class.
        facts: How a DICOM series was read, e.g. straightened or with gaps filled.
        engine: Engine and precision, e.g. `openvino bf16`.
        created: When it was begun; kept if the case is begun again.
        warnings: What is remarkable about the image, each in one line.
        label_kind: What the label's values mean: classes, or numbers of objects of one class.
        class_names: One for each class, the background's first.
        error: Why it failed.
    """

    name: str
    key: str
    status: Status
    settings: str
    source: str
    outputs: Mapping[str, str] = field(default_factory=dict[str, str])
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    classes: Sequence[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    engine: str | None = None
    created: str | None = None
    warnings: list[str] = field(default_factory=list[str])
    label_kind: LabelKind | None = None
    class_names: list[str] = field(default_factory=list[str])
    error: str | None = None


# What each value of a row has to be.
_KINDS: Mapping[str, Any] = {
    "settings": str,
    "source": str,
    "outputs": dict,
    "columns": dict,
    "classes": list,
    "facts": dict,
    "engine": str | None,
    "created": str | None,
    "warnings": list,
    "label_kind": str | None,
    "class_names": list,
    "error": str | None,
}


class Ledger:
    """The ledger in a folder; the file is created with the first entry."""

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder) / LEDGER

    def exists(self) -> bool:
        """Whether the file exists, perhaps written by another program."""
        return self.path.exists()

    def find(self, name: str) -> Entry | None:
        """The entry of a case, if there is one."""
        if not self.exists():
            return None
        with self._open() as database:
            return next(iter(_entries(database, "where name = ?", name)), None)

    def entries(self) -> tuple[Entry, ...]:
        """All entries, by name."""
        if not self.exists():
            return ()
        with self._open() as database:
            return _entries(database)

    def read_entries(self) -> tuple[Entry, ...]:
        """All entries of a ledger in a folder of images, which is perhaps on a read-only disk.

        Raises:
            DataError: If the file is no ledger, or damaged.
            MachineError: If another process locks it for long.
        """
        if not self.path.is_file():
            raise DataError(f"{self.path}: not a file, so not a ledger")
        uri = f"{self.path.absolute().as_uri()}?mode=ro"
        with self._refusals(), closing(sqlite3.connect(uri, _PATIENCE_SECONDS, uri=True)) as found:
            self._require_ours(found)
            return _entries(found)

    def enter(self, entry: Entry) -> None:
        """Enter a case, replacing an earlier entry of the same name."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as database:
            _put(database, entry)

    def enter_failure(self, entry: Entry) -> None:
        """Enter a case that failed, unless it is done: an earlier run's outputs are still there.

        The key of what was begun is kept, so that its half-written files stay ours to replace.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as database:
            before = next(iter(_entries(database, "where name = ?", entry.name)), None)
            if before is None or before.status != "done":
                _put(database, entry if before is None else replace(entry, key=before.key))

    @contextmanager
    def held(self) -> Generator[tuple[Entry, ...]]:
        """All entries, with the ledger locked for other processes."""
        with self._open() as database:
            yield _entries(database)

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        """Open the file for one exclusive transaction."""
        with self._refusals(), closing(sqlite3.connect(self.path, _PATIENCE_SECONDS)) as database:
            database.isolation_level = None
            database.execute("begin immediate")
            self._prepare(database)
            yield database
            database.execute("commit")

    @contextmanager
    def _refusals(self) -> Generator[None]:
        """Translate SQLite's errors, and those of a row that is not as `enter` writes it."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise MachineError(
                f"{self.path}: {_one_line(error)}; make room or check its permissions, or use "
                "another folder"
            ) from error
        # sqlite3 decodes its own messages, which quote a damaged schema, as UTF-8.
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise DataError(
                f"{self.path}: {_one_line(error)}; move it away, or use another folder"
            ) from error
        except _RowError as error:
            raise DataError(
                f"{self.path}: the row of {printable(str(error))!r} is damaged; move the file "
                "away, or use another folder"
            ) from error

    def _prepare(self, database: sqlite3.Connection) -> None:
        if _first(database, "select count(*) from sqlite_master") == 0:
            database.execute(_TABLE)
            database.execute(f"pragma application_id = {_APPLICATION}")
            database.execute(f"pragma user_version = {_VERSION}")
        else:
            self._require_ours(database)

    def _require_ours(self, database: sqlite3.Connection) -> None:
        marks = [_first(database, f"pragma {name}") for name in ("application_id", "user_version")]
        if marks != [_APPLICATION, _VERSION]:
            raise DataError(
                f"{self.path}: not a ledger of this version of medseg; use another folder"
            )


class _RowError(Exception):
    """A row that cannot be read; the message is its case."""


def _one_line(error: Exception) -> str:
    return printable(" ".join(str(error).split()))[:200]


def _utf8(text: str) -> str:
    return text.encode(errors="replace").decode()


def _put(database: sqlite3.Connection, entry: Entry) -> None:
    content = {k: v for k, v in vars(entry).items() if k not in ("name", "key", "status")}
    # A file name that is not UTF-8 may be quoted in an error.
    text = _utf8(json.dumps(content, ensure_ascii=False))
    row = (_utf8(entry.name), entry.key, entry.status, text)
    database.execute("insert or replace into cases values (?, ?, ?, ?)", row)


def _first(database: sqlite3.Connection, query: str) -> Any:
    return database.execute(query).fetchone()[0]


def _entries(
    database: sqlite3.Connection, order: str = "order by name", *values: str
) -> tuple[Entry, ...]:
    rows = database.execute(f"select name, key, status, content from cases {order}", values)
    return tuple(_entry(*row) for row in rows)


def _entry(name: Any, key: Any, status: Any, content: Any) -> Entry:
    """Entry of a row; keys that a later version has added are left out."""
    try:
        found = cast("dict[str, Any]", json.loads(content))
        known = {key: value for key, value in found.items() if key in _KINDS}
        entry = Entry(name=name, key=key, status=status, **known)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _RowError(str(name)) from error
    sound = all(isinstance(getattr(entry, key), kind) for key, kind in _KINDS.items())
    texts = all(isinstance(text, str) for text in (name, key))
    if not (sound and texts and status in get_args(Status)):
        raise _RowError(str(name))
    return entry
