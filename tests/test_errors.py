"""What an error comes down to for the user, and what stays a bug."""

import errno
import os

import pytest
import torch

from medseg.errors import DataError, ExitCode, MachineError, caused_by, user_error


def wrapped(error):
    """As MONAI wraps what a config's component raises."""
    try:
        try:
            raise error
        except type(error) as cause:
            raise RuntimeError("Failed to evaluate ...") from cause
    except RuntimeError as outer:
        return outer


def test_a_users_error_is_found_below_any_wrapping():
    known = DataError("case 3: no label")
    assert user_error(known) is known
    assert user_error(wrapped(known)) is known


def test_a_full_disk_and_a_locked_folder_are_the_machines():
    for number, remedy in ((errno.ENOSPC, "make room"), (errno.EACCES, "its permissions")):
        known = user_error(wrapped(OSError(number, os.strerror(number), "out/a.nii.gz")))
        assert isinstance(known, MachineError)
        assert known.exit_code == ExitCode.ENVIRONMENT
        assert str(known).startswith(f"out/a.nii.gz: {os.strerror(number)}; ")
        assert remedy in str(known)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 3 bytes"),
    ],
)
def test_too_little_memory_is_the_machines(error):
    assert str(user_error(wrapped(error))).startswith("out of memory; use smaller patches")


def test_torchs_own_words_for_too_little_memory_are_known():
    # A hundred thousand terabytes: no machine has them, and none is asked to touch one.
    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**17, dtype=torch.uint8)
    assert isinstance(user_error(caught.value), MachineError)


@pytest.mark.parametrize("error", [KeyError("pred"), ValueError("shapes"), ZeroDivisionError()])
def test_anything_else_is_a_bug(error):
    assert user_error(wrapped(error)) is None


def test_a_bug_in_the_handling_of_a_users_error_stays_a_bug():
    def handle():
        try:
            raise DataError("case 3: no label")
        except DataError:
            {}["bug"]

    with pytest.raises(KeyError) as caught:
        handle()
    assert caught.value.__context__ is not None
    assert user_error(caught.value) is None


def test_an_error_that_causes_itself_is_no_endless_search():
    error = KeyError("a")
    error.__cause__ = error
    assert user_error(error) is None


def test_an_error_of_a_loaders_worker_is_the_line_it_was_there():
    # As torch words it: the traceback is the message.
    handed_on = DataError(
        "Caught DataError in DataLoader worker process 0.\nOriginal Traceback (most recent call "
        'last):\n  File "cases.py", line 1, in sample\nmedseg.errors.DataError: case 3: no label\n'
    )
    known = user_error(wrapped(handed_on))
    assert type(known) is DataError
    assert str(known) == "case 3: no label"


@pytest.mark.parametrize(
    "message",
    [
        "DataLoader worker (pid 12) is killed by signal: Killed. ",
        "DataLoader worker (pid(s) 12, 13) exited unexpectedly",
    ],
)
def test_a_killed_worker_is_the_machines(message):
    known = user_error(wrapped(RuntimeError(message)))
    assert isinstance(known, MachineError)
    assert "continue with start=resume" in str(known)


def test_the_first_cause_of_a_kind_is_found():
    known = DataError("case 3: no label")
    assert caused_by(wrapped(known), DataError) is known
    assert caused_by(wrapped(known), OSError) is None
