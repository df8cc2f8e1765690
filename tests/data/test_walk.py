"""Which files belong to a folder: those behind links too, each once, and never without end."""

import os

import pytest

from medseg.data.digest import path_sha256
from medseg.data.walk import walk_tree


def below(folder, files):
    return [file.relative_to(folder).as_posix() for file in files]


@pytest.fixture
def tree(tmp_path):
    """A study with a file, a linked file, and half of its files in a folder elsewhere."""
    for name in ("study/a.dcm", "elsewhere/b.dcm", "elsewhere/deep/c.dcm", "store/d"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "study/more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "study/d.dcm").symlink_to("../store/d")
    return tmp_path / "study"


def test_links_to_files_and_folders_are_followed_by_their_own_names(tree):
    found = walk_tree(tree)
    assert below(tree, found.files) == ["a.dcm", "d.dcm", "more/b.dcm", "more/deep/c.dcm"]
    assert found.missing == found.closed == found.special == ()


def test_a_folder_may_itself_be_a_link(tree):
    link = tree.parent / "link"
    link.symlink_to(tree)
    assert below(link, walk_tree(link).files) == below(tree, walk_tree(tree).files)


def test_loops_end_and_a_folder_with_two_names_is_taken_once(tree):
    (tree / "again").symlink_to(tree)
    (tree / "above").symlink_to(tree.parent)
    (tree / "inside").mkdir()
    (tree / "inside/e.dcm").touch()
    (tree / "alias").symlink_to("inside")
    (tree.parent / "elsewhere/back").symlink_to(tree)
    found = walk_tree(tree)
    assert below(tree, found.files) == [
        "a.dcm",
        "d.dcm",
        "inside/e.dcm",
        "more/b.dcm",
        "more/deep/c.dcm",
    ]


def test_links_to_nothing_and_pipes_are_told_apart_from_files(tree):
    (tree / "gone.dcm").symlink_to(".git/annex/objects/gone.dcm")
    (tree / "self").symlink_to("self")
    os.mkfifo(tree / "pipe.dcm")
    found = walk_tree(tree)
    assert below(tree, found.missing) == ["gone.dcm", "self"]
    assert below(tree, found.special) == ["pipe.dcm"]
    assert len(found.files) == 4


def test_what_is_hidden_is_left_out(tree):
    for name in (".git/x", "__MACOSX/y", "more/.z"):
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).touch()
    (tree / ".broken").symlink_to("nothing")
    assert len(walk_tree(tree).files) == 4
    assert walk_tree(tree).missing == ()


def test_a_name_that_is_not_utf_8_is_found(tmp_path):
    (tmp_path / os.fsdecode(b"M\xfcller.dcm")).touch()
    assert [os.fsencode(file.name) for file in walk_tree(tmp_path).files] == [b"M\xfcller.dcm"]


def test_the_digest_of_a_folder_changes_with_a_file_behind_a_link(tree):
    before = path_sha256(tree)
    (tree.parent / "elsewhere/b.dcm").write_text("other")
    assert path_sha256(tree) != before
