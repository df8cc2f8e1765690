"""Ledger: rows and bytes of an SQLite file, held against SQLite and JSON."""

import json
import sqlite3
import tempfile
from functools import cache
from pathlib import Path
from random import Random

from medseg.data.output_names import LEDGER as FILE
from medseg.prediction.ledger import Entry, Ledger
from tests.fuzz.mutation import mutate_bytes, mutate_text, odd_number
from tests.fuzz.target import Facts, Target


@cache
def corpus() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(folder)
        for number, status in enumerate(("begun", "done", "failed")):
            ledger.enter(
                Entry(
                    name=f"case_{number}",
                    key="0" * 64,
                    status=status,
                    settings="1" * 64,
                    source=f"case_{number}.nii.gz",
                    outputs={f"case_{number}_seg.nii.gz": "2" * 64},
                    columns={"lung_ml": "12.5"},
                    class_names=["background", "lung"],
                    label_kind="classes",
                )
            )
        return {FILE: (Path(folder) / FILE).read_bytes()}


def mutate(rng: Random, data: bytes) -> bytes:
    if rng.random() < 0.4:
        return mutate_bytes(rng, data, head=100 if rng.random() < 0.5 else len(data))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        path.write_bytes(data)
        database = sqlite3.connect(path)
        # It is thrown away.
        database.execute("pragma synchronous = off")
        column = rng.choice(("name", "key", "status", "content", "content", "content"))
        row = f"case_{rng.randrange(3)}"
        (old,) = database.execute(f"select {column} from cases where name = ?", (row,)).fetchone()
        new = rng.choice(
            (
                mutate_text(rng, old.encode()).decode("utf-8", "replace"),
                mutate_text(rng, old.encode()),
                "",
                odd_number(rng) % 2**62,
                1.5,
            )
        )
        database.execute(f"update or replace cases set {column} = ? where name = ?", (new, row))
        if rng.random() < 0.1:
            database.execute(f"pragma user_version = {rng.randrange(5)}")
        database.commit()
        database.close()
        return path.read_bytes()


def ours(path: Path) -> Facts:
    ledger = Ledger(path.parent)
    entries = ledger.read_entries()
    if entries != ledger.entries():
        raise AssertionError("two ways of reading differ")
    return {"rows": [(one.name, one.key, one.status, one.source) for one in entries]}


def independent(path: Path) -> Facts:
    database = sqlite3.connect(path)
    rows = database.execute("select name, key, status, content from cases order by name").fetchall()
    database.close()
    return {
        "rows": [
            (name, key, status, json.loads(text)["source"]) for name, key, status, text in rows
        ]
    }


LEDGER = Target(name="ledger", corpus=corpus, mutate=mutate, ours=ours, independent=independent)
