"""What the ledger keeps, for itself and against others."""

import multiprocessing
import sqlite3
from dataclasses import fields, replace

import pytest

from medseg.errors import DataError, MedsegError
from medseg.prediction.ledger import Entry, Ledger


def entry(name, status="done", **more):
    return Entry(name=name, key="k", status=status, settings="s", source=f"{name}.nii.gz", **more)


def test_an_entry_comes_back_as_it_was_and_the_last_one_counts(tmp_path):
    ledger = Ledger(tmp_path / "out")
    assert ledger.entries() == ()
    assert not ledger.exists()
    ledger.enter(entry("b", "begun", created="2026-01-01T00:00:00"))
    done = entry(
        "b", outputs={"b_seg.nii.gz": "ab"}, columns={"l\u00fcng_ml": "1.0"}, facts={"x": [1]}
    )
    ledger.enter(done)
    ledger.enter(entry("a", "failed", error="why"))
    assert ledger.find("b") == done
    assert ledger.find("c") is None
    assert [one.name for one in Ledger(tmp_path / "out").entries()] == ["a", "b"]


def test_everything_that_an_entry_can_hold_comes_back(tmp_path):
    texts = {one.name: f"some {one.name}" for one in fields(Entry)}
    full = Entry(
        **{
            **texts,
            "status": "done",
            "outputs": {"a_seg.nii.gz": "ab"},
            "columns": {"lung_ml": "1.0"},
            "classes": [{"value": 0, "name": "background"}],
            "facts": {"gaps": [1]},
            "warnings": ["image: is odd"],
            "class_names": ["background", "lung"],
        }
    )
    Ledger(tmp_path).enter(full)
    assert Ledger(tmp_path).find(full.name) == full
    assert None not in vars(full).values()


def test_a_failure_replaces_no_outputs_and_keeps_the_key_of_what_was_begun(tmp_path):
    ledger = Ledger(tmp_path)
    for name, status in (("done", "done"), ("begun", "begun")):
        ledger.enter(entry(name, status))
        ledger.enter_failure(replace(entry(name, "failed"), key=""))
    ledger.enter_failure(replace(entry("new", "failed"), key=""))
    found = {one.name: (one.status, one.key) for one in ledger.entries()}
    assert found == {"done": ("done", "k"), "begun": ("failed", "k"), "new": ("failed", "")}


def test_what_is_entered_is_on_disk_and_no_journal_is_left(tmp_path):
    Ledger(tmp_path).enter(entry("a"))
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.sqlite"]


@pytest.mark.parametrize("content", [b"no database at all, but as long as a header\n" * 9, None])
def test_a_file_of_another_program_is_refused_and_kept(content, tmp_path):
    ledger = Ledger(tmp_path)
    if content is None:
        with sqlite3.connect(ledger.path) as database:
            database.execute("create table cases (mine text)")
        database.close()
    else:
        ledger.path.write_bytes(content)
    before = ledger.path.read_bytes()
    with pytest.raises(DataError, match=r"ledger\.sqlite: .*use another folder"):
        ledger.enter(entry("a"))
    assert ledger.path.read_bytes() == before


def enter_many(folder, start, names):
    start.wait()
    for name in names:
        Ledger(folder).enter(entry(name))
        with Ledger(folder).held():
            pass


def test_processes_that_write_at_once_lose_nothing(tmp_path):
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(2)
    shares = [[f"{i}-{n}" for n in range(40)] for i in range(2)]
    processes = [
        context.Process(target=enter_many, args=(tmp_path, start, names)) for names in shares
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert {one.name for one in Ledger(tmp_path).entries()} == {*shares[0], *shares[1]}


@pytest.mark.parametrize("damage", [b"`", b"\xff"])
def test_a_damaged_schema_is_one_line(tmp_path, damage):
    ledger = Ledger(tmp_path)
    ledger.enter(entry("a"))
    content = ledger.path.read_bytes()
    assert content.count(b"key text") == 1
    ledger.path.write_bytes(content.replace(b"key text", b"key" + damage + b"text"))
    with pytest.raises(MedsegError, match="or use another folder") as caught:
        ledger.entries()
    assert "\n" not in str(caught.value)
