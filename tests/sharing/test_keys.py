"""Keys are made for their owner alone, and only keys that signatures can be by are trusted."""

import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from medseg.errors import DataError, UsageError
from medseg.sharing.signing.keys import new_key_pair, read_private_key
from medseg.sharing.signing.trusted_keys import add_key, remove_key, trusted_keys
from tests.sharing.small_bundle import Authority


@pytest.fixture(autouse=True)
def _own_store(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDSEG_HOME", str(tmp_path / "home"))


def test_the_private_key_is_for_its_owner_alone(tmp_path):
    pair = new_key_pair(tmp_path, "ward")
    assert stat.S_IMODE(pair.private.stat().st_mode) == 0o600
    assert b"PRIVATE" not in pair.public.read_bytes()


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_a_key_is_of_the_curve_that_was_asked_for(curve, tmp_path):
    pair = new_key_pair(tmp_path, "ward", curve=curve)
    assert read_private_key(pair.private).key_size == int(curve[2:])
    assert add_key("ward", pair.public).about == curve


def test_a_key_with_a_passphrase_opens_with_it_alone(tmp_path):
    pair = new_key_pair(tmp_path, "ward", passphrase="two words")
    assert read_private_key(pair.private, "two words").key_size == 256
    with pytest.raises(UsageError, match="is encrypted; give its passphrase"):
        read_private_key(pair.private)
    with pytest.raises(UsageError, match="the passphrase is wrong"):
        read_private_key(pair.private, "one word")


def test_a_passphrase_for_a_key_without_one_is_told(tmp_path):
    pair = new_key_pair(tmp_path, "ward")
    with pytest.raises(UsageError, match="has no passphrase"):
        read_private_key(pair.private, "two words")


@pytest.mark.parametrize("there", ["ward.key", "ward.pub"])
def test_a_key_is_never_replaced(there, tmp_path):
    (tmp_path / there).write_text("the only copy")
    with pytest.raises(UsageError, match="already exists; a key is never replaced"):
        new_key_pair(tmp_path, "ward")
    assert [path.name for path in tmp_path.iterdir()] == [there]


def test_trusted_keys_are_listed_by_name_until_they_are_removed(tmp_path):
    names = ["Zoe", "anna"]
    for name in names:
        add_key(name, new_key_pair(tmp_path, name).public)
    assert [key.name for key in trusted_keys()] == ["anna", "Zoe"]
    assert remove_key("anna").name == "anna"
    assert [key.name for key in trusted_keys()] == ["Zoe"]
    with pytest.raises(UsageError, match="no trusted key has this name; there are: Zoe"):
        remove_key("anna")


def test_two_names_are_never_one_on_another_system(tmp_path):
    add_key("ward", new_key_pair(tmp_path, "a").public)
    with pytest.raises(UsageError, match=r"^ward: is the name of a trusted key already"):
        add_key("WARD", new_key_pair(tmp_path, "b").public)


def test_a_key_has_one_name(tmp_path):
    pair = new_key_pair(tmp_path, "a")
    add_key("ward", pair.public)
    with pytest.raises(UsageError, match="is trusted already, under the name ward"):
        add_key("other", pair.public)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "-x", "a b", "ä", "a" * 65, "a\n"])
def test_a_name_that_is_no_file_name_is_refused(name, tmp_path):
    pair = new_key_pair(tmp_path, "a")
    with pytest.raises(UsageError, match="a key's name has 1 to 64"):
        add_key(name, pair.public)
    assert not (tmp_path / "home").exists()


def test_a_private_key_is_not_taken_for_a_public_one(tmp_path):
    pair = new_key_pair(tmp_path, "a")
    with pytest.raises(DataError, match="is a private key, which nobody else needs"):
        add_key("ward", pair.private)


def test_a_private_key_behind_a_certificate_does_not_reach_the_store(tmp_path):
    pair = new_key_pair(tmp_path, "a")
    authority = Authority(tmp_path / "ca")
    both = tmp_path / "both.pem"
    both.write_bytes(authority.root.read_bytes() + pair.private.read_bytes())
    assert b"PRIVATE" not in add_key("hospital", both).path.read_bytes()


def test_a_certificate_is_told_by_its_subject_and_its_end(tmp_path):
    key = add_key("hospital", Authority(tmp_path, "St Mary").root)
    assert (key.kind, key.about) == ("certificate", "CN=St Mary")
    assert key.ends is not None


def test_a_certificate_that_is_no_root_names_the_one_to_give(tmp_path):
    pair = new_key_pair(tmp_path, "a")
    leaf = Authority(tmp_path / "ca", "St Mary").issue("radiology", pair.public)
    with pytest.raises(DataError, match="give that of its issuer, CN=St Mary"):
        add_key("hospital", leaf)


def _pem(key) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no public key or certificate in PEM"),
        (b"\xff\x00" * 40, "is no public key or certificate in PEM"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "or a damaged one"),
        (_pem(ed25519.Ed25519PrivateKey.generate()), "is no key of the curve P-256"),
        (_pem(ec.generate_private_key(ec.SECP256K1())), "is no key of the curve P-256"),
        (b"x" * 1_000_001, "too large for a file of keys"),
    ],
    ids=["empty", "noise", "damaged certificate", "Ed25519", "another curve", "large"],
)
def test_what_no_signature_can_be_by_is_refused(content, told, tmp_path):
    (tmp_path / "x.pem").write_bytes(content)
    with pytest.raises(DataError, match=told):
        add_key("ward", tmp_path / "x.pem")
    assert list(trusted_keys()) == []
