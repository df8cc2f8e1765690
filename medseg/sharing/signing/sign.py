"""Signing of a packed bundle, zip or folder, with a key or an institution's certificate."""

import os
import shutil
import zipfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from medseg._files import write_atomically
from medseg.bundles.judgement.zips.zip_tree import ZipTree
from medseg.errors import DataError, MachineError, UsageError
from medseg.sharing.layout import SIGNATURE
from medseg.sharing.signing.keys import (
    fingerprint,
    read_certificates,
    read_key_file,
    read_private_key,
)
from medseg.sharing.signing.verify import file_digests, list_differences, listed_digests, open_tree

__all__ = ["Signed", "SigningKey", "sign_bundle"]

# Zips know no time before.
_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """What signs.

    Attributes:
        key: File of the private key, PEM.
        passphrase: Of the key; empty if it is not encrypted.
        certificate: File of the certificate for the key, PEM; None signs with the key alone.
        chain: Files of the certificates that lead from it to the root, PEM.
    """

    key: Path
    passphrase: str = ""
    certificate: Path | None = None
    chain: Sequence[Path] = ()


@dataclass(frozen=True)
class Signed:
    """Where the signature was written, and the fingerprint of the key that it is by."""

    path: Path
    fingerprint: str


def sign_bundle(
    path: str | Path,
    signing: SigningKey,
    *,
    output: str | Path | None = None,
    existing: Literal["refuse", "replace"] = "refuse",
) -> Signed:
    """Sign a packed bundle: its digests are checked, and `model.sig` is written into it.

    Args:
        path: A zip, or the folder that one was unpacked to.
        signing: The key.
        output: The signed zip; None replaces the zip itself. A folder is signed in place.
        existing: What happens to a signature that is there, or to the file `output`.

    Raises:
        UsageError: If there is a signature or an output already.
        DataError: If the bundle is not as it was packed, or key and certificate do not belong
            together.
    """
    path = Path(path)
    target = _target(path, output, existing)
    key = read_private_key(signing.key, signing.passphrase)
    _require_certificates(signing, key)
    tree = open_tree(path)
    if SIGNATURE in tree.entries and existing == "refuse":
        raise UsageError(f"{path}: is signed already; use --overwrite to sign it anew")
    listed = listed_digests(tree)
    files = file_digests(tree, listed)
    found = list_differences(listed, files)
    wrong = sorted(found.changed | found.missing | found.added)
    if wrong:
        raise DataError(
            f"{path}: is not as it was packed ({len(wrong)} files, such as {wrong[0]}); what is "
            "wrong says `medseg bundle verify`"
        )
    content = _signature(listed.name, files, signing, key)
    if isinstance(tree, ZipTree):
        entry = f"{tree.folder}/{SIGNATURE}"
        write_atomically(target, lambda new: _write_zip(path, new, entry, content))
    else:
        write_atomically(target, lambda new: new.write_bytes(content))
    return Signed(target, fingerprint(key.public_key()))


def _target(path: Path, output: str | Path | None, existing: str) -> Path:
    if path.is_dir():
        if output is not None:
            raise UsageError(f"{path}: a folder is signed in place, without -o")
        return path / SIGNATURE
    target = path if output is None else Path(output)
    if target != path and os.path.lexists(target) and existing == "refuse":
        raise UsageError(f"{target} already exists; use --overwrite or another -o")
    return target


def _require_certificates(signing: SigningKey, key: ec.EllipticCurvePrivateKey) -> None:
    if signing.certificate is None:
        if signing.chain:
            raise UsageError("a chain needs the certificate at its end; give --certificate too")
        return
    own, *_ = read_certificates(read_key_file(signing.certificate), str(signing.certificate))
    for file in signing.chain:
        read_certificates(read_key_file(file), str(file))
    if own.public_key() != key.public_key():
        raise DataError(f"{signing.certificate}: is the certificate of another key")


def _signature(
    name: str,
    files: Mapping[str, str],
    signing: SigningKey,
    key: ec.EllipticCurvePrivateKey,
) -> bytes:
    # It takes most of a second, which errors before it need not wait for.
    from model_signing.signing import Config

    from medseg.sharing.signing.signed_files import SignedFiles

    config: Any = Config()
    config.set_hashing_config(SignedFiles(name, files))
    with TemporaryDirectory(prefix="medseg-") as folder, _key_file(signing, key) as private:
        path = Path(folder) / SIGNATURE
        if signing.certificate is None:
            config.use_elliptic_key_signer(private_key=private)
        else:
            config.use_certificate_signer(
                private_key=private,
                signing_certificate=signing.certificate,
                # Certificates behind the first in its file belong to the chain, which must not be
                # empty; that the first is in it twice does no harm.
                certificate_chain=[signing.certificate, *signing.chain],
            )
        config.sign(folder, path)
        return path.read_bytes()


@contextmanager
def _key_file(signing: SigningKey, key: ec.EllipticCurvePrivateKey) -> Generator[Path]:
    """A file with the key for model-signing, which cannot decrypt one: a pipe, not on the disk."""
    if not signing.passphrase:
        yield signing.key
        return
    if not Path("/dev/fd").is_dir():
        raise MachineError(
            f"{signing.key}: keys with a passphrase cannot be used on this system; decrypt it, or "
            "sign on Linux or macOS"
        )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    read, write = os.pipe()
    try:
        # A key has less than the 4 KB that every pipe holds.
        with os.fdopen(write, "wb") as stream:
            stream.write(secret)
        yield Path(f"/dev/fd/{read}")
    finally:
        os.close(read)


def _write_zip(old: Path, new: Path, entry: str, content: bytes) -> None:
    """A copy of a zip with one entry added at its end, or replaced there."""
    with zipfile.ZipFile(old) as archive:
        infos = archive.infolist()
        kept = [info for info in infos if info.filename != entry]
        if len(kept) == len(infos):
            shutil.copyfile(old, new)
        else:
            with zipfile.ZipFile(new, "w") as copy:
                for info in kept:
                    copy.writestr(info, archive.read(info))
    with zipfile.ZipFile(new, "a") as copy:
        info = zipfile.ZipInfo(entry, _TIME)
        info.external_attr = 0o100644 << 16
        copy.writestr(info, content)
