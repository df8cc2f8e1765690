"""Signatures of bundles in the OpenSSF model-signing form, by its library.

What is written here, its own command checks on the unpacked bundle, and the other way round:

    python -m model_signing verify key FOLDER --signature FOLDER/model.sig --public_key NAME.pub

The form knows no time of signing, so that of a certificate which has run out nobody can tell
whether it was used before; model-signing does not look, and here it counts no longer.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from cryptography import x509

from medseg.sharing.layout import SIGNATURE
from medseg.sharing.signing.trusted_keys import TrustedKey

__all__ = ["Signature", "SignatureState", "check_signature"]

SignatureState = Literal["none", "known", "unknown", "expired", "other content", "broken"]


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What a bundle's signature is worth.

    Attributes:
        state: `known` if a key or certificate of the trust store signed the bundle as it is;
            `unknown` if another key did, or seems to have; `expired` if it is `known`, but by a
            certificate that has run out; `other content` if a trusted key signed something else;
            `broken` if it is no signature.
        signer: Name in the trust store, if a trusted key did sign.
        about: The signing certificate's subject, the unknown key's fingerprint, or what is broken.
        signed: SHA-256 by path of what a trusted key signed, if it is `other content`.
    """

    state: SignatureState
    signer: str | None = None
    about: str = ""
    signed: Mapping[str, str] | None = None

    def __str__(self) -> str:
        about = f" ({self.about})" if self.about else ""
        return {
            "none": "not signed",
            "known": f"signed by {self.signer}{about}",
            "unknown": f"signed by an unknown key{about}",
            "expired": f"signed by {self.signer}{about}: a certificate has run out",
            "other content": f"signed by {self.signer}{about}, but not as it is now",
            "broken": f"the signature is broken{about}",
        }[self.state]


def check_signature(
    content: bytes, files: Mapping[str, str], keys: Sequence[TrustedKey]
) -> Signature:
    """Check a bundle's signature against its files and the trust store.

    Args:
        content: Of `model.sig`.
        files: SHA-256 in hexadecimal by path, of all files but the signature; empty for one that
            is known to be wrong.
        keys: The trust store.
    """
    try:
        material = json.loads(content)["verificationMaterial"]
        if "publicKey" in material:
            return _by_key(content, files, keys, str(material["publicKey"]["hint"]))
        chain = material["x509CertificateChain"]["certificates"]
        leaf = x509.load_der_x509_certificate(base64.b64decode(chain[0]["rawBytes"]))
    except (ValueError, KeyError, TypeError, IndexError, RecursionError, binascii.Error) as error:
        return Signature(state="broken", about=f"{type(error).__name__}: {error!s:.100}")
    return _by_certificate(content, files, keys, leaf)


def _by_key(
    content: bytes, files: Mapping[str, str], keys: Sequence[TrustedKey], hint: str
) -> Signature:
    key = next((one for one in keys if one.kind == "key" and one.fingerprint == hint), None)
    if key is None:
        return Signature(state="unknown", about=f"fingerprint {hint:.64}")
    return _checked(content, files, key)


def _by_certificate(
    content: bytes,
    files: Mapping[str, str],
    keys: Sequence[TrustedKey],
    leaf: x509.Certificate,
) -> Signature:
    subject = f"{leaf.subject.rfc4514_string():.200}"
    tried = [_checked(content, files, key) for key in keys if key.kind == "certificate"]
    # Of a root that did not issue it, the certificate cannot be verified.
    told = [one for one in tried if one.state != "broken"]
    if not told:
        return Signature(state="unknown", about=f"certificate of {subject}")
    found = replace(told[0], about=subject)
    if found.state != "known":
        return found
    root = next(key for key in keys if key.name == found.signer)
    now = datetime.now(UTC)
    ends = min(leaf.not_valid_after_utc, root.ends or leaf.not_valid_after_utc)
    in_time = leaf.not_valid_before_utc <= now <= ends
    return found if in_time else replace(found, state="expired")


def _checked(content: bytes, files: Mapping[str, str], key: TrustedKey) -> Signature:
    """Check a signature with one key; `broken` if it is not that key's."""
    # It takes most of a second, and signatures of unknown keys do without.
    from model_signing.verifying import Config

    from medseg.sharing.signing.signed_files import SignedFiles

    hashed = SignedFiles(key.name, files)
    config: Any = Config()
    if key.kind == "key":
        config.use_elliptic_key_verifier(public_key=key.path)
    else:
        config.use_certificate_verifier(certificate_chain=[key.path])
    config.set_hashing_config(hashed)
    with TemporaryDirectory(prefix="medseg-") as folder:
        path = Path(folder) / SIGNATURE
        path.write_bytes(content)
        try:
            config.verify(folder, path)
        # Whatever its parts raise, and they raise many kinds, it is not verified.
        except Exception as error:
            if hashed.signed is None:
                return Signature(state="broken", about=f"{type(error).__name__}: {error!s:.100}")
            if "" in hashed.signed.values():
                return Signature(state="broken", about="its digests are not SHA-256 of whole files")
            return Signature(state="other content", signer=key.name, signed=hashed.signed)
    return Signature(state="known", signer=key.name)
