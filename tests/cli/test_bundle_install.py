"""Bundles that are installed, listed, used by name, updated and removed, as on the command line."""

import json
import shutil

import pytest

from medseg.errors import ExitCode
from tests.conftest import BUNDLE
from tests.sharing.plain_bundles import files_of, make_folder, make_zip, packed_bundle


@pytest.fixture(autouse=True)
def _own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEG_HOME", str(tmp_path / "home"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")


def test_a_bundle_comes_is_listed_and_goes(command, tmp_path, capsys):
    path = packed_bundle(tmp_path)
    assert command("bundle", "list") == ExitCode.DONE
    assert "none is installed" in capsys.readouterr().err
    assert command("bundle", "install", path) == ExitCode.DONE
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("installed: ball@1.0.0 (")
    assert told[1:] == [
        "files: complete, as its list of digests says",
        "signature: not signed",
        "verdict: safe",
    ]
    assert command("bundle", "list") == ExitCode.DONE
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("ball@1.0.0+")
    assert line.endswith(f" kB, safe, complete, not signed, from {path}")
    assert command("bundle", "remove", "ball") == ExitCode.DONE
    assert command("bundle", "remove", "ball") == ExitCode.USAGE
    assert "ball: no such bundle is installed" in capsys.readouterr().err


def test_lists_and_records_as_json(command, tmp_path, capsys):
    path = packed_bundle(tmp_path)
    assert command("bundle", "install", path, "--json") == ExitCode.DONE
    record = json.loads(capsys.readouterr().out)
    assert (record["name"], record["verdict"]) == ("ball", "safe")
    assert command("bundle", "list", "--json") == ExitCode.DONE
    (listed,) = json.loads(capsys.readouterr().out)
    assert listed.pop("folder").endswith("/ball")
    assert listed == record


def test_a_bundle_that_needs_trust_is_installed_and_the_way_told(command, tmp_path, capsys):
    files = {**files_of(), "configs/train.yaml": b"a: {_target_: scripts.net.Net}\n"}
    assert command("bundle", "install", make_zip(tmp_path / "a.zip", "ball", files)) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[1] == "files: no list of digests"
    assert told[-1].startswith("verdict: needs trust, for 1 place: see medseg bundle inspect ball@")


def test_a_refused_bundle_has_its_own_exit_code(command, tmp_path, capsys):
    files = {**files_of(), "configs/train.yaml": b"a: !!python/object/apply:os.system [x]\n"}
    path = make_zip(tmp_path / "a.zip", "ball", files)
    assert command("bundle", "install", path) == ExitCode.REFUSED
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"medseg: {path}: refused, and not installed: ")


def test_a_share_is_made_published_to_and_installed_from(command, tmp_path, capsys):
    share = tmp_path / "share"
    share.mkdir()
    packed_bundle(share)
    assert command("bundle", "index", share) == ExitCode.DONE
    assert capsys.readouterr().out == f"{share}: 1 bundle in index.json and index.html\n"
    assert command("bundle", "install", "ball", "--from", share) == ExitCode.DONE
    newer = packed_bundle(tmp_path, version="1.1.0")
    assert command("bundle", "publish", newer, share) == ExitCode.DONE
    capsys.readouterr()
    assert command("bundle", "update") == ExitCode.DONE
    told = capsys.readouterr().out.splitlines()
    assert told[:2] == ["ball@1.0.0: now ball@1.1.0", "  1.1.0: finds more"]
    assert command("bundle", "update", "ball") == ExitCode.DONE
    assert "ball@1.1.0: nothing newer at share:" in capsys.readouterr().out
    assert command("bundle", "remove", "ball") == ExitCode.USAGE
    error = capsys.readouterr().err
    assert "ball: say which one to remove: ball@1.0.0, ball@1.1.0" in error
    assert command("bundle", "remove", "ball@1.0.0", "ball@1.1.0") == ExitCode.DONE


