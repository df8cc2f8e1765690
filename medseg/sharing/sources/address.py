"""Addresses on the web that medseg opens: https, and http on this machine alone."""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from medseg.errors import UsageError

__all__ = ["is_address", "is_loopback", "origin_of", "require_address"]


def is_address(text: str) -> bool:
    """Whether a text is meant as an address on the web."""
    return re.match(r"https?:", text, re.IGNORECASE) is not None


def require_address(url: str) -> str:
    """An address that may be opened.

    Raises:
        UsageError: If it is none, is not encrypted, or holds a password.
    """
    parts = _parts(url)
    if re.search(r"[^!-~]", url):
        raise UsageError(f"{url}: an address has no spaces or letters beyond ASCII; write %20")
    if parts.username is not None:
        # It would be kept in the store, and shown by each list.
        raise UsageError("an address with a user or password is not taken; remove it")
    if parts.scheme == "http" and not is_loopback(url):
        raise UsageError(f"{url}: is not encrypted; use https:// (http only on this machine)")
    return url


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an address."""
    parts = _parts(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    host = _parts(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"{url}: is no address ({error}); correct it") from error
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise UsageError(f"{url}: is no address of the form https://HOST/FILE; correct it")
    return parts
