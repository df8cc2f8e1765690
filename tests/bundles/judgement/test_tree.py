"""A folder's files are listed as they are; nothing outside of it is ever read."""

import os

import pytest

from medseg.bundles.judgement.tree import Entry, FolderTree
from medseg.errors import DataError


def test_entries_are_sorted_paths_with_kind_and_size(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "b.yaml").write_text("a: 1")
    (tmp_path / "a").write_text("")
    assert dict(FolderTree(tmp_path).entries) == {
        "a": Entry("file", 0),
        "configs/b.yaml": Entry("file", 4),
    }


def test_a_link_is_listed_and_neither_followed_nor_read(tmp_path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "file").symlink_to(tmp_path / "secret")
    (tmp_path / "bundle" / "folder").symlink_to(tmp_path)
    tree = FolderTree(tmp_path / "bundle")
    assert {path: entry.kind for path, entry in tree.entries.items()} == {
        "file": "link",
        "folder": "link",
    }
    with pytest.raises(DataError, match="is no regular file"):
        tree.read("file", 100)


def test_a_file_that_became_a_link_is_not_followed(tmp_path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "file").write_text("a")
    tree = FolderTree(tmp_path / "bundle")
    (tmp_path / "bundle" / "file").unlink()
    (tmp_path / "bundle" / "file").symlink_to(tmp_path / "secret")
    with pytest.raises(DataError, match="cannot be read"):
        tree.read("file", 100)


def test_a_pipe_is_special(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert FolderTree(tmp_path).entries["pipe"].kind == "special"


def test_a_file_larger_than_asked_for_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"1234")
    assert FolderTree(tmp_path).read("a", 4) == b"1234"
    with pytest.raises(DataError, match="larger than 3 bytes"):
        FolderTree(tmp_path).read("a", 3)
