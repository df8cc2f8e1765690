"""The list of digests reads back as it was written, and nothing else is taken for one."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.errors import DataError
from medseg.sharing.digests import (
    Digests,
    FileDigest,
    bytes_digest,
    read_digests,
    write_digests,
)

FILES = st.dictionaries(
    st.text(min_size=1, max_size=20),
    st.binary(max_size=20).map(bytes_digest),
    max_size=5,
)


def digests(files):
    return Digests(name="a", version="1.0.0", packed_with="0.1.0", files=files)


@given(files=FILES)
def test_what_is_written_is_read_back(files):
    assert read_digests(write_digests(digests(files)), "a.zip") == digests(files)


@given(files=FILES)
def test_the_order_of_files_changes_nothing(files):
    turned = dict(reversed(files.items()))
    assert digests(turned).bundle_sha256 == digests(files).bundle_sha256


def test_a_digest_by_hand():
    # printf abc | sha256sum
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert bytes_digest(b"abc") == FileDigest(size=3, sha256=expected)
    assert hashlib.sha256(b"abc").hexdigest() == expected


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"\xff", b'{"format":"medseg.bundle/2","name":"a"}']
)
def test_anything_else_is_one_line(content):
    with pytest.raises(
        DataError, match=r"^a\.zip: digests\.json is no list of digests \([^\n]+\)$"
    ):
        read_digests(content, "a.zip")
