"""An entry on disk is the packed case, or it is known to be damaged."""

import os
from pathlib import Path

import numpy as np
import pytest

from medseg.data.cases.disk_entry import encode_entry, read_entry, write_entry
from medseg.data.cases.packed import pack_case
from tests.data.test_nested import same


def a_packed_case():
    rng = np.random.default_rng(0)
    return pack_case(
        {
            "image": rng.random((2, 20, 30, 40), np.float32),
            "label": rng.integers(0, 300, (1, 20, 30, 40)),
            "class_voxels": {
                1: rng.integers(0, 20, (7, 3), np.int32),
                300: np.zeros((0, 3), np.int32),
            },
            "case": "a",
            "spacing_mm": [1.0, 1.0, 2.5],
        },
        {"case": "a"},
    )


def written(folder, packed):
    write_entry(folder, encode_entry(packed))
    return read_entry(folder)


def test_what_is_read_is_what_was_packed(tmp_path):
    packed = a_packed_case()
    read = written(tmp_path, packed)
    whole = {
        key: np.asarray(value) if key in ("image", "label") else value
        for key, value in read.items()
    }
    assert same({key: whole[key] for key in packed}, packed)
    assert len(read) == len(packed)


def test_lists_of_voxels_are_views_of_the_file_that_nobody_can_write_to(tmp_path):
    voxels = written(tmp_path, a_packed_case())["class_voxels"][1]
    assert not voxels.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        voxels[0] = 0


HANDLES = Path("/proc/self/fd")


def open_below(folder):
    """Files below a folder that this process holds open; other files come and go meanwhile."""
    targets = [os.path.realpath(handle) for handle in HANDLES.iterdir()]
    return [target for target in targets if target.startswith(f"{folder.resolve()}{os.sep}")]


@pytest.mark.skipif(not HANDLES.is_dir(), reason="handles are counted as Linux does")
def test_an_open_file_is_seen_as_open(tmp_path):
    with (tmp_path / "a").open("w"):
        assert open_below(tmp_path) == [str(tmp_path.resolve() / "a")]
    assert not open_below(tmp_path)


@pytest.mark.skipif(not HANDLES.is_dir(), reason="handles are counted as Linux does")
def test_an_open_entry_holds_no_handle(tmp_path):
    packed = a_packed_case()
    kept = []
    for number in range(20):
        (tmp_path / str(number)).mkdir()
        kept.append(written(tmp_path / str(number), packed))
    assert not open_below(tmp_path)
    assert all(same(one["class_voxels"], packed["class_voxels"]) for one in kept)


def test_only_empty_arrays_make_no_trouble(tmp_path):
    packed = {"image": np.zeros((1, 2, 2), np.int16), "class_voxels": {1: np.zeros((0, 2))}}
    assert written(tmp_path, packed)["class_voxels"][1].shape == (0, 2)


def test_an_entry_that_is_not_there_is_not_damaged(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_entry(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["image.b2nd", "label.b2nd", "arrays.bin", "entry.json"])
def test_a_file_that_is_cut_off_is_noticed(tmp_path, name):
    written(tmp_path, a_packed_case())
    os.truncate(tmp_path / name, (tmp_path / name).stat().st_size - 1)
    with pytest.raises(ValueError, match=name.replace(".", r"\.")):
        read_entry(tmp_path)


def test_a_file_that_is_missing_is_noticed(tmp_path):
    written(tmp_path, a_packed_case())
    (tmp_path / "label.b2nd").unlink()
    with pytest.raises(ValueError, match=r"label\.b2nd"):
        read_entry(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"bytes": {}, "volumes": {"image": [[1]]}}'])
def test_an_index_that_is_something_else_is_noticed(tmp_path, text):
    (tmp_path / "entry.json").write_text(text)
    with pytest.raises(ValueError, match=r"entry\.json"):
        read_entry(tmp_path)
