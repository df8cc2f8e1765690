"""Patterns are expanded as a shell does, names that exist are taken as they are."""

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.data.patterns import expand, expand_sources, name_key, natural_key
from medseg.data.source import Source

UID = "1.2.826.0.1"


def touched(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def found(folder, pattern):
    return [str(path.relative_to(folder)) for path in expand(folder / pattern)]


def test_a_folder_with_brackets_in_its_name_is_a_folder(tmp_path):
    touched(tmp_path, "[2021] study/a.nii.gz", "[2021] study/b.nii.gz", "2/c.nii.gz")
    assert found(tmp_path, "[2021] study/*.nii.gz") == [
        "[2021] study/a.nii.gz",
        "[2021] study/b.nii.gz",
    ]
    assert found(tmp_path, "[2021]/*.nii.gz") == ["2/c.nii.gz"]


def test_a_file_that_exists_wins_over_the_pattern_that_it_looks_like(tmp_path):
    touched(tmp_path, "scan[1].nii", "scan1.nii", "sc*n.nii")
    assert found(tmp_path, "scan[1].nii") == ["scan[1].nii"]
    assert found(tmp_path, "sc*n.nii") == ["sc*n.nii"]


def test_any_depth_hidden_files_and_the_order_of_numbers(tmp_path):
    touched(tmp_path, *(f"x/y/s{n}.png" for n in (0, 1, 10, 11, 2)), "x/.hidden.png")
    names = ["x/y/s0.png", "x/y/s1.png", "x/y/s2.png", "x/y/s10.png", "x/y/s11.png"]
    assert found(tmp_path, "**/*.png") == names
    assert found(tmp_path, "x/y/s?.png") == names[:3]


def test_what_is_neither_there_nor_a_pattern_gives_nothing(tmp_path):
    assert expand(tmp_path / "none.nii") == []
    assert expand(tmp_path / "*.nii") == []


def test_relative_patterns_stay_relative_and_home_is_known(tmp_path, monkeypatch):
    touched(tmp_path, "a/b.nii")
    monkeypatch.chdir(tmp_path)
    assert expand("*/*.nii") == [Path("a/b.nii")]
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expand("~/a/*") == [tmp_path / "a/b.nii"]


def test_sources_keep_a_series_come_once_and_stay_if_nothing_matches(tmp_path):
    touched(tmp_path, "a.nii", "b.nii")
    words = [tmp_path / "b.nii", tmp_path / "*.nii", f"{tmp_path}#{UID}", tmp_path / "*.mha"]
    assert expand_sources(words) == (
        Source(tmp_path / "b.nii"),
        Source(tmp_path / "a.nii"),
        Source(tmp_path, UID),
        Source(tmp_path / "*.mha"),
    )


@given(st.lists(st.integers(0, 10**6)), st.text(string.ascii_letters + "_-", min_size=1))
def test_numbered_names_sort_by_their_number(numbers, prefix):
    names = [f"{prefix}{number}" for number in numbers]
    assert sorted(names, key=natural_key) == [f"{prefix}{n}" for n in sorted(numbers)]


@given(st.lists(st.text()).flatmap(lambda names: st.tuples(st.just(names), st.permutations(names))))
def test_any_names_have_an_order_that_does_not_depend_on_theirs(both):
    names, shuffled = both
    assert sorted(names, key=natural_key) == sorted(shuffled, key=natural_key)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [("Scan", "sCAN", True), ("M\u00fcller", "Mu\u0308ller", True), ("p1", "p01", False)],
)
def test_names_that_some_file_system_does_not_tell_apart_have_one_key(one, other, equal):
    assert (name_key(one) == name_key(other)) is equal
