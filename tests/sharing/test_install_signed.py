"""Who signed a bundle is told by its installation, asked for, and kept by its updates."""

import zipfile

import pytest

from medseg.errors import DataError, UsageError
from medseg.sharing.publishing.share import write_index
from medseg.sharing.signing.keys import new_key_pair
from medseg.sharing.signing.sign import SigningKey, sign_bundle
from medseg.sharing.signing.trusted_keys import add_key, remove_key
from medseg.sharing.sources.source import parse_source
from medseg.sharing.store.install import install
from medseg.sharing.store.store import find_installed, installed_bundles, remove_installed
from medseg.sharing.store.update import update
from tests.sharing.plain_bundles import packed_bundle


@pytest.fixture(autouse=True)
def _own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEG_HOME", str(tmp_path / "home"))


@pytest.fixture
def keys(tmp_path):
    """Two pairs of keys; the first is trusted."""
    pairs = {name: new_key_pair(tmp_path / "keys", name) for name in ("clinic", "other")}
    add_key("clinic", pairs["clinic"].public)
    return pairs


def signed(path, pair):
    sign_bundle(path, SigningKey(key=pair.private))
    return path


def installed(path, **options):
    return install(parse_source(str(path)), **options).installed


def test_a_trusted_signer_is_told_by_name_and_can_be_asked_for(tmp_path, keys):
    record = installed(signed(packed_bundle(tmp_path), keys["clinic"]), signed_by="clinic").record
    assert (record.signed_by, record.signature) == ("clinic", "signed by clinic")


def test_a_name_of_no_key_is_told_before_anything_is_fetched(tmp_path, keys):
    with pytest.raises(UsageError, match="no trusted key has the name clinik; there are: clinic"):
        installed("https://example.org/a.zip", signed_by="clinik")


def test_another_key_is_told_and_does_not_do_for_the_one_asked_for(tmp_path, keys):
    path = signed(packed_bundle(tmp_path), keys["other"])
    with pytest.raises(
        DataError, match=r"signed by an unknown key .*; it was to be signed by clinic"
    ):
        installed(path, signed_by="clinic")
    assert installed_bundles() == []
    record = installed(path).record
    assert record.signed_by is None
    assert record.signature.startswith("signed by an unknown key (fingerprint ")


def test_a_name_that_is_signed_is_not_taken_over_by_another_key_or_by_none(tmp_path, keys):
    installed(signed(packed_bundle(tmp_path / "a"), keys["clinic"]))
    newer = packed_bundle(tmp_path / "b", version="99.0.0")
    told = r"not signed, but the installed ball is signed by clinic; `medseg bundle remove ball`"
    with pytest.raises(DataError, match=told):
        installed(newer)
    with pytest.raises(DataError, match=r"signed by an unknown key .* is signed by clinic"):
        installed(signed(newer, keys["other"]))
    assert find_installed("ball").record.version == "1.0.0"
    remove_installed(installed_bundles())
    assert installed(newer).record.version == "99.0.0"


def test_a_signature_of_another_content_is_not_installed(tmp_path, keys):
    signature = signed(packed_bundle(tmp_path / "a"), keys["clinic"])
    path = packed_bundle(tmp_path / "b", task="Else")
    move_signature(signature, path)
    with pytest.raises(DataError, match=r"changed: configs/metadata\.json"):
        installed(path)
    assert installed_bundles() == []


def move_signature(signed_zip, path):
    with zipfile.ZipFile(signed_zip) as source, zipfile.ZipFile(path, "a") as target:
        target.writestr("ball/model.sig", source.read("ball/model.sig"))


def test_an_update_has_to_be_signed_by_the_same_key(tmp_path, keys):
    share = tmp_path / "share"
    signed(packed_bundle(share), keys["clinic"])
    write_index(share)
    before = install(parse_source("ball", share=str(share))).installed
    newer = signed(packed_bundle(share, version="1.1.0"), keys["other"])
    write_index(share)
    with pytest.raises(DataError, match="; it was to be signed by clinic"):
        update(before)
    assert find_installed("ball").record.version == "1.0.0"
    newer.unlink()
    signed(packed_bundle(share, version="1.1.0"), keys["clinic"])
    write_index(share)
    assert update(before).after is not None
    assert find_installed("ball").record.signed_by == "clinic"


def test_a_key_that_is_trusted_later_is_told_when_it_is_installed_again(tmp_path, keys):
    remove_key("clinic")
    path = signed(packed_bundle(tmp_path), keys["clinic"])
    assert installed(path).record.signed_by is None
    add_key("clinic", keys["clinic"].public)
    assert installed(path).record.signed_by == "clinic"
    assert find_installed("ball").record.signed_by == "clinic"
