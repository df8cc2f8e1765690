"""What is installed is whole, and found by its name from anywhere."""

import hashlib
import json
import os
import stat
import sys

import pytest

from medseg.bundles.configs import config_paths
from medseg.errors import DataError, RefusedError, UsageError
from medseg.sharing.publishing.share import write_index
from medseg.sharing.sources.source import parse_source
from medseg.sharing.store.bundle_path import bundle_path, given_bundle
from medseg.sharing.store.install import install
from medseg.sharing.store.store import (
    find_installed,
    installed_bundles,
    matching_bundles,
    remove_installed,
    store_folder,
)
from tests.sharing.plain_bundles import files_of, listed, make_folder, make_zip, packed_bundle
from tests.sharing.web_server import Server, served


@pytest.fixture(autouse=True)
def _own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEG_HOME", str(tmp_path / "home"))


def installed(path, **options):
    return install(parse_source(str(path), **options))


def remains():
    """What lies in the store beside bundles."""
    hidden = (path for path in store_folder().glob(".*/*"))
    return [path for path in hidden if path.suffix != ".lock"]


def test_a_zip_is_installed_as_it_is_and_read_only(tmp_path):
    done = installed(packed_bundle(tmp_path))
    assert (done.done, done.judgement.verdict) == ("installed", "safe")
    folder = find_installed("ball").folder
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert files == listed("ball", "1.0.0", files_of())
    assert not any(path.stat().st_mode & stat.S_IWUSR for path in [folder, *folder.rglob("*")])
    assert remains() == []


def test_a_folder_is_installed_and_told_to_have_no_list_of_digests(tmp_path):
    done = installed(make_folder(tmp_path / "Ball_ct", files_of()))
    assert done.installed.name == "Ball_ct@1.0.0"
    assert done.installed.record.listed == "no list of digests"
    assert find_installed("Ball_ct").folder.name == "Ball_ct"


def test_a_zip_without_a_list_is_named_by_its_folder(tmp_path):
    done = installed(make_zip(tmp_path / "x.zip", "spleen_ct", files_of("0.5.9")))
    assert done.installed.name == "spleen_ct@0.5.9"


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no UTF-8 are Linux's")
def test_a_path_that_is_no_utf_8_is_recorded_as_it_is_shown(tmp_path):
    folder = tmp_path / os.fsdecode(b"\xfcbung")
    record = installed(packed_bundle(folder)).installed.record
    assert record.source.asked == f"{tmp_path}/\\xfcbung/ball-1.0.0.zip"


def test_the_same_bundle_twice_is_there_once(tmp_path):
    path = packed_bundle(tmp_path)
    first, second = installed(path), installed(path)
    assert (first.done, second.done) == ("installed", "already installed")
    assert len(installed_bundles()) == 1


def test_a_damaged_bundle_is_replaced_when_it_is_installed_again(tmp_path):
    path = packed_bundle(tmp_path)
    card = installed(path).installed.folder / "docs" / "README.md"
    card.chmod(0o644)
    card.write_bytes(b"# Fall\n")
    assert installed(path).done == "installed"
    assert card.read_bytes() == b"# Ball\n"


def test_the_newest_version_is_meant_by_a_name_alone(tmp_path):
    for version in ("1.10.0", "1.9.0"):
        installed(packed_bundle(tmp_path, version=version))
    assert find_installed("ball").record.version == "1.10.0"
    assert find_installed("ball@1.9.0").record.version == "1.9.0"
    assert [one.record.version for one in matching_bundles("ball")] == ["1.9.0", "1.10.0"]


def test_two_contents_of_one_version_have_to_be_told_apart(tmp_path):
    names = {
        installed(packed_bundle(tmp_path / task, task=task)).installed.full_name
        for task in ("one", "two")
    }
    for name in ("ball", "ball@1.0.0"):
        with pytest.raises(UsageError, match="several contents; use one of") as error:
            find_installed(name)
        assert all(name in str(error.value) for name in names)
    assert {find_installed(name).full_name for name in names} == names


def test_a_removed_bundle_is_gone_with_its_empty_folders(tmp_path):
    installed(packed_bundle(tmp_path))
    remove_installed([find_installed("ball")])
    assert installed_bundles() == []
    assert not (store_folder() / "ball").exists()
    assert remains() == []


