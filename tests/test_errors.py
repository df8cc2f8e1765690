"""What an error comes down to for the user, and what stays a bug."""

import errno
import os

import pytest
import torch

from medseg.errors import (
    DataError,
    ExitCode,
    MachineError,
    UsageError,
    caused_by,
    meets_all,
    user_error,
)


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


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("medseg.data.problems.InputError", DataError),
        ("medseg.errors.UsageError", UsageError),
        ("medseg.errors.MachineError", MachineError),
    ],
)
def test_the_users_error_among_the_causes_in_a_workers_traceback_is_found(name, kind):
    # As torch's loader raises what MONAI wraps in a worker: all causes are text.
    text = (
        "Caught RuntimeError in DataLoader worker process 0.\nOriginal Traceback (most recent call "
        f"last):\n  File ...\n{name}: a.nii.gz: no image; export it again\n\nThe above exception "
        "was the direct cause of the following exception:\n\nRuntimeError: applying transform ..."
    )
    found = user_error(RuntimeError(text))
    assert (type(found), str(found)) == (kind, "a.nii.gz: no image; export it again")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("unable to allocate shared memory(shm) for file </torch_1>: No space left", "num_workers"),
        ("DataLoader worker (pid 7) is killed by signal: Bus error. out of shared", "shm-size"),
        ("unable to open shared memory object </torch_1>: Too many open files (24)", "ulimit -n"),
        ("received 0 items of ancdata", "ulimit -n"),
        ("could not create a primitive", "out of memory"),
        ("std::bad_alloc", "out of memory"),
        ("can't start new thread", "ulimit -u"),
    ],
)
def test_what_the_machine_refuses_to_a_library_is_known_by_its_text(text, says):
    found = user_error(RuntimeError(text))
    assert isinstance(found, MachineError)
    assert says in str(found)


@pytest.mark.parametrize(
    ("number", "says", "all_of_them"),
    [
        (errno.EMFILE, "ulimit -n", True),
        (errno.EROFS, "use another folder", True),
        (errno.ENOSPC, "make room", True),
        (errno.ENAMETOOLONG, "shorten the name", False),
        (errno.EACCES, "check the path and its permissions", False),
    ],
)
def test_each_refusal_has_its_remedy_and_meets_the_next_case_or_not(number, says, all_of_them):
    error = OSError(number, os.strerror(number), "a.nii.gz")
    assert str(user_error(error)).startswith(f"a.nii.gz: {os.strerror(number)}; ")
    assert says in str(user_error(error))
    assert meets_all(error) == all_of_them
