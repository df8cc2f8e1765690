"""The folder of prepared cases: whole entries or none, whoever writes, dies or runs out of room."""

import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from threading import Thread

import numpy as np
import pytest

from medseg.data.cases.disk_cache import DiskCache
from medseg.data.cases.disk_entry import encode_entry
from medseg.errors import MachineError

NAME = "a" * 64


def files_of(seed=0, side=8):
    volume = np.random.default_rng(seed).integers(0, 2**15, (1, side, side, side), np.int16)
    return encode_entry({"image": volume, "case": str(seed)})


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_was_kept_is_found_and_nothing_else_is_there(tmp_path):
    cache = DiskCache(tmp_path / "new")
    assert cache.find(NAME) is None
    cache.keep(NAME, files_of(), "case")
    assert cache.find(NAME)["case"] == "0"
    assert names(cache.folder) == [NAME]
    assert cache.size(NAME) == sum(map(len, files_of().values()))


def test_an_entry_that_is_there_stays(tmp_path):
    cache = DiskCache(tmp_path)
    cache.keep(NAME, files_of(0), "case")
    cache.keep(NAME, files_of(1), "case")
    assert cache.find(NAME)["case"] == "0"
    assert names(tmp_path) == [NAME]


@pytest.mark.parametrize("damaged", ["image.b2nd", "entry.json"])
def test_a_damaged_entry_is_not_found_and_is_replaced(tmp_path, caplog, damaged):
    cache = DiskCache(tmp_path)
    cache.keep(NAME, files_of(0), "case")
    os.truncate(tmp_path / NAME / damaged, 10)
    assert cache.find(NAME) is None
    assert "the case is prepared anew" in caplog.text
    cache.keep(NAME, files_of(1), "case")
    assert cache.find(NAME)["case"] == "1"
    assert names(tmp_path) == [NAME]


@pytest.mark.parametrize("damaged", ["image.b2nd", "arrays.bin", "entry.json"])
@pytest.mark.parametrize("share", [0, 0.3, 0.7, 1])
def test_an_entry_with_one_flipped_bit_is_not_found_and_is_replaced(
    tmp_path, caplog, damaged, share
):
    cache = DiskCache(tmp_path)
    files = encode_entry(
        {"image": np.zeros((1, 9, 9, 9), np.int16), "voxels": np.arange(50), "spacing": [1.5]}
    )
    cache.keep(NAME, files, "case")
    path = tmp_path / NAME / damaged
    content = bytearray(path.read_bytes())
    content[round(share * (len(content) - 1))] ^= 1
    path.write_bytes(content)
    assert cache.find(NAME) is None
    assert "the case is prepared anew" in caplog.text
    cache.keep(NAME, files, "case")
    assert cache.find(NAME)["spacing"] == [1.5]
    assert path.read_bytes() == files[damaged]


def test_runs_that_make_the_same_entry_leave_one_and_no_rest(tmp_path):
    cache = DiskCache(tmp_path)
    threads = [
        Thread(target=cache.keep, args=(NAME, files_of(seed, side=48), "case")) for seed in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.find(NAME)["case"] in set("012345")
    assert names(tmp_path) == [NAME]


def test_others_may_read_what_one_user_has_made(tmp_path):
    cache = DiskCache(tmp_path)
    cache.keep(NAME, files_of(), "case")
    usual = tmp_path / "usual"
    usual.mkdir()
    assert (tmp_path / NAME).stat().st_mode == usual.stat().st_mode


BUILDER = """
import sys
from medseg.data.cases.disk_cache import DiskCache
from tests.data.cases.test_disk_cache import files_of
cache = DiskCache(sys.argv[1])
number = 0
while True:
    number += 1
    cache.keep(f"{number:064x}", files_of(number, side=64), "case")
    print(number, flush=True)
"""


def test_a_killed_run_leaves_only_whole_entries_under_final_names(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", BUILDER, str(tmp_path)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    for _ in range(5):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    cache = DiskCache(tmp_path)
    entries = [name for name in names(tmp_path) if not name.startswith(".")]
    assert len(entries) >= 5
    for name in entries:
        assert cache.find(name)["image"][...].shape == (1, 64, 64, 64)


def test_what_a_killed_run_left_is_removed_after_an_hour(tmp_path, caplog):
    caplog.set_level("INFO")
    for name, seconds in {".unfinished-1": 7200, ".unfinished-2": 60}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "image.b2nd").write_bytes(b"half")
        then = time.time() - seconds
        os.utime(tmp_path / name, (then, then))
    DiskCache(tmp_path)
    assert names(tmp_path) == [".unfinished-2"]
    assert ".unfinished-1: left by a run that was stopped; removed" in caplog.text


@contextmanager
def files_no_larger_than(size):
    # The nearest to a full disk that needs no rights: writing past the limit fails with EFBIG.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_reported_in_one_line_with_folder_and_size(tmp_path):
    cache = DiskCache(tmp_path)
    told = (
        rf"^{tmp_path}: no space for case_1, which takes 0\.5 MB; free some space, or set another"
    )
    with files_no_larger_than(10_000), pytest.raises(MachineError, match=told):
        cache.keep(NAME, files_of(side=64), "case_1")
    assert names(tmp_path) == []


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no rights to mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_really_full_disk_is_reported_and_left_clean(small_disk):
    cache = DiskCache(small_disk)
    with pytest.raises(MachineError, match="no space for case_1"):
        cache.keep(NAME, files_of(side=64), "case_1")
    assert names(small_disk) == []
    cache.keep(NAME, files_of(side=8), "case_2")
    assert names(small_disk) == [NAME]


def test_other_disk_errors_are_raised_unchanged(tmp_path):
    cache = DiskCache(tmp_path)
    cache.folder = tmp_path / "gone"
    with pytest.raises(FileNotFoundError, match="gone"):
        cache.keep(NAME, files_of(), "case")
