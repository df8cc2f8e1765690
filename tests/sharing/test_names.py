"""Names of installed bundles, and which version is newer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.errors import DataError, UsageError
from medseg.sharing.store.names import (
    Wanted,
    parse_wanted,
    require_name,
    require_version,
    require_wanted,
    version_order,
)

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{4,20}", fullmatch=True)
VERSIONS = st.lists(st.integers(0, 999), min_size=1, max_size=4).map(
    lambda numbers: ".".join(map(str, numbers))
)
DIGESTS = st.from_regex(r"[0-9a-f]{4,64}", fullmatch=True)


@given(name=NAMES, version=VERSIONS, digest=DIGESTS)
def test_what_a_name_is_written_as_is_read_back(name, version, digest):
    for wanted in (Wanted(name), Wanted(name, version), Wanted(name, version, digest)):
        assert parse_wanted(str(wanted)) == wanted


@given(text=st.text())
def test_no_other_text_is_a_name_that_leads_out_of_a_folder(text):
    wanted = parse_wanted(text)
    assert wanted is None or not {"/", "\\", ".", ":"} & set(wanted.name)


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a/b", "../a", "a@", "a@1.x", "a@1.0+", "a@1.0+xyz", "nul", "COM1", "é", "a@٣"],
)
def test_texts_that_are_no_names(text):
    assert parse_wanted(text) is None
    with pytest.raises(UsageError, match="no name of a bundle"):
        require_wanted(text)


def test_a_name_that_cannot_be_a_folder_is_refused():
    with pytest.raises(DataError, match=r"^a.zip: its name, '../a', cannot"):
        require_name("../a", "a.zip")
    with pytest.raises(DataError, match=r"^a.zip: its version, '1.0/..', is none"):
        require_version("1.0/..", "a.zip")


def test_versions_are_ordered_by_their_numbers():
    ordered = ["0.9.0", "0.10.0", "1", "1.0.1", "1.2", "1.2.0", "1.10.0", "10.0.0"]
    assert sorted(sorted(ordered), key=version_order) == ordered


@given(one=VERSIONS, other=VERSIONS)
def test_no_two_versions_are_equal_and_a_longer_number_is_newer(one, other):
    assert (version_order(one) == version_order(other)) == (one == other)
    assert version_order(f"{one}.1") > version_order(one) or one.count(".") == 3


@given(numbers=st.lists(st.integers(0, 999), min_size=3, max_size=3), at=st.integers(0, 2))
def test_a_raised_number_makes_a_newer_version(numbers, at):
    raised = [*numbers[:at], numbers[at] + 1, *([0] * (2 - at))]
    old, new = (".".join(map(str, version)) for version in (numbers, raised))
    assert version_order(new) > version_order(old)
