"""The ledger of a cohort: which case was predicted from what, and what was written.

One SQLite file in the output folder. A case is entered as begun before its first file appears
and as done after its last: after a power cut it is known whose half-finished work lies there.
SQLite's plain journal rather than WAL, since a row a case is little, and WAL needs all processes
on one machine. Each call opens the file anew: it may come from any thread.
"""

import json
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from medseg.data.output_names import LEDGER
from medseg.errors import DataError, MachineError

__all__ = ["Entry", "Ledger", "Status"]

Status = Literal["begun", "done", "failed"]

# "mseg": tells another program's database of the same name.
_APPLICATION = 0x6D736567
_VERSION = 1
# Others hold the file for milliseconds; a disk that is shared over a network for longer.
_PATIENCE_SECONDS = 60.0
_TABLE = """
create table if not exists cases (
    name text primary key, key text not null, status text not null, content text not null
) without rowid
"""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One case; nothing in it names a folder or a patient.

    Attributes:
        name: Names the case's outputs.
        key: Digest of all that its outputs depend on.
        status: How far it came.
        settings: Digest of weights, bundle and options.
        source: The image: base name of its file, or its DICOM series.
        outputs: SHA-256 by file name.
        columns: Its row of the table of volumes.
        facts: What was done to a DICOM series.
        engine: What computed it, e.g. `openvino bf16`.
        created: When it was begun; a case that is begun again keeps it.
        error: Why it failed.
    """

    name: str
    key: str
    status: Status
    settings: str
    source: str
    outputs: Mapping[str, str] = field(default_factory=dict[str, str])
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    engine: str | None = None
    created: str | None = None
    error: str | None = None


class Ledger:
    """The ledger in a folder; the file is made at the first entry."""

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder) / LEDGER

    def exists(self) -> bool:
        """Whether there is a file, of whatever program."""
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

    def enter(self, entry: Entry) -> None:
        """Enter a case, in place of an earlier entry of its name."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        content = {k: v for k, v in vars(entry).items() if k not in ("name", "key", "status")}
        text = json.dumps(content, ensure_ascii=False)
        row = (entry.name, entry.key, entry.status, text)
        with self._open() as database:
            database.execute("insert or replace into cases values (?, ?, ?, ?)", row)

    @contextmanager
    def held(self) -> Generator[tuple[Entry, ...]]:
        """All entries, while no other process can enter one or hold the ledger itself."""
        with self._open() as database:
            yield _entries(database)

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        """A transaction of its own, alone on the file."""
        try:
            with closing(sqlite3.connect(self.path, _PATIENCE_SECONDS)) as database:
                database.isolation_level = None
                database.execute("begin immediate")
                self._prepare(database)
                yield database
                database.execute("commit")
        except sqlite3.OperationalError as error:
            raise MachineError(
                f"{self.path}: {error}; make room or check its permissions, or name another folder"
            ) from error
        except sqlite3.DatabaseError as error:
            raise DataError(
                f"{self.path}: {error}; move it away, or name another folder"
            ) from error

    def _prepare(self, database: sqlite3.Connection) -> None:
        ours, version, tables = (
            database.execute(query).fetchone()[0]
            for query in (
                "pragma application_id",
                "pragma user_version",
                "select count(*) from sqlite_master",
            )
        )
        if tables == 0:
            database.execute(_TABLE)
            database.execute(f"pragma application_id = {_APPLICATION}")
            database.execute(f"pragma user_version = {_VERSION}")
        elif (ours, version) != (_APPLICATION, _VERSION):
            raise DataError(f"{self.path}: no ledger of this medseg; name another folder")


def _entries(
    database: sqlite3.Connection, order: str = "order by name", *values: str
) -> tuple[Entry, ...]:
    rows = database.execute(f"select name, key, status, content from cases {order}", values)
    return tuple(
        Entry(name=name, key=key, status=status, **cast("dict[str, Any]", json.loads(content)))
        for name, key, status, content in rows
    )
