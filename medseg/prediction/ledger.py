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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

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
        key: Digest of everything that its outputs depend on.
        status: Its progress.
        settings: Digest of weights, bundle and options.
        source: The image: base name of its file, or its DICOM series.
        outputs: SHA-256 of each output, by file name.
        columns: Its row in the table of volumes.
        classes: Value, name and codes of each class.
        facts: How a DICOM series was read, e.g. straightened or with gaps filled.
        engine: Engine and precision, e.g. `openvino bf16`.
        created: When it was begun; kept if the case is begun again.
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
    error: str | None = None


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

    def enter(self, entry: Entry) -> None:
        """Enter a case, replacing an earlier entry of the same name."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        content = {k: v for k, v in vars(entry).items() if k not in ("name", "key", "status")}
        text = json.dumps(content, ensure_ascii=False)
        row = (entry.name, entry.key, entry.status, text)
        with self._open() as database:
            database.execute("insert or replace into cases values (?, ?, ?, ?)", row)

    @contextmanager
    def held(self) -> Generator[tuple[Entry, ...]]:
        """All entries, with the ledger locked for other processes."""
        with self._open() as database:
            yield _entries(database)

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        """Open the file for one exclusive transaction."""
        try:
            with closing(sqlite3.connect(self.path, _PATIENCE_SECONDS)) as database:
                database.isolation_level = None
                database.execute("begin immediate")
                self._prepare(database)
                yield database
                database.execute("commit")
        except sqlite3.OperationalError as error:
            raise MachineError(
                f"{self.path}: {error}; make room or check its permissions, or use another folder"
            ) from error
        except sqlite3.DatabaseError as error:
            raise DataError(f"{self.path}: {error}; move it away, or use another folder") from error

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
            raise DataError(
                f"{self.path}: not a ledger of this version of medseg; use another folder"
            )


def _entries(
    database: sqlite3.Connection, order: str = "order by name", *values: str
) -> tuple[Entry, ...]:
    rows = database.execute(f"select name, key, status, content from cases {order}", values)
    return tuple(
        Entry(name=name, key=key, status=status, **cast("dict[str, Any]", json.loads(content)))
        for name, key, status, content in rows
    )
