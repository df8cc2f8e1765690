"""Download of a file with a known digest, continued where an earlier one ended."""

import json
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path

from medseg._files import write_atomically
from medseg.data.digest import file_sha256
from medseg.errors import DataError
from medseg.sharing.sources.web import TransferError, opened

__all__ = ["MOST_BYTES", "download", "remove_download", "remove_old_downloads"]

MOST_BYTES = 4 << 30
_CHUNK = 1 << 18
_KEPT_SECONDS = 7 * 24 * 3600.0
# Of tries that brought nothing, one after the other, and of all.
_MOST_FAILURES = 3
_MOST_TRIES = 50


@dataclass(frozen=True)
class _Part:
    """What there is of a file: the bytes, and which content of the address they are of."""

    path: Path

    @property
    def _validator_path(self) -> Path:
        return self.path.with_suffix(".json")

    @property
    def size(self) -> int:
        """In bytes; 0 if the server cannot be asked for the rest."""
        return self.path.stat().st_size if self.validator() and self.path.is_file() else 0

    def validator(self) -> str | None:
        """What the server calls this content, by ETag or date; None if it does not."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            return str(json.loads(self._validator_path.read_text(encoding="utf-8"))["validator"])
        return None

    def begin(self, validator: str | None) -> None:
        """Begin anew."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.remove()
        if validator is not None:
            text = json.dumps({"validator": validator})
            write_atomically(
                self._validator_path, lambda path: path.write_text(text, encoding="utf-8")
            )

    def remove(self) -> None:
        """Remove the bytes and what is known of them."""
        self.path.unlink(missing_ok=True)
        self._validator_path.unlink(missing_ok=True)


def download(url: str, path: Path, *, sha256: str, size: int | None = None) -> None:
    """Download a file, whole and with the digest that it must have, or not at all.

    The bytes that were read before a connection ended, or the process, are kept beside `path`, and
    the server is asked for the rest of the same content.

    Args:
        url: As `require_address` allows it.
        path: Of the file; nothing is done if it is there with that digest.
        sha256: In hexadecimal.
        size: In bytes; if not known, at most 4 GiB are taken.

    Raises:
        DataError: If the server refuses, or has another content.
        MachineError: If the connection fails again and again.
        OSError: If the disk is full.
    """
    if path.is_file() and file_sha256(path) == sha256:
        return
    part = _Part(path.with_suffix(".part"))
    if part.size and _continued(url, part, sha256, size):
        found = sha256
    else:
        # What could not be continued is no longer what the server has, or is damaged.
        part.remove()
        _read_all(url, part, size)
        found = file_sha256(part.path)
    if found != sha256:
        part.remove()
        raise DataError(f"{url}: has SHA-256 {found}, not {sha256}; it is another file")
    part.path.replace(path)
    part.remove()


def remove_old_downloads(folder: Path) -> None:
    """Remove what was fetched a week ago, and then neither continued nor installed."""
    for path in folder.glob("*"):
        with suppress(OSError):
            if path.suffix != ".lock" and path.stat().st_mtime < time.time() - _KEPT_SECONDS:
                _remove(path)


def remove_download(fetched: Path, folder: Path) -> None:
    """Remove what was fetched into a folder of downloads; anything else is left as it is."""
    if folder in fetched.parents:
        _remove(folder / fetched.relative_to(folder).parts[0])


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _continued(url: str, part: _Part, sha256: str, size: int | None) -> bool:
    """Whether the file is whole by what there was of it and the rest."""
    if file_sha256(part.path) == sha256:
        return True
    with suppress(DataError):
        _read_all(url, part, size)
        return file_sha256(part.path) == sha256
    return False


def _read_all(url: str, part: _Part, size: int | None) -> None:
    failures = 0
    for tried in range(1, _MOST_TRIES + 1):
        before = part.size
        try:
            return _read_on(url, part, size)
        except TransferError as error:
            failures = 0 if part.size > before else failures + 1
            if failures == _MOST_FAILURES or tried == _MOST_TRIES:
                kept = f"; {part.size:,} bytes are kept" if part.size else ""
                raise TransferError(f"{error}{kept}; give the same command again") from error
        except (OSError, DataError):
            # What is of another content, or fills the disk, is of no use.
            part.remove()
            raise


def _read_on(url: str, part: _Part, size: int | None) -> None:
    have = part.size
    headers = {"Range": f"bytes={have}-", "If-Range": part.validator() or ""} if have else {}
    with opened(url, headers) as response:
        if not have or not _is_the_rest(response, have):
            have = 0
            part.begin(_validator(response))
        total = _total(response, have)
        _require_size(url, total, size)
        known = size if total is None else total
        _copy(url, response, part.path, have, MOST_BYTES if known is None else known)
        got = part.path.stat().st_size
        if total is not None and got < total:
            raise TransferError(f"{url}: the connection ended")


def _copy(url: str, response: HTTPResponse, path: Path, have: int, at_most: int) -> None:
    with path.open("ab") as stream:
        while chunk := response.read(_CHUNK):
            have += len(chunk)
            if have > at_most:
                raise DataError(f"{url}: is larger than {at_most:,} bytes")
            stream.write(chunk)


def _is_the_rest(response: HTTPResponse, have: int) -> bool:
    content_range = response.headers.get("Content-Range", "")
    return response.status == 206 and content_range.startswith(f"bytes {have}-")


def _total(response: HTTPResponse, have: int) -> int | None:
    """Size of the whole file; None if the server does not say."""
    length = response.headers.get("Content-Length", "")
    return have + int(length) if length.isascii() and length.isdigit() else None


def _require_size(url: str, total: int | None, size: int | None) -> None:
    if total is not None and size is not None and total != size:
        raise DataError(f"{url}: has {total:,} bytes, not {size:,}; it is another file")
    if total is not None and total > MOST_BYTES:
        raise DataError(f"{url}: has {total:,} bytes, more than {MOST_BYTES:,}")


def _validator(response: HTTPResponse) -> str | None:
    etag = response.headers.get("ETag", "")
    if etag.startswith('"'):
        return etag
    # A date is no proof of the same content; the digest at the end is.
    return response.headers.get("Last-Modified")
