"""Keys of signatures: new pairs of keys on elliptic curves, and keys and certificates from files.

The curves are the three that the OpenSSF model-signing form knows: P-256, P-384 and P-521.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeGuard, get_args

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from medseg._files import write_atomically
from medseg.errors import DataError, UsageError

__all__ = [
    "Curve",
    "KeyPair",
    "curve_name",
    "fingerprint",
    "new_key_pair",
    "public_pem",
    "read_certificates",
    "read_key_file",
    "read_private_key",
    "read_public_key",
]

Curve = Literal["P-256", "P-384", "P-521"]
_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
}
_NAMES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_WANTED = "of the curve P-256, P-384 or P-521, such as `medseg bundle keys new` makes"
# A chain of a dozen certificates has some 20 KB.
_MOST_BYTES = 1_000_000
_PEM, _SPKI = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo


@dataclass(frozen=True)
class KeyPair:
    """The two files of a new pair of keys, and the fingerprint of its public key."""

    private: Path
    public: Path
    fingerprint: str


def new_key_pair(
    folder: str | Path, name: str, *, curve: Curve = "P-256", passphrase: str = ""
) -> KeyPair:
    """Make a pair of keys: `NAME.key`, for its owner alone (mode 0600), and `NAME.pub`, in PEM.

    Args:
        folder: Made if it is not there.
        name: Stem of both files.
        curve: The longer it is, the longer signatures are and take; P-256 is enough for now.
        passphrase: Encrypts the private key; empty for none.

    Raises:
        UsageError: If one of the files is there already.
    """
    if curve not in get_args(Curve):
        raise UsageError(f"curve must be one of {', '.join(get_args(Curve))}, got {curve!r}")
    private, public = (Path(folder) / f"{name}.{end}" for end in ("key", "pub"))
    for path in (private, public):
        if os.path.lexists(path):
            raise UsageError(f"{path} already exists; a key is never replaced, use another name")
    key = ec.generate_private_key(_CURVES[curve]())
    encryption = (
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption()
    )
    secret = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, encryption)
    write_atomically(private, lambda temporary: _write_secret(temporary, secret))
    write_atomically(public, lambda temporary: temporary.write_bytes(public_pem(key.public_key())))
    return KeyPair(private, public, fingerprint(key.public_key()))


def _write_secret(path: Path, secret: bytes) -> None:
    # Before there is anything to read in it.
    path.chmod(0o600)
    path.write_bytes(secret)


def read_private_key(path: str | Path, passphrase: str = "") -> ec.EllipticCurvePrivateKey:
    """Read a private key in PEM.

    Raises:
        DataError: If it is none, or of another kind.
        UsageError: If it is encrypted and the passphrase is empty or wrong.
    """
    content = read_key_file(path)
    try:
        key = serialization.load_pem_private_key(content, passphrase.encode() or None)
    except TypeError:
        # Cryptography's word for both: a passphrase is missing, and one is too many.
        needed = "is encrypted; give its passphrase" if not passphrase else "has no passphrase"
        raise UsageError(f"{path}: {needed}") from None
    except (ValueError, UnsupportedAlgorithm):
        if passphrase:
            raise UsageError(f"{path}: the passphrase is wrong, or it is no private key") from None
        raise DataError(f"{path}: is no private key in PEM; give one {_WANTED}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not _usable(key.public_key()):
        raise DataError(f"{path}: is no key {_WANTED}")
    return key


def read_public_key(content: bytes, where: str) -> ec.EllipticCurvePublicKey:
    """Read a public key in PEM.

    Args:
        content: Of the file.
        where: The file, for the error.

    Raises:
        DataError: If it is none, or of another kind.
    """
    if b"PRIVATE KEY" in content:
        raise DataError(f"{where}: is a private key, which nobody else needs; give the public one")
    try:
        key = serialization.load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise DataError(f"{where}: is no public key or certificate in PEM") from None
    if not _usable(key):
        raise DataError(f"{where}: is no key {_WANTED}")
    return key


def read_certificates(content: bytes, where: str) -> Sequence[x509.Certificate]:
    """Read one certificate or a chain of them in PEM.

    Raises:
        DataError: If there is none, or one cannot be read.
    """
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError:
        raise DataError(f"{where}: holds no certificate in PEM, or a damaged one") from None


def public_pem(key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key as the text that model-signing names it by."""
    return key.public_bytes(_PEM, _SPKI)


def fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    """SHA-256 of a public key's PEM, in hexadecimal: what a signature names its key by."""
    return hashlib.sha256(public_pem(key)).hexdigest()


def curve_name(key: ec.EllipticCurvePublicKey) -> str:
    """A key's curve as people call it."""
    return _NAMES.get(key.curve.name, key.curve.name)


def _usable(key: object) -> TypeGuard[ec.EllipticCurvePublicKey]:
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _NAMES


def read_key_file(path: str | Path) -> bytes:
    """The bytes of a file of keys or certificates.

    Raises:
        DataError: If it is no file, or too large to be one of keys.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file; give a key or a certificate in PEM")
    with path.open("rb") as stream:
        content = stream.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise DataError(f"{path}: is too large for a file of keys")
    return content
