"""A bundle that is other than it was signed is never called complete and signed."""

import os
import shutil
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.bundles.judgement.tree import FolderTree
from medseg.errors import DataError
from medseg.sharing.digests import Digests, bytes_digest, write_digests
from medseg.sharing.signing import file_digests
from medseg.sharing.signing.file_digests import FolderDigests
from medseg.sharing.signing.keys import new_key_pair
from medseg.sharing.signing.sign import SigningKey, sign_bundle
from medseg.sharing.signing.trusted_keys import add_key
from medseg.sharing.signing.verify import verify, verify_tree
from tests.sharing.small_bundle import FILES, contents, write_bundle, write_zip


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """Two signed bundles, by a key that is trusted as `ward`; each test copies what it changes."""
    folder = tmp_path_factory.mktemp("signed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDSEG_HOME", str(folder / "home"))
        pair = new_key_pair(folder, "ward")
        add_key("ward", pair.public)
        bundle = write_bundle(folder)
        newer = {**FILES, "configs/inference.yaml": b"network_def: {new: 1}\n"}
        for path in (bundle, write_bundle(folder / "newer", newer, version="1.1.0")):
            sign_bundle(path, SigningKey(key=pair.private))
        yield folder


@pytest.fixture
def bundle(signed, tmp_path):
    return shutil.copytree(signed / "spleen", tmp_path / "spleen")


def test_a_bundle_as_it_was_signed_is_complete_and_signed(bundle):
    for path in (bundle, write_zip(bundle)):
        found = verify(path)
        assert (found.complete, found.signer, found.files) == (True, "ward", 4)
        assert (found.name, found.version) == ("spleen", "1.0.0")


def test_what_changed_is_missing_or_was_added_is_named(bundle):
    (bundle / "LICENSE").write_text("GPL\n")
    (bundle / "docs" / "README.md").rename(bundle / "docs" / "readme.md")
    (bundle / "scripts").mkdir()
    (bundle / "scripts" / "net.py").touch()
    for path in (bundle, write_zip(bundle)):
        found = verify(path)
        assert found.changed == ("LICENSE",)
        assert found.missing == ("docs/README.md",)
        assert found.added == ("docs/readme.md", "scripts/net.py")
        assert str(found.signature) == "signed by ward, but not as it is now"
        assert not found.intact


def test_a_link_to_the_same_content_is_a_change(bundle, tmp_path):
    (bundle / "LICENSE").rename(tmp_path / "LICENSE")
    (bundle / "LICENSE").symlink_to(tmp_path / "LICENSE")
    found = verify(bundle)
    assert (found.changed, found.signer) == (("LICENSE",), None)


def test_a_bundle_without_a_signature_is_complete_and_says_so(bundle):
    (bundle / "model.sig").unlink()
    found = verify(bundle)
    assert (found.intact, found.signer, str(found.signature)) == (True, None, "not signed")


def test_the_key_of_a_stranger_is_told_by_its_fingerprint(bundle, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEG_HOME", str(tmp_path / "nobody"))
    found = verify(bundle)
    assert (found.intact, found.signer, found.signature.state) == (True, None, "unknown")
    assert str(found.signature).startswith("signed by an unknown key (fingerprint ")


def test_a_new_list_of_digests_under_an_old_signature_names_the_files(bundle):
    files = {**FILES, "configs/inference.yaml": b"evil\n"}
    (bundle / "configs" / "inference.yaml").write_bytes(b"evil\n")
    listed = {path: bytes_digest(content) for path, content in files.items()}
    new = Digests(name="spleen", version="1.0.0", packed_with="0.1.0", files=listed)
    (bundle / "digests.json").write_bytes(write_digests(new))
    found = verify(bundle)
    assert found.changed == ("configs/inference.yaml", "digests.json")
    assert (found.signature.state, found.signer) == ("other content", None)


@pytest.mark.parametrize("files", [["model.sig"], ["digests.json"], ["model.sig", "digests.json"]])
def test_signature_and_list_of_another_version_do_not_fit(files, bundle, signed):
    for file in files:
        shutil.copy(signed / "newer" / "spleen" / file, bundle / file)
    found = verify(bundle)
    assert (found.complete, found.signer) == (False, None)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"null",
        b"[" * 100_000,
        b"{}",
        b'{"verificationMaterial": {}}',
        b'{"verificationMaterial": []}',
        b'{"verificationMaterial": {"publicKey": {}}}',
        b'{"verificationMaterial": {"x509CertificateChain": {"certificates": []}}}',
        b'{"verificationMaterial": {"x509CertificateChain": {"certificates": [{"rawBytes": ""}]}}}',
    ],
)
def test_a_file_that_is_no_signature_is_a_broken_one(content, bundle):
    (bundle / "model.sig").write_bytes(content)
    found = verify(bundle)
    assert (found.complete, found.intact, found.signature.state) == (True, False, "broken")


def test_a_folder_that_was_not_packed_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"has no digests\.json, so it was not packed"):
        verify(tmp_path)
    with pytest.raises(DataError, match="nowhere: not found; give a bundle's zip or folder"):
        verify(tmp_path / "nowhere")


def _flipped(content: bytes, place: int, bit: int) -> bytes:
    at = place % len(content)
    return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]


