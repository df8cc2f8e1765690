"""What is signed here, model-signing's own command verifies, and the other way round."""

import shutil
import subprocess
import sys
import zipfile

import pytest

from medseg.bundles.judgement.zips.zip_tree import ZipTree, extract
from medseg.errors import DataError, UsageError
from medseg.sharing.signing.keys import new_key_pair
from medseg.sharing.signing.sign import SigningKey, sign_bundle
from medseg.sharing.signing.trusted_keys import add_key
from medseg.sharing.signing.verify import verify
from tests.sharing.small_bundle import Authority, contents, write_bundle, write_zip


@pytest.fixture(autouse=True)
def _own_store(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDSEG_HOME", str(tmp_path / "home"))


@pytest.fixture
def bundle(tmp_path):
    return write_bundle(tmp_path)


@pytest.fixture
def pair(tmp_path):
    return new_key_pair(tmp_path / "keys", "ward")


def model_signing(*words) -> subprocess.CompletedProcess[str]:
    """The library's own command."""
    command = [sys.executable, "-m", "model_signing", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def their_verdict(folder, *words) -> int:
    return model_signing("verify", *words, "--signature", folder / "model.sig", folder).returncode


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_model_signing_verifies_a_folder_that_is_signed_here(curve, bundle, tmp_path):
    pair = new_key_pair(tmp_path, "ward", curve=curve)
    sign_bundle(bundle, SigningKey(key=pair.private))
    assert their_verdict(bundle, "key", "--public_key", pair.public) == 0
    (bundle / "LICENSE").write_text("GPL\n")
    assert their_verdict(bundle, "key", "--public_key", pair.public) == 1


def test_model_signing_verifies_a_zip_that_is_signed_here_once_it_is_unpacked(
    bundle, pair, tmp_path
):
    archive = write_zip(bundle)
    sign_bundle(archive, SigningKey(key=pair.private))
    extract(ZipTree(archive), tmp_path / "unpacked")
    assert their_verdict(tmp_path / "unpacked", "key", "--public_key", pair.public) == 0


def test_a_folder_that_model_signing_signed_verifies_here_also_as_a_zip(bundle, pair):
    done = model_signing(
        *("sign", "key", "--private_key", pair.private),
        *("--signature", bundle / "model.sig", bundle),
    )
    assert done.returncode == 0, done.stderr
    add_key("radiology", pair.public)
    assert verify(bundle).signer == "radiology"
    assert verify(write_zip(bundle)).signer == "radiology"


def test_certificates_of_an_institution_verify_under_its_root_in_both(bundle, pair, tmp_path):
    authority = Authority(tmp_path / "ca", "St Mary")
    certificate = authority.issue("radiology", pair.public)
    signing = SigningKey(key=pair.private, certificate=certificate, chain=[authority.root])
    sign_bundle(bundle, signing)
    assert their_verdict(bundle, "certificate", "--certificate_chain", authority.root) == 0
    add_key("mary", authority.root)
    found = verify(bundle)
    assert (found.signer, found.signature.about) == ("mary", "CN=radiology")
    assert str(found.signature) == "signed by mary (CN=radiology)"


def test_a_signature_with_a_certificate_by_model_signing_verifies_here(bundle, pair, tmp_path):
    authority = Authority(tmp_path / "ca")
    certificate = authority.issue("radiology", pair.public)
    done = model_signing(
        *("sign", "certificate", "--private_key", pair.private),
        *("--signing_certificate", certificate, "--certificate_chain", authority.root),
        *("--signature", bundle / "model.sig", bundle),
    )
    assert done.returncode == 0, done.stderr
    add_key("hospital", authority.root)
    assert verify(bundle).signer == "hospital"


def test_a_certificate_of_another_authority_of_the_same_name_is_unknown(bundle, pair, tmp_path):
    ours, theirs = (Authority(tmp_path / name, "St Mary") for name in ("ours", "theirs"))
    certificate = theirs.issue("radiology", pair.public)
    sign_bundle(bundle, SigningKey(key=pair.private, certificate=certificate, chain=[theirs.root]))
    add_key("mary", ours.root)
    found = verify(bundle)
    assert (found.signature.state, found.signer, found.complete) == ("unknown", None, True)


def test_a_certificate_that_has_run_out_counts_no_longer(bundle, pair, tmp_path):
    authority = Authority(tmp_path / "ca")
    certificate = authority.issue("radiology", pair.public, days=(-20, -1))
    sign_bundle(bundle, SigningKey(key=pair.private, certificate=certificate))
    # model-signing sets its clock to the certificate's first day.
    assert their_verdict(bundle, "certificate", "--certificate_chain", authority.root) == 0
    add_key("hospital", authority.root)
    found = verify(bundle)
    assert (found.signature.state, found.signer) == ("expired", None)


def test_a_certificate_by_one_that_may_not_issue_any_is_unknown(bundle, pair, tmp_path):
    authority = Authority(tmp_path / "ca")
    member = new_key_pair(tmp_path, "member")
    own = authority.issue("member", member.public)
    forged = Authority(tmp_path / "forger", "member", key_file=member.private)
    certificate = forged.issue("chief", pair.public)
    sign_bundle(bundle, SigningKey(key=pair.private, certificate=certificate, chain=[own]))
    add_key("hospital", authority.root)
    found = verify(bundle)
    assert (found.signature.state, found.signer) == ("unknown", None)


def test_a_root_that_has_run_out_counts_no_longer(bundle, pair, tmp_path):
    authority = Authority(tmp_path / "ca", days=(-800, -1))
    certificate = authority.issue("radiology", pair.public, days=(-20, 300))
    sign_bundle(bundle, SigningKey(key=pair.private, certificate=certificate))
    add_key("hospital", authority.root)
    found = verify(bundle)
    assert (found.signature.state, found.signer) == ("expired", None)


def test_a_certificate_of_another_key_is_refused(bundle, pair, tmp_path):
    other = new_key_pair(tmp_path, "other")
    certificate = Authority(tmp_path / "ca").issue("radiology", other.public)
    with pytest.raises(DataError, match="is the certificate of another key"):
        sign_bundle(bundle, SigningKey(key=pair.private, certificate=certificate))
    assert not (bundle / "model.sig").exists()


@pytest.mark.parametrize("by", ["key", "certificate"])
def test_a_key_with_a_passphrase_signs(by, bundle, tmp_path):
    pair = new_key_pair(tmp_path, "ward", passphrase="two words")
    authority = Authority(tmp_path / "ca")
    own = authority.issue("radiology", pair.public) if by == "certificate" else None
    sign_bundle(bundle, SigningKey(key=pair.private, passphrase="two words", certificate=own))
    add_key("ward", authority.root if own else pair.public)
    assert verify(bundle).signer == "ward"


def test_a_signed_zip_holds_the_same_files_and_the_signature_alone(bundle, pair, tmp_path):
    archive, signed = write_zip(bundle), tmp_path / "signed.zip"
    before = archive.read_bytes()
    sign_bundle(archive, SigningKey(key=pair.private), output=signed)
    assert archive.read_bytes() == before
    with zipfile.ZipFile(signed) as new:
        files = {name: new.read(name) for name in new.namelist()}
    added = files.pop("spleen/model.sig")
    assert added
    assert files == {f"spleen/{path}": content for path, content in contents(bundle).items()}


def test_a_signature_is_replaced_only_when_told(bundle, pair, tmp_path):
    archive = write_zip(bundle)
    sign_bundle(archive, SigningKey(key=pair.private))
    other = new_key_pair(tmp_path, "other")
    with pytest.raises(UsageError, match="is signed already; use --overwrite"):
        sign_bundle(archive, SigningKey(key=other.private))
    sign_bundle(archive, SigningKey(key=other.private), existing="replace")
    add_key("other", other.public)
    assert verify(archive).signer == "other"
    with zipfile.ZipFile(archive) as new:
        assert new.namelist().count("spleen/model.sig") == 1


def test_a_bundle_that_is_not_as_it_was_packed_is_not_signed(bundle, pair):
    (bundle / "LICENSE").write_text("GPL\n")
    with pytest.raises(DataError, match=r"not as it was packed \(1 files, such as LICENSE\)"):
        sign_bundle(bundle, SigningKey(key=pair.private))
    assert not (bundle / "model.sig").exists()


def test_a_folder_that_was_not_packed_is_not_signed(bundle, pair):
    (bundle / "digests.json").unlink()
    with pytest.raises(DataError, match="so it was not packed by `medseg bundle pack`"):
        sign_bundle(bundle, SigningKey(key=pair.private))


def test_the_name_of_the_folder_does_not_count(bundle, pair, tmp_path):
    sign_bundle(bundle, SigningKey(key=pair.private))
    add_key("ward", pair.public)
    shutil.copytree(bundle, tmp_path / "Größe 3 [b]")
    assert verify(tmp_path / "Größe 3 [b]").signer == "ward"