def test_a_damaged_record_is_one_line_with_its_folder(tmp_path):
    folder = installed(packed_bundle(tmp_path)).installed.folder.parent
    (folder / "installed.json").write_text("{}")
    with pytest.raises(DataError, match=rf"^{folder}: .*remove this folder"):
        find_installed("ball")


def test_a_name_is_a_bundle_from_anywhere_and_a_path_comes_first(tmp_path, monkeypatch):
    installed(packed_bundle(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert given_bundle("ball").kept == "installed"
    assert bundle_path("ball@1.0.0").is_relative_to(store_folder())
    # Results of a training in a folder of the same name are no bundle.
    (tmp_path / "ball").mkdir()
    assert given_bundle("ball").kept == "installed"
    make_folder(tmp_path / "ball", files_of())
    assert given_bundle("ball").kept == "own"
    assert str(bundle_path("ball")) == "ball"


def test_what_is_neither_path_nor_name_is_told_with_what_is_installed(tmp_path):
    with pytest.raises(UsageError, match=r"not a bundle: .*; none is installed"):
        bundle_path("ball")
    installed(packed_bundle(tmp_path))
    with pytest.raises(UsageError, match=r"not a bundle: .*; installed: ball@1.0.0"):
        bundle_path("bell")
    with pytest.raises(UsageError, match=r"ball@2.0.0: no such bundle is installed; installed: ba"):
        bundle_path("ball@2.0.0")
    with pytest.raises(UsageError, match=r"^bell.zip: .*neither a file or folder"):
        bundle_path("bell.zip")


def test_a_zip_where_a_folder_is_needed_is_told_to_be_installed(tmp_path):
    path = packed_bundle(tmp_path)
    with pytest.raises(UsageError, match=r"is a zip; install it \(medseg bundle install\)"):
        config_paths(path, [])


def test_names_that_differ_in_case_alone_are_not_both_installed(tmp_path):
    installed(make_folder(tmp_path / "ball", files_of()))
    with pytest.raises(DataError, match="differs from the installed ball in case alone"):
        installed(make_folder(tmp_path / "other" / "Ball", files_of()))


def wrong(files, **changes):
    return {path: content for path, content in {**files, **changes}.items() if content is not None}


WHOLE = listed("ball", "1.0.0", files_of())


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (wrong(WHOLE, LICENSE=b"MIT"), "changed: LICENSE"),
        (wrong(WHOLE, LICENSE=None), "missing: LICENSE"),
        (wrong(WHOLE, extra=b"1"), "added: extra"),
        (wrong(WHOLE, **{"configs/metadata.json": None}), "not a bundle"),
        (wrong(WHOLE, **{"digests.json": b"{}"}), "no list of digests"),
        (wrong(files_of(), **{"configs/metadata.json": b"{"}), "no JSON"),
        (wrong(files_of(), **{"configs/metadata.json": b"[1]"}), "no keys and values"),
        (files_of("1.0.0/../.."), "its version"),
        (listed("ball", "2.0.0", files_of()), "says version 2.0.0"),
        (wrong(WHOLE, **{"model.sig": b"{}"}), "signature is broken"),
    ],
)
def test_what_is_not_sound_is_not_installed(tmp_path, files, words):
    path = make_zip(tmp_path / "a.zip", "ball", files)
    with pytest.raises(DataError, match=words) as error:
        installed(path)
    assert "\n" not in str(error.value)
    assert installed_bundles() == []
    assert remains() == []


def test_what_is_refused_is_not_installed(tmp_path):
    files = {**files_of(), "configs/train.yaml": b"a: !!python/object/apply:os.system [x]\n"}
    with pytest.raises(RefusedError, match=r"refused, and not installed: configs/train.yaml:1"):
        installed(make_zip(tmp_path / "a.zip", "ball", files))
    assert installed_bundles() == []


def test_what_needs_trust_is_installed_and_told(tmp_path):
    files = {**files_of(), "configs/train.yaml": b"a: {_target_: scripts.net.Net}\n"}
    done = installed(make_zip(tmp_path / "a.zip", "ball", files))
    assert done.installed.record.verdict == "needs trust"
    assert done.installed.record.places == len(done.judgement.places) > 0


