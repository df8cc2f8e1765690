"""`medseg bundle keys`, `sign` and `verify` as their users have them."""

import json

import pytest

from tests.sharing.small_bundle import write_bundle, write_zip


@pytest.fixture(autouse=True)
def _own_store(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDSEG_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def bundle(tmp_path):
    return write_bundle(tmp_path)


def test_a_zip_is_signed_by_a_new_key_and_verified(bundle, command, capsys):
    archive = write_zip(bundle)
    assert command("bundle", "keys", "new", "ward") == 0
    assert "ward.pub: the public key" in capsys.readouterr().out
    assert command("bundle", "sign", archive, "--key", "ward.key") == 0
    assert "signed by the key with fingerprint" in capsys.readouterr().out
    assert command("bundle", "verify", archive, "--signed-by", "ward") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{archive}: complete: spleen 1.0.0, sha256 ")
    assert first.endswith("all 4 files as listed")
    assert second == f"{archive}: signed by ward"


def test_an_incomplete_bundle_is_told_file_by_file(bundle, command, capsys):
    (bundle / "LICENSE").unlink()
    (bundle / "new").write_text("x")
    (bundle / "docs" / "README.md").write_text("y")
    assert command("bundle", "verify", bundle) == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{bundle}: incomplete: spleen 1.0.0")
    assert lines[1:4] == ["  changed: docs/README.md", "  missing: LICENSE", "  added: new"]
    assert lines[4] == f"{bundle}: not signed"


def test_no_signature_is_told_and_refused_only_where_one_is_asked_for(bundle, command, capsys):
    assert command("bundle", "verify", bundle) == 0
    assert f"{bundle}: not signed\n" in capsys.readouterr().out
    assert command("bundle", "verify", bundle, "--signed") == 3
    assert "is not signed by a trusted key as it is" in capsys.readouterr().err


def test_the_signature_of_another_trusted_key_is_not_the_one_asked_for(bundle, command, capsys):
    for name in ("ward", "other"):
        assert command("bundle", "keys", "new", name) == 0
    assert command("bundle", "sign", bundle, "--key", "ward.key") == 0
    assert command("bundle", "verify", bundle, "--signed") == 0
    assert command("bundle", "verify", bundle, "--signed-by", "other") == 3
    assert "is not signed by other as it is" in capsys.readouterr().err
    assert command("bundle", "verify", bundle, "--signed-by", "othr") == 2
    assert "no trusted key has this name; there are: other, ward" in capsys.readouterr().err


def test_the_verdict_as_json(bundle, command, capsys):
    (bundle / "LICENSE").unlink()
    assert command("bundle", "verify", bundle, "--json") == 3
    found = json.loads(capsys.readouterr().out)
    assert (found["complete"], found["missing"], found["signature"]) == (False, ["LICENSE"], "none")
    assert command("bundle", "keys", "list", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_folder_is_read_whole_when_told(bundle, command):
    assert command("bundle", "verify", bundle) == 0
    assert command("bundle", "verify", bundle, "--full") == 0


def test_keys_are_added_listed_and_removed(command, capsys):
    assert command("bundle", "keys", "list") == 0
    assert "no key is trusted" in capsys.readouterr().out
    assert command("bundle", "keys", "new", "ward", "--curve", "P-384", "-o", "keys") == 0
    assert command("bundle", "keys", "remove", "ward") == 0
    assert command("bundle", "keys", "add", "radiology", "keys/ward.pub") == 0
    capsys.readouterr()
    assert command("bundle", "keys", "list") == 0
    assert capsys.readouterr().out.startswith("radiology: key P-384, fingerprint ")


def test_a_name_in_use_makes_no_key(command, capsys, tmp_path):
    assert command("bundle", "keys", "new", "ward") == 0
    assert command("bundle", "keys", "new", "Ward", "-o", "other") == 2
    assert "is the name of a trusted key already" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_a_passphrase_comes_from_a_file_where_there_is_no_terminal(
    bundle, command, capsys, tmp_path
):
    (tmp_path / "words").write_text("two words\n")
    assert command("bundle", "keys", "new", "ward", "--passphrase-file", "words") == 0
    assert command("bundle", "sign", bundle, "--key", "ward.key") == 2
    assert "ward.key: is encrypted; give --passphrase-file" in capsys.readouterr().err
    assert command("bundle", "sign", bundle, "--key", "ward.key", "--passphrase-file", "words") == 0
    assert command("bundle", "verify", bundle, "--signed-by", "ward") == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["sign", "spleen", "--key", "nowhere"], "nowhere: no such file"),
        (["sign", "spleen", "--key", "spleen/LICENSE"], "is no private key in PEM"),
        (["sign", "spleen", "--key", "ward.key", "-o", "x.zip"], "a folder is signed in place"),
        (["sign", "spleen", "--key", "ward.key", "--chain", "x"], "give --certificate too"),
        (["verify", "nowhere"], "nowhere: not a bundle"),
        (["verify", "spleen/LICENSE"], "is no zip"),
    ],
)
def test_what_cannot_be_is_one_line(words, told, bundle, command, capsys):
    assert command("bundle", "keys", "new", "ward") == 0
    assert command("bundle", *words) in (2, 3)
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not (bundle / "model.sig").exists()
