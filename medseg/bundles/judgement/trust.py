"""Trust file: digests of the bundles and configs that this user has trusted, in `trust.json`.

What stands in it runs code, so it is believed only if nobody else can have written it.
"""

import datetime
import getpass
import os
import stat
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from medseg._files import write_atomically
from medseg._locks import locked
from medseg._user_folder import user_folder
from medseg.bundles.judgement.tree import read_regular
from medseg.errors import DataError, NeedsTrustError, UsageError

__all__ = ["Trusted", "add_trust", "is_trusted", "remove_trust", "trust_file", "trusted"]

_MOST_BYTES = 10_000_000
_PATIENCE_SECONDS = 10.0
_SHORTEST = 8
# A lock between processes is its process's, whichever thread has it.
_threads = threading.Lock()


class Trusted(BaseModel):
    """What one user has trusted.

    Attributes:
        digest: Of all that its verdict depends on, see `Judgement.digest`.
        name: Folder or file that it was then.
        date: Day, as `2026-11-29`.
        by: The user's name on this machine; empty if it has none.
        reason: Why, in the user's words; may be empty.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    name: str
    date: datetime.date
    by: str
    reason: str


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["medseg.trust/1"] = "medseg.trust/1"
    trusted: tuple[Trusted, ...] = ()


def trust_file() -> Path:
    """Path of the trust file, in the user's folder."""
    return user_folder() / "trust.json"


def trusted() -> tuple[Trusted, ...]:
    """All that this user has trusted, the oldest first.

    Raises:
        NeedsTrustError: If the file is damaged, or another user could have written it: then
            nothing is trusted.
    """
    return _read(trust_file()).trusted


def is_trusted(digest: str) -> bool:
    """Whether this user has trusted a digest; errors as of `trusted`."""
    return any(entry.digest == digest for entry in trusted())


def add_trust(digest: str, *, name: str, reason: str) -> None:
    """Trust a digest from now on; done already is no error, and keeps the first entry.

    Args:
        digest: `Judgement.digest`.
        name: Folder or file.
        reason: Why, in words.

    Raises:
        NeedsTrustError: As of `trusted`.
        MachineError: If another process holds the file for long.
        OSError: If it cannot be written.
    """
    today = datetime.datetime.now().astimezone().date()
    entry = Trusted(digest=digest, name=name, date=today, by=_user(), reason=reason)

    def added(before: tuple[Trusted, ...]) -> tuple[Trusted, ...]:
        return before if any(one.digest == digest for one in before) else (*before, entry)

    _change(added)


def remove_trust(digest: str) -> Trusted:
    """End the trust in a digest.

    Args:
        digest: The whole digest, or its first 8 or more digits, if only one begins with them.

    Returns:
        The entry that was removed.

    Raises:
        UsageError: If no entry or more than one begins so.
        NeedsTrustError: As of `trusted`.
    """
    found = [entry for entry in trusted() if entry.digest.startswith(digest)]
    if len(digest) < _SHORTEST or len(found) != 1:
        several = "several begin with it" if len(digest) >= _SHORTEST and found else "none is"
        raise UsageError(
            f"{digest!r:.80}: no digest that is trusted ({several}); give one of "
            "'medseg bundle trust --list', or at least its first 8 digits"
        )
    _change(lambda before: tuple(one for one in before if one.digest != found[0].digest))
    return found[0]


def _change(change: Callable[[tuple[Trusted, ...]], tuple[Trusted, ...]]) -> None:
    path = trust_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(path):
        content = _Content(trusted=change(_read(path).trusted))
        text = content.model_dump_json(indent=1) + "\n"

        def write(temporary: Path) -> None:
            temporary.chmod(0o600)
            temporary.write_text(text, encoding="utf-8")

        write_atomically(path, write)


@contextmanager
def _locked(path: Path) -> Generator[None]:
    lock = path.with_name(f"{path.name}.lock")
    with _threads, locked(lock, what="the trust file", patience_seconds=_PATIENCE_SECONDS):
        yield


def _read(path: Path) -> _Content:
    if not os.path.lexists(path):
        return _Content()
    _require_own(path)
    try:
        return _Content.model_validate_json(read_regular(path, _MOST_BYTES))
    except (DataError, ValidationError) as error:
        what = "it is damaged" if isinstance(error, ValidationError) else "it cannot be read"
        raise _unbelieved(path, f"{what}; mend it, or remove it and trust anew") from error


def _require_own(path: Path) -> None:
    """Refuse what others can have written: in the file, or another file in its place."""
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise _unbelieved(path, "it is no regular file; remove it, and trust anew")
    # Windows has neither owners nor modes of this kind.
    if os.name == "nt":
        return
    folder = path.parent.resolve()
    if {status.st_uid, folder.stat().st_uid} != {os.getuid()}:
        raise _unbelieved(path, "it is another user's; set MEDSEG_HOME to a folder of yours")
    # Groups of one are common, and a file that another of the group puts there is that one's.
    for place, mode in ((path, status.st_mode & 0o022), (folder, folder.stat().st_mode & 0o002)):
        if mode:
            raise _unbelieved(path, f"others can write there; chmod go-w {place}, and look at it")


def _unbelieved(path: Path, why: str) -> NeedsTrustError:
    return NeedsTrustError(f"{path}: nothing is trusted, because {why}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # no name in the environment nor in passwd
        return ""
