"""Files of weights: whole or refused in a line, at once and in little memory."""

import hashlib
import json
import os
import resource

import pytest
import safetensors
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from medseg.errors import DataError
from medseg.networks import (
    UNet,
    halve_weights,
    load_weights,
    read_provenance,
    save_weights,
    trained_network,
    trained_setting,
)
from medseg.networks.weights import read_state
from medseg.networks.weights_file import read_weights_header

SMALL = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2, "depth": 2, "first_width": 4}


def small():
    return UNet(2, 1, 2, depth=2, first_width=4)


def file_of(path, header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def tensor(shape, begin, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


HOSTILE = {
    "brackets": b"[" * 100_000,
    "braces": b'{"a":' * 100_000,
    "a number of 10,000 digits": b'{"a": ' + b"1" * 10_000 + b"}",
    "a size of 10,000 digits": b'{"a": {"dtype": "F32", "shape": [' + b"1" * 10_000 + b"]}}",
    "no object": b"[]",
    "not UTF-8": b'{"\xff": 1}',
    "texts that are none": b'{"__metadata__": {"settings": {}}}',
    "a tensor without a type": {"a": {"shape": [1], "data_offsets": [0, 4]}},
    "an unknown type": {"a": tensor([1], 0, 4, "F31")},
    "a list as type": {"a": tensor([1], 0, 4, ["F32"])},
    "a negative size": {"a": tensor([-1, -1], 0, 4)},
    "a size beyond memory": {"a": tensor([2**40, 2**40], 0, 4)},
    "true as a size": {"a": tensor([True], 0, 4)},
    "a shape that is not its bytes": {"a": tensor([2], 0, 4)},
    "offsets beyond the file": {"a": tensor([4], 0, 16)},
    "offsets before the file": {"a": tensor([1], -4, 0)},
    "an end before the begin": {"a": tensor([0], 4, 0)},
    "overlapping tensors": {"a": tensor([1], 0, 4), "b": tensor([1], 0, 4)},
    "a gap": {"a": tensor([0], 4, 4)},
    "bytes of no tensor": {},
    "20,000 tensors": {str(n): tensor([0], 0, 0) for n in range(20_000)},
}


@pytest.mark.parametrize("header", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_header_that_is_wrong_is_one_line_for_every_reader(tmp_path, header):
    path = file_of(tmp_path / "w.safetensors", header, bytes(4))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for read in (
        read_provenance,
        read_state,
        lambda p: trained_setting(p, "window", None),
        lambda p: trained_network(p, SMALL),
        lambda p: load_weights(small(), p),
    ):
        with pytest.raises(DataError, match=r"w\.safetensors: not a readable") as caught:
            read(path)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < len(str(path)) + 250
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 300_000  # KiB


@pytest.mark.parametrize("length", [0, 3, 2**63, 2**64 - 1, 10**9])
def test_a_header_longer_than_its_file_is_refused(tmp_path, length):
    path = file_of(tmp_path / "w.safetensors", b"{}", length=length)
    with pytest.raises(DataError, match="not a readable safetensors file"):
        read_weights_header(path)


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    path.touch()
    with pytest.raises(DataError, match="not a readable safetensors file"):
        read_weights_header(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_only_regular_files_are_opened(tmp_path):
    pipe, folder = tmp_path / "pipe.safetensors", tmp_path / "folder.safetensors"
    os.mkfifo(pipe)
    folder.mkdir()
    for read in (read_provenance, read_state, lambda p: trained_setting(p, "depth", 4)):
        with pytest.raises(DataError, match="a pipe"):
            read(pipe)
    for read in (read_provenance, read_state):
        with pytest.raises(DataError, match=r"a folder|no weights there"):
            read(folder)


def test_a_folder_without_folds_has_no_settings_yet(tmp_path):
    assert trained_setting(tmp_path, "depth", 4) == 4


SIZES = {
    "wide": {"first_width": 10**6},
    "wider than numbers": {"first_width": 10**12},
    "of 400 digits": {"first_width": 10**400},
    "growing": {"growth": 1e300},
    "deep": {"depth": 10**9},
    "of large kernels": {"kernel_sizes": [[10**9 + 1] * 2] * 2},
    "of many classes": {"out_channels": 10**9},
}


@pytest.mark.parametrize("wrong", SIZES.values(), ids=SIZES.keys())
@pytest.mark.parametrize("form", ["network", "keys of their own"])
def test_a_network_that_is_not_that_of_the_tensors_is_refused_without_memory(tmp_path, wrong, form):
    stated = {**SMALL, **wrong}
    path = tmp_path / "w.safetensors"
    save_weights(small(), path, {"network": stated} if form == "network" else stated)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError, match=r"w\.safetensors") as caught:
        trained_network(path, SMALL)
    assert "\n" not in str(caught.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("patch_size", [10**9, 10**9]),
        ("patch_size", [0, 4]),
        ("patch_size", "32"),
        ("patch_size", [32.5, 32]),
        ("class_names", 5),
        ("class_names", ["a", "a"]),
        ("class_names", ["a\nb"]),
        ("spacing_mm", [0, 1, 1]),
        ("spacing_mm", [float("nan"), 1, 1]),
        ("spacing_mm", [10**400, 1, 1]),
        ("window", [1, 1]),
        ("window", ["low", "high"]),
        ("window", [1]),
    ],
)
def test_a_setting_that_cannot_be_one_is_refused(tmp_path, name, value):
    path = tmp_path / "w.safetensors"
    save_weights(small(), path, {name: value})
    with pytest.raises(DataError, match=f"its setting {name} must be") as caught:
        trained_setting(path, name, None)
    assert len(str(caught.value)) < len(str(path)) + 250


def test_any_flipped_bit_of_the_tensors_is_found(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(small(), path, {})
    whole = path.read_bytes()
    start = 8 + int.from_bytes(whole[:8], "little")
    for place in (start, (start + len(whole)) // 2, len(whole) - 1):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        for read in (read_provenance, lambda p: load_weights(small(), p)):
            with pytest.raises(DataError, match=r"not those that were saved .*; copy it again"):
                read(path)


@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_is_found_or_leaves_the_tensors_as_they_were(
    tmp_path_factory, place, bit
):
    folder = tmp_path_factory.mktemp("flip")
    path = folder / "w.safetensors"
    network = small()
    save_weights(network, path, {})
    damaged = bytearray(path.read_bytes())
    damaged[place % len(damaged)] ^= 1 << bit
    path.write_bytes(damaged)
    try:
        state, _ = read_state(path)
    except DataError:
        return
    # A space of the padding, or a letter of a text that is not read.
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, state[name])


def test_the_digest_is_in_the_header_for_any_reader(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(small(), path, {"window": [0, 1]})
    by_hand = hashlib.sha256()
    with safetensors.safe_open(path, framework="np") as file:
        for name in sorted(file.keys()):
            array = file.get_tensor(name)
            by_hand.update(json.dumps([name, "F32", list(array.shape)]).encode() + array.tobytes())
        assert file.metadata()["tensors_sha256"] == by_hand.hexdigest()


def test_halved_weights_have_a_digest_of_their_own_and_the_same_provenance(tmp_path):
    whole, half = tmp_path / "w.safetensors", tmp_path / "h.safetensors"
    given = read_provenance(
        _plain_file(tmp_path / "p.safetensors", provenance='{"bundle": "chest", "version": "1"}')
    )
    save_weights(small(), whole, {}, given)
    halve_weights(whole, half)
    one, two = read_provenance(whole), read_provenance(half)
    assert one.tensors_sha256 != two.tensors_sha256
    assert (one.bundle, one.version) == (two.bundle, two.version) == ("chest", "1")


def test_weights_of_before_there_were_digests_are_read(tmp_path):
    path = _plain_file(tmp_path / "w.safetensors")
    assert torch.equal(read_state(path)[0]["a"], torch.ones(2))


def test_the_same_weights_are_the_same_files_byte_by_byte(tmp_path):
    network = small()
    for name in "ab":
        save_weights(network, tmp_path / f"{name}.safetensors", {"x": 1, "y": [2]})
    for suffix in (".safetensors", ".pt"):
        one, two = (tmp_path / f"{name}{suffix}" for name in "ab")
        assert one.read_bytes() == two.read_bytes()


def _plain_file(path, **texts):
    save_file({"a": torch.ones(2)}, path, metadata=texts or None)
    return path
