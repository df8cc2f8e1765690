"""Trust store: the public keys and certificates whose signatures this user believes, by name.

One file `NAME.pem` each, in `keys/` of the user folder. A certificate there is a root: it stands
for every signing certificate that was issued under it.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from medseg._files import write_atomically
from medseg._user_folder import user_folder
from medseg.errors import DataError, UsageError
from medseg.sharing.signing.keys import (
    curve_name,
    fingerprint,
    public_pem,
    read_certificates,
    read_key_file,
    read_public_key,
)

__all__ = ["TrustedKey", "add_key", "remove_key", "require_free_name", "trusted_keys"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class TrustedKey:
    """A key or certificate of the trust store.

    Attributes:
        name: What the user calls it.
        kind: A `certificate` stands for all that were issued under it.
        about: The key's curve, or the certificate's subject.
        fingerprint: SHA-256 in hexadecimal: of a key's PEM, as signatures name it; of a
            certificate's DER, as everybody names it.
        ends: When the certificate runs out; keys do not.
        path: Its file in the trust store.
    """

    name: str
    kind: Literal["key", "certificate"]
    about: str
    fingerprint: str
    ends: datetime | None
    path: Path


def trusted_keys() -> Sequence[TrustedKey]:
    """The trust store, by name.

    Raises:
        DataError: If a file in it is no key: somebody wrote there by hand.
    """
    files = sorted(_folder().glob("*.pem"), key=lambda path: path.name.casefold())
    return [_described(path.stem, read_key_file(path), path) for path in files]


def add_key(name: str, file: str | Path) -> TrustedKey:
    """Trust a public key, or the certificate of an authority, under a name.

    Args:
        name: 1 to 64 letters, digits, dots, underscores and hyphens.
        file: PEM; certificates may be a chain, one of which is self-signed.

    Raises:
        UsageError: If the name is no such name or in use, or the key is trusted already.
        DataError: If the file is no public key or certificate that signatures can be held against.
    """
    require_free_name(name)
    content = read_key_file(file)
    path = _folder() / f"{name}.pem"
    key = _described(name, content, Path(file))
    for known in trusted_keys():
        if known.fingerprint == key.fingerprint:
            raise UsageError(f"{file}: is trusted already, under the name {known.name}")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    plain = _plain(content, str(file))
    write_atomically(path, lambda temporary: temporary.write_bytes(plain))
    return _described(name, plain, path)


def remove_key(name: str) -> TrustedKey:
    """Trust a key no longer.

    Raises:
        UsageError: If no key has this name.
    """
    keys = trusted_keys()
    key = next((key for key in keys if key.name == name), None)
    if key is None:
        known = ", ".join(key.name for key in keys) or "none"
        raise UsageError(f"{name}: no trusted key has this name; there are: {known}")
    with suppress(FileNotFoundError):
        key.path.unlink()
    return key


def require_free_name(name: str) -> None:
    """Refuse names that are in use, or cannot be the name of a file everywhere.

    Raises:
        UsageError: If it is one.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r}: a key's name has 1 to 64 letters (a to z), digits, dots, underscores and "
            "hyphens, and begins with a letter or digit"
        )
    for known in trusted_keys():
        if known.name.casefold() == name.casefold():
            raise UsageError(
                f"{known.name}: is the name of a trusted key already; choose another, or "
                f"`medseg bundle keys remove {known.name}` first"
            )


def _folder() -> Path:
    return user_folder() / "keys"


def _is_certificate(content: bytes) -> bool:
    return b"-----BEGIN CERTIFICATE-----" in content


def _described(name: str, content: bytes, path: Path) -> TrustedKey:
    if not _is_certificate(content):
        key = read_public_key(content, str(path))
        return TrustedKey(
            name=name,
            kind="key",
            about=curve_name(key),
            fingerprint=fingerprint(key),
            ends=None,
            path=path,
        )
    root = _root(content, str(path))
    return TrustedKey(
        name=name,
        kind="certificate",
        about=root.subject.rfc4514_string(),
        fingerprint=root.fingerprint(hashes.SHA256()).hex(),
        ends=root.not_valid_after_utc,
        path=path,
    )


def _root(content: bytes, where: str) -> x509.Certificate:
    certificates = read_certificates(content, where)
    roots = [one for one in certificates if one.subject == one.issuer]
    if not roots:
        issuer = certificates[0].issuer.rfc4514_string()
        raise DataError(
            f"{where}: is no certificate of an authority; give that of its issuer, {issuer}"
        )
    return roots[0]


def _plain(content: bytes, where: str) -> bytes:
    """The keys alone: other text in a PEM file, such as a private key behind them, is left out."""
    if not _is_certificate(content):
        return public_pem(read_public_key(content, where))
    chain = read_certificates(content, where)
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain)
