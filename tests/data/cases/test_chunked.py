"""Volumes in chunks on disk: any window of them is what it was."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from medseg.data.cases.chunked import BLOCK, CHUNK, DiskArray, compressed
from medseg.errors import DataError
from tests.data.cases.test_disk_entry import open_below

TYPES = st.sampled_from([np.float16, np.int16, np.uint8, np.uint16])


def on_disk(tmp_path, volume):
    (tmp_path / "image.b2nd").write_bytes(compressed(volume))
    return DiskArray(tmp_path / "image.b2nd", volume.shape, volume.dtype.str)


@st.composite
def volumes_and_windows(draw):
    spatial = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=90))
    shape = (draw(st.integers(1, 3)), *spatial)
    spans = [sorted(draw(st.tuples(st.integers(0, n), st.integers(0, n)))) for n in shape]
    return shape, draw(TYPES), draw(st.integers(0, 9)), tuple(slice(a, b) for a, b in spans)


@given(volumes_and_windows())
def test_a_window_reads_what_was_written(tmp_path_factory, case):
    shape, dtype, seed, window = case
    volume = np.random.default_rng(seed).integers(0, 200, shape).astype(dtype)
    array = on_disk(tmp_path_factory.mktemp("volume"), volume)
    assert (array.shape, array.dtype) == (shape, dtype)
    read = array[window]
    assert type(read) is np.ndarray
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, volume[window])
    np.testing.assert_array_equal(np.asarray(array), volume)


def test_a_chunk_is_half_a_megabyte_and_a_block_eight_kilobytes():
    for dims in (1, 2, 3):
        assert CHUNK[dims] ** dims * 2 == 2**19
        assert BLOCK[dims] ** dims * 2 == 2**13


def bytes_read():
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(lines["rchar"])


def test_a_window_reads_little_more_than_it_touches(tmp_path):
    # Eight chunks of half a megabyte that cannot be compressed. 20^3 voxels touch 2 blocks of
    # 16^3 along each axis, 64 KB; each of them is read with some kilobytes around it.
    noise = np.random.default_rng(0).integers(0, 2**16, (1, 128, 128, 128), np.uint16)
    array = on_disk(tmp_path, noise)
    array[:, :1, :1, :1]
    before = bytes_read()
    np.testing.assert_array_equal(array[:, 3:23, 3:23, 3:23], noise[:, 3:23, 3:23, 3:23])
    assert bytes_read() - before < 2**18


def test_a_volume_can_be_sent_to_another_process(tmp_path):
    volume = np.arange(60, dtype=np.int16).reshape(1, 3, 4, 5)
    array = on_disk(tmp_path, volume)
    assert array[0, 0, 0, 0] == 0
    sent = pickle.loads(pickle.dumps(array))
    np.testing.assert_array_equal(sent[...], volume)


def test_a_forked_process_reads_what_its_parent_read(tmp_path):
    volume = np.arange(60, dtype=np.int16).reshape(1, 3, 4, 5)
    array = on_disk(tmp_path, volume)
    assert array[0, 0, 0, 1] == 1
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(array[...], volume) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_no_file_stays_open(tmp_path):
    arrays = [on_disk(tmp_path, np.zeros((1, 4, 4), np.int16)) for _ in range(5)]
    assert all(array[...].max() == 0 for array in arrays)
    assert not open_below(tmp_path)


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_file_lost_during_training_is_reported_in_one_line(tmp_path, damage):
    array = on_disk(tmp_path, np.arange(60, dtype=np.int16).reshape(1, 3, 4, 5))
    if damage == "gone":
        array.path.unlink()
    else:
        os.truncate(array.path, 40)
    with pytest.raises(DataError, match=r"^\S+image\.b2nd: cannot be read any more"):
        array[...]
