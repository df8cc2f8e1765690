"""What `medseg data statistics` prints, writes and exits with."""

import json

import pytest

from medseg.data import load_manifest
from tests.data.builders import write_dataset


@pytest.fixture
def medseg(command, capsys):
    """Runs the command line; gives exit code, standard output and error."""
    return lambda *words: (command(*words), *capsys.readouterr())


def statistics(folder, *more):
    return "data", "statistics", folder / "manifest.json", "--dataset-dir", folder, *more


def test_it_prints_one_line_a_channel(medseg, tmp_path):
    write_dataset(tmp_path)
    before = (tmp_path / "manifest.json").read_bytes()
    code, out, err = medseg(*statistics(tmp_path))
    assert (code, err) == (0, "")
    assert out.startswith("CT (HU): 0.5 % -")
    assert len(out.splitlines()) == 1
    assert (tmp_path / "manifest.json").read_bytes() == before


def test_json_is_json_and_nothing_else(medseg, tmp_path):
    write_dataset(tmp_path)
    code, out, _ = medseg(*statistics(tmp_path, "--json"))
    assert code == 0
    assert set(json.loads(out)["CT"]) == {"low", "high", "mean", "std"}


def test_it_writes_them_into_the_manifest_when_told_so(medseg, tmp_path):
    write_dataset(tmp_path)
    path = tmp_path / "manifest.json"
    code, _, err = medseg(*statistics(tmp_path, "--out", path))
    assert code == 2
    assert "already exists; use --overwrite" in err
    code, out, _ = medseg(*statistics(tmp_path, "--out", path, "--overwrite"))
    assert code == 0
    assert out.splitlines()[-1] == f"Written into {path}."
    assert load_manifest(path).channels[0].statistics is not None


def test_a_fold_can_be_left_out(medseg, tmp_path):
    write_dataset(tmp_path)
    found = [medseg(*statistics(tmp_path, "--json", "--fold", fold))[1] for fold in (0, 1)]
    assert found[0] != found[1]


def test_a_wrong_folder_is_one_line(medseg, tmp_path):
    write_dataset(tmp_path)
    words = list(statistics(tmp_path))
    words[-1] = tmp_path / "nowhere"
    code, out, err = medseg(*words)
    assert (code, out) == (3, "")
    assert "nowhere: no such folder; use the one that holds toy" in err
