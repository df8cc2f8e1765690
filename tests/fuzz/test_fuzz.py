"""A short run of each fuzzer, the same every time; `make fuzz` goes on from there.

Every file is read as an independent reader reads it, or refused in one line with an exit code, in
20 s and 2 GB.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from medseg.errors import DataError
from tests.fuzz.judge import judge
from tests.fuzz.runner import fuzz, make_case
from tests.fuzz.target import Target, write_file
from tests.fuzz.targets import TARGETS

SEED = 0
# As many as take a few seconds.
CASES = {
    "nifti": 600,
    "nrrd": 600,
    "mha": 600,
    "dicom": 250,
    "seg": 120,
    "rtstruct": 120,
    "png": 600,
    "tiff": 600,
    "safetensors": 300,
    "manifest": 400,
    "metadata": 400,
    "config": 100,
    "ledger": 250,
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_file_made_wrong_is_read_right_or_refused_in_one_line(name):
    cases = fuzz(TARGETS[name], seed=SEED, numbers=iter(range(CASES[name])))
    assert [failure for failure in cases if failure] == []


@pytest.mark.parametrize("name", TARGETS)
def test_the_sound_files_that_a_fuzzer_begins_with_are_read(name, tmp_path):
    target = TARGETS[name]
    for number, (file, data) in enumerate(sorted(target.corpus().items())):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = write_file(target, folder, file, data)
        assert judge(target, path) is None
        # Colours are no numbers, and where white is 0 they may be either.
        if not file.startswith(("rgb", "white")):
            assert target.ours(path)


def test_a_case_is_the_same_on_every_run():
    for target in TARGETS.values():
        assert make_case(target, 3, 14) == make_case(target, 3, 14)
    assert len({make_case(TARGETS["nifti"], 3, number) for number in range(20)}) > 10


def reading(ours, independent=None, **more):
    """A target of one file whose readers are the given functions."""
    return Target(
        name="made",
        corpus=lambda: {"made.bin": b"0"},
        mutate=lambda rng, data: data,
        ours=ours,
        independent=independent,
        **more,
    )


def raises(error):
    def read(_: Path):
        raise error

    return read


def gives(value):
    return lambda _: {"array": np.array(value)}


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (reading(raises(KeyError("tag"))), "KeyError"),
        (reading(raises(DataError("two\nlines"))), "not in one line"),
        (reading(raises(DataError("a" * 7000))), "not in one line"),
        (reading(raises(MemoryError())), "too much memory"),
        (reading(gives([1, 2]), gives([1, 3])), "other whole numbers"),
        (reading(gives([1.0, 2]), gives([1.0, 2.1])), "2.0 instead of 2.1"),
        (reading(gives([1.0]), gives([1.0, 2])), "shape"),
        (reading(gives([1]), raises(ValueError("damaged"))), "independent reader refuses it"),
    ],
)
def test_what_is_wrong_is_found(target, said, tmp_path):
    assert said in judge(target, tmp_path)


@pytest.mark.parametrize(
    "target",
    [
        reading(raises(DataError("one line"))),
        reading(gives([1.0, np.nan]), gives([1.0000001, np.nan])),
        reading(gives([1]), raises(ValueError("odd, but")), stricter=(("odd", "it is harmless"),)),
    ],
)
def test_what_is_right_is_none(target, tmp_path):
    assert judge(target, tmp_path) is None


def test_a_reader_that_ends_the_process_is_found_and_the_next_case_runs():
    target = reading(lambda path: os._exit(3))
    failures = list(fuzz(target, seed=0, numbers=iter(range(2))))
    assert ["exit code 3" in failure.what for failure in failures] == [True, True]


def test_a_reader_that_asks_for_memory_by_a_number_in_a_header_is_found():
    target = reading(lambda path: {"array": np.empty(2**33, np.uint8)})
    (failure,) = fuzz(target, seed=0, numbers=iter([0]))
    assert "too much memory" in failure.what