def test_a_link_in_a_folder_is_not_followed(tmp_path):
    folder = make_folder(tmp_path / "ball", files_of())
    (folder / "docs" / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(DataError, match="is a link"):
        installed(folder)
    assert installed_bundles() == []


def test_a_digest_is_held_to(tmp_path):
    path = packed_bundle(tmp_path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(DataError, match=f"has SHA-256 {sha256}, not {'0' * 64}"):
        installed(path, sha256="0" * 64)
    assert installed(path, sha256=f"SHA256:{sha256}".lower()).done == "installed"


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        ("none.zip", {}, "no such file or folder"),
        ("ftp://example.org/a.zip", {}, "unknown scheme ftp; use"),
        ("https://example.org/a.zip", {}, "add --sha256"),
        ("https://example.org/a.zip", {"sha256": "12"}, "64 hexadecimal digits"),
        ("http://example.org/a.zip", {"sha256": "0" * 64}, "not encrypted"),
        ("share:/nowhere", {}, "names no bundle"),
        ("a/b", {"share": "."}, "no name of a bundle"),
        ("ball", {"share": "ftp://example.org"}, "a share is a folder"),
    ],
)
def test_sources_that_lead_nowhere(tmp_path, source, options, words):
    with pytest.raises(UsageError, match=words) as error:
        installed(source, **options)
    assert "\n" not in str(error.value)


@pytest.fixture
def share(tmp_path):
    for version in ("1.0.0", "1.1.0"):
        packed_bundle(tmp_path / "share", version=version)
    write_index(tmp_path / "share")
    return tmp_path / "share"


def on_the_web(share):
    return Server(files={f"/bundles/{path.name}": path.read_bytes() for path in share.iterdir()})


def test_the_newest_of_a_share_is_installed_or_the_one_asked_for(share):
    assert installed("ball", share=str(share)).installed.name == "ball@1.1.0"
    assert installed("ball@1.0.0", share=str(share)).installed.name == "ball@1.0.0"
    with pytest.raises(UsageError, match=r"has no ball@3; it has ball@1.0.0, ball@1.1.0"):
        installed("ball@3", share=str(share))
    with pytest.raises(UsageError, match=r"has no bell; it has ball@1.0.0, ball@1.1.0"):
        installed("bell", share=str(share))


@pytest.mark.parametrize("end", ["", "/", "/index.html"])
def test_a_share_on_a_web_server_is_the_same_and_not_needed_afterwards(share, end):
    with served(on_the_web(share)) as server:
        done = installed("ball", share=f"{server.url}/bundles{end}")
    assert done.installed.record.source.asked == f"share:{server.url}/bundles{end}#ball"
    assert done.installed.record.source.found == f"{server.url}/bundles/ball-1.1.0.zip"
    assert find_installed("ball").folder == done.installed.folder
    assert remains() == []


def test_what_is_installed_is_not_fetched_again(share):
    with served(on_the_web(share)) as server:
        for _ in range(2):
            installed("ball", share=f"{server.url}/bundles")
    assert [path for path, _ in server.asked].count("/bundles/ball-1.1.0.zip") == 1


def test_a_zip_at_an_address_is_taken_with_its_digest(share):
    with served(on_the_web(share)) as server:
        url = f"{server.url}/bundles/ball-1.0.0.zip"
        sha256 = hashlib.sha256((share / "ball-1.0.0.zip").read_bytes()).hexdigest()
        with pytest.raises(DataError, match="it is another file"):
            installed(url, sha256="0" * 64)
        assert installed(url, sha256=sha256).installed.name == "ball@1.0.0"
    assert remains() == []


def test_an_index_cannot_lead_elsewhere(share):
    index = json.loads((share / "index.json").read_text())
    for file in ("../../secret.zip", "https://example.org/a.zip", "/etc/a.zip", "a.zip\n"):
        index["bundles"][0]["file"] = file
        (share / "index.json").write_text(json.dumps(index))
        with pytest.raises(DataError, match=r"no index of a share \(bundles.0.file"):
            installed("ball", share=str(share))


def test_a_zip_that_is_not_the_indexs_is_not_installed(share):
    path = share / "ball-1.1.0.zip"
    path.write_bytes((share / "ball-1.0.0.zip").read_bytes())
    with pytest.raises(DataError, match="it is another file"):
        installed("ball", share=str(share))
    assert installed_bundles() == []


def test_an_index_that_is_too_large_is_not_read_to_its_end(share, monkeypatch):
    monkeypatch.setattr("medseg.sharing.sources.share.MOST_INDEX_BYTES", 100)
    with pytest.raises(DataError, match="larger than 100 bytes"):
        installed("ball", share=str(share))
    with served(on_the_web(share)) as server, pytest.raises(DataError, match="larger than 100"):
        installed("ball", share=f"{server.url}/bundles")
