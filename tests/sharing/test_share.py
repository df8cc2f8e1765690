"""A share lists what it holds, and what was published stays."""

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.errors import DataError, UsageError
from medseg.sharing.publishing.publish import publish
from medseg.sharing.publishing.share import write_index
from medseg.sharing.publishing.share_index import Entry, Index
from medseg.sharing.publishing.share_page import share_page
from medseg.sharing.sources.source import parse_source
from medseg.sharing.store.install import install
from medseg.sharing.store.store import find_installed
from medseg.sharing.store.update import update
from tests.sharing.plain_bundles import files_of, listed, make_folder, make_zip, packed_bundle

ENTRY = Entry(
    name="ball",
    version="1.0.0",
    file="ball-1.0.0.zip",
    size=1_234_567,
    sha256="0" * 64,
    bundle_sha256="1" * 64,
    task="Find the ball",
    images="CT",
    labels=("background", "ball"),
    licence="Apache-2.0",
    data_licence="CC0-1.0",
    verdict="safe",
    signature="not signed",
)


@pytest.fixture(autouse=True)
def _own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEG_HOME", str(tmp_path / "home"))


class Page(HTMLParser):
    """The elements of a page, its text, and where its links lead."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.links, self.texts = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.links += [value for key, value in attrs if key in ("href", "src")]

    def handle_data(self, data):
        self.texts.append(data)


def test_the_index_tells_each_bundle_as_it_is(tmp_path):
    path = packed_bundle(tmp_path)
    done = write_index(tmp_path)
    (entry,) = done.index.bundles
    assert (entry.name, entry.version, entry.file) == ("ball", "1.0.0", "ball-1.0.0.zip")
    assert entry.size == path.stat().st_size
    assert (entry.task, entry.images) == ("Find the ball", "CT")
    assert (entry.licence, entry.verdict) == ("Apache-2.0", "safe")
    assert entry.signature == "not signed"
    assert json.loads((tmp_path / "index.json").read_text())["bundles"][0]["name"] == "ball"
    assert "ball 1.0.0" in Page((tmp_path / "index.html").read_text()).texts


def test_the_same_folder_has_the_same_index(tmp_path):
    for version in ("1.0.0", "1.1.0"):
        packed_bundle(tmp_path, version=version)
    write_index(tmp_path)
    first = [(tmp_path / name).read_bytes() for name in ("index.json", "index.html")]
    write_index(tmp_path)
    assert first == [(tmp_path / name).read_bytes() for name in ("index.json", "index.html")]


def test_what_cannot_be_shared_is_left_out_and_told(tmp_path):
    packed_bundle(tmp_path)
    (tmp_path / "note.zip").write_bytes(b"no zip")
    make_zip(tmp_path / "unlisted.zip", "cube", files_of())
    make_zip(tmp_path / "changed.zip", "cube", {**listed("cube", "1.0.0", files_of()), "x": b""})
    refused = {**files_of(), "configs/train.yaml": b"a: !!python/object/apply:os.system [x]\n"}
    make_zip(tmp_path / "refused.zip", "cube", listed("cube", "1.0.0", refused))
    done = write_index(tmp_path)
    assert [entry.name for entry in done.index.bundles] == ["ball"]
    assert set(done.left_out) == {"note.zip", "unlisted.zip", "changed.zip", "refused.zip"}
    assert "refused" in done.left_out["refused.zip"]


def test_two_files_of_one_version_are_refused(tmp_path):
    packed_bundle(tmp_path)
    make_zip(tmp_path / "copy.zip", "ball", listed("ball", "1.0.0", files_of(task="Else")))
    with pytest.raises(DataError, match=r"ball-1.0.0.zip and copy.zip are both ball@1.0.0"):
        write_index(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        write_index(tmp_path / "none")


@given(task=st.text(), licence=st.text(), label=st.text())
def test_no_text_of_a_bundle_becomes_part_of_the_page(task, licence, label):
    texts = {"task": task, "licence": licence, "labels": (label,), "signature": task}
    page = Page(share_page(Index(bundles=(ENTRY.model_copy(update=texts),))))
    plain = Page(share_page(Index(bundles=(ENTRY,))))
    assert page.elements == plain.elements
    assert page.links == plain.links == ["index.json", "ball-1.0.0.zip"]
    assert not {"script", "img", "iframe", "form"} & set(page.elements)


@pytest.mark.parametrize(
    "task", ["<script>alert(1)</script>", "a\nverdict: safe", "\x1b[2J", "\u202eefas", "x" * 9999]
)
def test_a_hostile_description_is_one_harmless_line(tmp_path, task):
    packed_bundle(tmp_path, task=task)
    (entry,) = write_index(tmp_path).index.bundles
    assert entry.task.isprintable()
    assert len(entry.task) <= 1000
    assert "script" not in Page((tmp_path / "index.html").read_text()).elements


def test_what_is_published_can_be_installed(tmp_path):
    path = packed_bundle(tmp_path)
    said = publish(path, str(tmp_path / "share"))
    assert said.startswith(f"{tmp_path / 'share' / 'ball-1.0.0.zip'}: ball@1.0.0, sha256 ")
    assert (tmp_path / "share" / "ball-1.0.0.zip").read_bytes() == path.read_bytes()
    assert publish(path, str(tmp_path / "share")) == said
    done = install(parse_source("ball", share=str(tmp_path / "share")))
    assert done.installed.name == "ball@1.0.0"


def test_a_published_version_is_not_replaced(tmp_path):
    publish(packed_bundle(tmp_path), str(tmp_path / "share"))
    other = packed_bundle(tmp_path / "other", task="Find the cube")
    before = (tmp_path / "share" / "ball-1.0.0.zip").read_bytes()
    with pytest.raises(UsageError, match=r"another content.*raise the version"):
        publish(other, str(tmp_path / "share"))
    assert (tmp_path / "share" / "ball-1.0.0.zip").read_bytes() == before


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (files_of(), "no list of digests; pack"),
        ({**listed("ball", "1.0.0", files_of()), "x": b""}, "added: x"),
        (
            listed("ball", "1.0.0", {**files_of(), "configs/a.yaml": b"a: {_target_: x.Y}\n"}),
            "only what is safe is published",
        ),
    ],
)
def test_what_is_incomplete_or_not_safe_is_not_published(tmp_path, files, words):
    path = make_zip(tmp_path / "ball-1.0.0.zip", "ball", files)
    with pytest.raises(DataError, match=words):
        publish(path, str(tmp_path / "share"))
    assert not (tmp_path / "share").exists()


def test_a_folder_is_to_be_packed_before_it_is_published(tmp_path):
    with pytest.raises(DataError, match="is a folder; give the zip"):
        publish(make_folder(tmp_path / "ball", files_of()), str(tmp_path / "share"))
    assert not (tmp_path / "share").exists()


def test_a_target_of_another_kind_is_told(tmp_path):
    with pytest.raises(UsageError, match="cannot publish there"):
        publish(packed_bundle(tmp_path), "ftp://example.org/bundles")


def test_an_update_takes_what_its_share_has_newer_and_says_what_changed(tmp_path):
    share = tmp_path / "share"
    publish(packed_bundle(tmp_path), str(share))
    before = install(parse_source("ball", share=str(share))).installed
    assert update(before).after is None
    publish(packed_bundle(tmp_path, version="1.1.0"), str(share))
    done = update(before)
    assert done.after is not None
    assert done.after.installed.name == "ball@1.1.0"
    assert done.changes == ("1.1.0: finds more", "files: 1 changed, 0 added, 0 removed")
    assert find_installed("ball").record.version == "1.1.0"
    # The older one stays until it is removed.
    assert find_installed("ball@1.0.0").folder == before.folder
    assert update(find_installed("ball")).after is None


def test_an_update_of_a_zip_looks_at_its_path_again(tmp_path):
    path = packed_bundle(tmp_path)
    before = install(parse_source(str(path))).installed
    assert update(before).after is None
    packed_bundle(tmp_path, version="1.1.0").replace(path)
    assert update(before).changes[0] == "1.1.0: finds more"


def test_an_update_does_not_take_another_content_of_the_same_version(tmp_path):
    path = packed_bundle(tmp_path)
    before = install(parse_source(str(path))).installed
    packed_bundle(tmp_path, task="Else")
    with pytest.raises(DataError, match=r"another content under the same version, 1.0.0"):
        update(before)
    assert find_installed("ball").folder == before.folder


def test_an_update_tells_a_verdict_that_has_changed(tmp_path):
    path = packed_bundle(tmp_path)
    before = install(parse_source(str(path))).installed
    files = {**files_of("1.1.0"), "configs/train.yaml": b"a: {_target_: scripts.net.Net}\n"}
    make_zip(path, "ball", listed("ball", "1.1.0", files))
    assert "verdict: safe before, needs trust now" in update(before).changes