@st.composite
def tamperings(draw):
    """A change of a bundle's files, as a function of the dictionary of their contents."""
    kind = draw(st.sampled_from(["flip", "cut", "add", "remove", "rename", "case", "swap"]))
    place, bit = draw(st.integers(0, 10**6)), draw(st.integers(0, 7))
    name = draw(st.text("abcXYZ._-/é", min_size=1, max_size=12))

    def tamper(files):
        path = sorted(files)[place % len(files)]
        content = files[path]
        if kind == "flip":
            files[path] = _flipped(content, place, bit)
        elif kind == "cut":
            files[path] = content[: place % len(content)]
        elif kind == "add":
            files[f"new/{name.strip('/') or 'x'}".replace("//", "/")] = b"x"
        elif kind == "swap":
            other = sorted(files)[(place + 1) % len(files)]
            files[path], files[other] = files[other], files[path]
        else:
            del files[path]
            if kind != "remove":
                files[path.swapcase() if kind == "case" else f"{path}{bit}"] = content

    return tamper


@given(changes=st.lists(tamperings(), min_size=1, max_size=3))
def test_a_bundle_that_was_tampered_with_is_never_complete_and_signed(
    changes, signed, tmp_path_factory
):
    before = contents(signed / "spleen")
    files = dict(before)
    for change in changes:
        if files:
            change(files)
    bundle = tmp_path_factory.mktemp("tampered") / "spleen.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        for path, content in files.items():
            archive.writestr(f"spleen/{path}", content)
    del before["model.sig"]
    files.pop("model.sig", None)
    try:
        found = verify(bundle)
    except DataError:
        return
    # Several changes may undo each other, and a signature has bits that mean nothing.
    assert found.signer is None or files == before


@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_bit_of_a_zip_flipped_changes_no_file_unseen(place, bit, signed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("flipped")
    bundle = shutil.copytree(signed / "spleen", folder / "spleen")
    path = write_zip(bundle)
    path.write_bytes(_flipped(path.read_bytes(), place, bit))
    try:
        found = verify(path)
    except DataError:
        return
    if found.signer:
        with zipfile.ZipFile(path) as archive:
            files = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
        del files["model.sig"]
        assert files == {p: c for p, c in contents(bundle).items() if p != "model.sig"}


class Counted(FolderTree):
    """A folder that notes which of its files are read."""

    def __init__(self, folder):
        super().__init__(folder)
        self.was_read = []

    def chunks(self, path):
        self.was_read.append(path)
        return super().chunks(path)


def read_again(bundle, reread="changed"):
    """The files that a verification of a folder reads."""
    tree = Counted(bundle)
    verify_tree(tree, FolderDigests(bundle, reread))
    return sorted(tree.was_read)


@pytest.fixture
def _no_tick(monkeypatch):
    # Else a file has to lie for two seconds before it is believed to be unchanged.
    monkeypatch.setattr(file_digests, "_TICK_NS", 0)


@pytest.mark.usefixtures("_no_tick")
def test_a_folder_that_was_verified_is_read_where_it_changed(bundle):
    everything = sorted([*FILES, "digests.json"])
    assert read_again(bundle) == everything
    assert read_again(bundle) == []
    (bundle / "LICENSE").write_bytes(FILES["LICENSE"])
    assert read_again(bundle) == ["LICENSE"]
    assert read_again(bundle, "all") == everything


@pytest.mark.usefixtures("_no_tick")
def test_a_change_of_the_same_size_whose_time_is_set_back_is_found(bundle):
    file = bundle / "models" / "model.safetensors"
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    assert verify(bundle).complete
    file.write_bytes(bytes(64))
    os.utime(file, ns=times)
    assert file.stat().st_mtime_ns == times[1]
    assert verify(bundle).changed == ("models/model.safetensors",)


@pytest.mark.usefixtures("_no_tick")
def test_what_is_known_of_a_folder_is_not_believed_of_another_in_its_place(bundle, signed):
    assert verify(bundle).complete
    shutil.rmtree(bundle)
    shutil.copytree(signed / "newer" / "spleen", bundle)
    assert verify(bundle).version == "1.1.0"
    assert verify(bundle).signer == "ward"


def test_a_file_of_this_moment_is_read_again(bundle):
    (bundle / "LICENSE").write_bytes(FILES["LICENSE"])
    read_again(bundle)
    assert "LICENSE" in read_again(bundle)


@pytest.mark.usefixtures("_no_tick")
@pytest.mark.parametrize("content", ["", "[]", "{}", '{"folder": 1}', "[" * 100_000])
def test_a_damaged_note_of_what_is_known_costs_a_reading_alone(content, bundle):
    verify(bundle)
    (note,) = [
        path
        for path in (file_digests.user_folder() / "verified").iterdir()
        if str(bundle) in path.read_text()
    ]
    note.write_text(content)
    assert read_again(bundle) == sorted([*FILES, "digests.json"])


@pytest.mark.usefixtures("_no_tick")
def test_where_nothing_can_be_noted_all_is_read(bundle, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MEDSEG_HOME", str(tmp_path / "file"))
    assert read_again(bundle) == read_again(bundle) == sorted([*FILES, "digests.json"])