def test_a_source_that_is_gone_does_not_keep_others_from_an_update(command, tmp_path, capsys):
    for name in ("ball", "cube"):
        share = tmp_path / name
        share.mkdir()
        packed_bundle(share, name)
        assert command("bundle", "index", share) == ExitCode.DONE
        assert command("bundle", "install", name, "--from", share) == ExitCode.DONE
    shutil.rmtree(tmp_path / "ball")
    packed_bundle(tmp_path / "cube", "cube", "1.1.0")
    assert command("bundle", "index", tmp_path / "cube") == ExitCode.DONE
    capsys.readouterr()
    assert command("bundle", "update") == ExitCode.SOME_CASES_FAILED
    told = capsys.readouterr()
    assert told.err.startswith(f"failed: {tmp_path / 'ball' / 'index.json'}: no share there")
    assert "cube@1.0.0: now cube@1.1.0" in told.out
    assert command("bundle", "update", "ball") == ExitCode.DATA


def test_a_share_is_told_from_a_bundle(command, tmp_path, capsys):
    packed_bundle(tmp_path)
    assert command("bundle", "index", tmp_path) == ExitCode.DONE
    assert command("bundle", "install", tmp_path) == ExitCode.USAGE
    assert f"is a share; name one of its bundles: NAME --from {tmp_path}" in capsys.readouterr().err


def test_an_index_tells_what_it_leaves_out(command, tmp_path, capsys):
    make_zip(tmp_path / "a.zip", "ball", files_of())
    assert command("bundle", "index", tmp_path) == ExitCode.DONE
    told = capsys.readouterr()
    assert told.out == f"{tmp_path}: 0 bundles in index.json and index.html\n"
    assert told.err.startswith(f"left out: {tmp_path / 'a.zip'}: has no list of digests")


@pytest.fixture
def installed(command, tmp_path, capsys):
    """One of the repository's bundles, installed; its folder is gone."""
    bundle = tmp_path / BUNDLE.name
    shutil.copytree(BUNDLE, bundle, ignore=shutil.ignore_patterns("eval"))
    assert command("bundle", "install", bundle) == ExitCode.DONE
    shutil.rmtree(bundle)
    capsys.readouterr()
    return BUNDLE.name


def test_an_installed_bundle_is_named_to_commands(command, installed, tmp_path, capsys):
    assert command("predict", installed, "none.nii.gz", "-o", "out") == ExitCode.DATA
    assert "none.nii.gz: not there" in capsys.readouterr().err
    assert command("train", installed, "--keys", "learning_rate") == ExitCode.DONE
    assert "learning_rate" in capsys.readouterr().out
    assert command("bundle", "inspect", installed, "--json") in (0, ExitCode.NEEDS_TRUST)
    kept = tmp_path / "model.onnx"
    kept.touch()
    assert command("bundle", "export", installed, "-o", kept) == ExitCode.USAGE
    assert f"{kept} already exists" in capsys.readouterr().err
    assert command("predict", "covid", "none.nii.gz", "-o", "out") == ExitCode.USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("medseg: covid: not a bundle: ")
    assert f"; installed: {installed}@" in line


def test_an_installed_bundle_is_trained_into_the_current_folder(
    command, installed, tmp_path, capsys
):
    assert command("train", installed, "dataset_dir=none") == ExitCode.DATA
    output = tmp_path / "elsewhere" / "runs" / installed
    told = capsys.readouterr().err
    assert f"{installed} is installed, so it is left as it is; output_dir={output}" in told
    # Another folder is the user's choice.
    assert command("train", installed, "dataset_dir=none", "output_dir=mine") == ExitCode.DATA
    assert "so it is left as it is" not in capsys.readouterr().err


def test_a_folder_beside_is_a_path_before_it_is_a_name(command, installed, tmp_path, capsys):
    make_folder(tmp_path / "elsewhere" / installed, files_of())
    assert command("train", installed, "--keys") == ExitCode.USAGE
    assert "no config train" in capsys.readouterr().err
