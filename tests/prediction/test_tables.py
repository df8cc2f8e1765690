"""The running table: up to date, and not read more often than a cohort can bear."""

import sqlite3

import pytest

from medseg.prediction.ledger import Entry, Ledger
from medseg.prediction.tables import RunningTable, write_volumes


def entry(name, status="done"):
    columns = {"lung_ml": "1.0"} if status == "done" else {}
    return Entry(
        name=name, key="k", status=status, settings="s", source=f"{name}.nii.gz", columns=columns
    )


class Rows:
    """Counts the rows that are read of any database."""

    def __init__(self, monkeypatch):
        self.read = 0
        connect = sqlite3.connect

        def counting(*arguments):
            database = connect(*arguments)
            database.row_factory = self._counted
            return database

        monkeypatch.setattr(sqlite3, "connect", counting)

    def _counted(self, _, row):
        self.read += 1
        return row


def cohort(folder, rows, cases):
    """Case after case, a second each, where reading a row takes ten milliseconds; rows read."""
    ledger, before, seconds = Ledger(folder), rows.read, 0.0
    table = RunningTable(ledger, lambda: seconds + (rows.read - before) / 100)
    for number in range(cases):
        name = f"{number:04d}"
        assert ledger.find(name) is None
        ledger.enter(entry(name, "begun"))
        assert ledger.find(name).status == "begun"
        ledger.enter(entry(name))
        seconds += 1
        table.renew()
    write_volumes(ledger)
    return rows.read - before


def test_rows_read_grow_with_a_cohort_and_not_with_its_square(tmp_path, monkeypatch):
    rows = Rows(monkeypatch)
    few = cohort(tmp_path / "few", rows, 100)
    many = cohort(tmp_path / "many", rows, 400)
    # Some rows a connection tell whose database it is; a table after every case reads 16 times.
    assert many < 6 * few
    assert many < 100 * 400


@pytest.mark.parametrize(("seconds", "written"), [(0, False), (4, False), (6, True)])
def test_the_table_is_written_after_a_few_seconds(seconds, written, tmp_path):
    now = 0.0
    ledger = Ledger(tmp_path)
    table = RunningTable(ledger, lambda: now)
    ledger.enter(entry("a"))
    now += seconds
    table.renew()
    assert (tmp_path / "volumes.csv").exists() == written
    if written:
        assert "a,1.0" in (tmp_path / "volumes.csv").read_text()
