"""Converted networks: kept, found again, rebuilt when damaged, and never told of to anyone."""

import logging
import multiprocessing
import subprocess
import sys

import pytest
import torch

from medseg.inference.engines.open_engine import open_engine
from medseg.networks import UNet

WINDOW = (8, 8)


def network(activation="relu", seed=0):
    torch.manual_seed(seed)
    return UNet(2, 1, 2, depth=2, first_width=4, activation=activation).eval()


def opened(folder, made=None, window=WINDOW, key=None):
    return open_engine(
        made or network(),
        engine="openvino",
        precision="fp32",
        window=window,
        channels=1,
        device=torch.device("cpu"),
        cache_dir=folder,
        key=key,
    )


def kept(folder):
    return sorted(folder.glob("engines/*.openvino"))


def test_a_network_is_converted_once(tmp_path):
    first = opened(tmp_path)
    (file,) = kept(tmp_path)
    written = file.stat().st_mtime_ns
    again = opened(tmp_path)
    assert kept(tmp_path) == [file]
    assert file.stat().st_mtime_ns == written
    windows = torch.rand(2, 1, *WINDOW)
    assert torch.equal(first(windows), again(windows))


@pytest.mark.parametrize(
    "other",
    [{"made": network(seed=1)}, {"made": network("elu")}, {"window": (8, 12)}, {"key": "weights"}],
    ids=["weights", "activation", "window", "key"],
)
def test_another_network_or_window_is_another_file(other, tmp_path):
    opened(tmp_path)
    opened(tmp_path, **other)
    assert len(kept(tmp_path)) == 2


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_file_is_rebuilt(damage, tmp_path, caplog):
    windows = torch.rand(1, 1, *WINDOW)
    expected = opened(tmp_path)(windows)
    (file,) = kept(tmp_path)
    whole = file.read_bytes()
    flipped = whole[:-5] + bytes([whole[-5] ^ 64]) + whole[-4:]
    file.write_bytes({"cut": whole[:-100], "flipped": flipped, "empty": b""}[damage])
    with caplog.at_level(logging.WARNING):
        assert torch.equal(opened(tmp_path)(windows), expected)
    assert "damaged" in caplog.text
    caplog.clear()
    assert torch.equal(opened(tmp_path)(windows), expected)
    assert not caplog.messages


def test_an_unusable_cache_folder_is_no_error(tmp_path, caplog):
    (tmp_path / "engines").write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        logits = opened(tmp_path)(torch.rand(1, 1, *WINDOW))
    assert logits.shape == (1, 2, *WINDOW)
    assert "is not cached" in caplog.text


def test_converting_leaves_the_programs_logging_alone(tmp_path):
    root = logging.getLogger()
    before = root.level, list(root.filters), list(root.handlers)
    opened(tmp_path)
    assert (root.level, root.filters, root.handlers) == before


def _open_and_sum(folder):
    torch.set_num_threads(1)
    return opened(folder)(torch.ones(1, 1, *WINDOW)).sum().item()


@pytest.mark.slow
def test_processes_that_convert_at_once_do_not_disturb_each_other(tmp_path):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        sums = pool.map(_open_and_sum, [tmp_path] * 2)
    assert len(set(sums)) == 1
    assert len(list((tmp_path / "engines").iterdir())) == 1


# In a process of its own, since what was imported stays imported.
QUIET = """
import socket, sys
def refuse(*_): raise SystemExit("something was sent")
socket.socket.connect = socket.getaddrinfo = refuse
import torch
from pathlib import Path
from tests.inference.engines.test_conversion import opened
opened(Path(sys.argv[1]))
assert sys.modules["openvino_telemetry"] is None
import openvino.tools.ovc.convert_impl as convert
assert convert.tm.__name__ == "openvino.tools.ovc.telemetry_stub", convert.tm
"""


def test_openvino_sends_no_telemetry(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", QUIET, str(tmp_path)],
        env={"HOME": str(home), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not list(home.rglob("*telemetry*"))
