"""Trust file: digests that this user has trusted, believed only if nobody else wrote it."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from medseg.bundles.judgement.trust import (
    add_trust,
    is_trusted,
    remove_trust,
    trust_file,
    trusted,
)
from medseg.errors import NeedsTrustError, UsageError

ONE, TWO = "1" * 64, "1" * 8 + "2" * 56


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEG_HOME", str(tmp_path / "home"))


def trust(digest, reason=""):
    add_trust(digest, name="/somewhere/one", reason=reason)


def test_what_is_trusted_is_so_until_it_is_removed():
    assert not is_trusted(ONE)
    trust(ONE, "read by two of us")
    (entry,) = trusted()
    assert (entry.digest, entry.name, entry.reason) == (ONE, "/somewhere/one", "read by two of us")
    assert is_trusted(ONE)
    assert not is_trusted(TWO)
    assert remove_trust(ONE).digest == ONE
    assert trusted() == ()


def test_a_digest_that_is_trusted_twice_keeps_its_first_entry():
    trust(ONE, "first")
    trust(ONE, "second")
    assert [entry.reason for entry in trusted()] == ["first"]


def test_the_file_is_the_users_alone():
    trust(ONE)
    assert stat.S_IMODE(trust_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(trust_file().parent.stat().st_mode) == 0o700
    assert [path.name for path in trust_file().parent.iterdir()] == ["trust.json"]


def test_several_that_trust_at_once_lose_nothing():
    digests = [f"{number:064x}" for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(trust, digests))
    assert {entry.digest for entry in trusted()} == set(digests)


@pytest.mark.parametrize("asked", ["1" * 7, "1" * 8, "3" * 64, ""])
def test_a_digest_that_is_too_short_or_not_of_one_entry_removes_nothing(asked):
    trust(ONE)
    trust(TWO)
    with pytest.raises(UsageError, match="no digest that is trusted"):
        remove_trust(asked)
    assert len(trusted()) == 2
    assert remove_trust("1" * 8 + "2").digest == TWO


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"format": "medseg.trust/2", "trusted": []}',
        '{"trusted": [{"digest": "all"}]}',
        '{"trusted": [], "everything": true}',
        '{"trusted": "*"}',
    ],
)
def test_nothing_is_trusted_by_a_damaged_file_and_it_is_not_replaced(content):
    trust_file().parent.mkdir(mode=0o700)
    trust_file().write_text(content)
    for asked in (lambda: is_trusted(ONE), lambda: trust(ONE), lambda: remove_trust(ONE)):
        with pytest.raises(NeedsTrustError, match="nothing is trusted, because it is damaged"):
            asked()
    assert trust_file().read_text() == content


def test_nothing_is_trusted_by_a_file_that_others_can_write():
    trust(ONE)
    for place, mode in ((trust_file(), 0o620), (trust_file(), 0o606), (trust_file().parent, 0o777)):
        before = stat.S_IMODE(place.stat().st_mode)
        place.chmod(mode)
        with pytest.raises(NeedsTrustError, match=f"others can write there; chmod go-w {place}"):
            is_trusted(ONE)
        place.chmod(before)
        assert is_trusted(ONE)


def test_nothing_is_trusted_by_a_link_a_folder_or_a_pipe(tmp_path):
    trust(ONE)
    trust_file().rename(tmp_path / "elsewhere.json")
    for make in (
        lambda: trust_file().symlink_to(tmp_path / "elsewhere.json"),
        lambda: trust_file().symlink_to(tmp_path / "nowhere.json"),
        lambda: os.mkfifo(trust_file()),
    ):
        make()
        with pytest.raises(NeedsTrustError, match="it is no regular file"):
            is_trusted(ONE)
        trust_file().unlink()
    trust_file().mkdir()
    with pytest.raises(NeedsTrustError, match="it is no regular file"):
        is_trusted(ONE)


@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root can give a file away")
def test_nothing_is_trusted_by_a_file_of_another_user():
    trust(ONE)
    os.chown(trust_file(), 12345, -1)
    with pytest.raises(NeedsTrustError, match="it is another user's"):
        is_trusted(ONE)
