"""A packed bundle of four files, as folder and zip, and certificates, for tests of signatures."""

import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from medseg.sharing.digests import Digests, bytes_digest, write_digests
from medseg.sharing.layout import DIGESTS

FILES = {
    "LICENSE": b"Apache-2.0\n",
    "configs/inference.yaml": b"network_def: {}\n",
    "docs/README.md": b"# Spleen\n",
    "models/model.safetensors": bytes(range(64)),
}
NOW = datetime.now(UTC)


def write_bundle(folder: Path, files=FILES, name: str = "spleen", version: str = "1.0.0") -> Path:
    """A packed folder, `folder/name`."""
    bundle = folder / name
    for path, content in files.items():
        (bundle / path).parent.mkdir(parents=True, exist_ok=True)
        (bundle / path).write_bytes(content)
    digests = {path: bytes_digest(content) for path, content in files.items()}
    listed = Digests(name=name, version=version, packed_with="0.1.0", files=digests)
    (bundle / DIGESTS).write_bytes(write_digests(listed))
    return bundle


def write_zip(bundle: Path) -> Path:
    """The zip of a packed folder, beside it."""
    path = bundle.with_name(f"{bundle.name}.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(bundle.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(bundle.parent).as_posix())
    return path


def contents(bundle: Path) -> dict[str, bytes]:
    """The bytes of all files below a folder."""
    files = (file for file in bundle.rglob("*") if file.is_file())
    return {file.relative_to(bundle).as_posix(): file.read_bytes() for file in files}


class Authority:
    """An institution with a root, and signing certificates that it issues."""

    def __init__(self, folder: Path, name: str = "Hospital") -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.key = ec.generate_private_key(ec.SECP384R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._issue(self.name, self.key.public_key(), authority=True)
        self.root = self._write("root.pem", certificate)

    def issue(self, name: str, key_file: Path, *, days: tuple[int, int] = (-1, 365)) -> Path:
        """The certificate of a public key, in PEM."""
        key = serialization.load_pem_public_key(key_file.read_bytes())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._issue(subject, key, days=days, authority=False)
        return self._write(f"{name}.pem", certificate)

    def _issue(self, subject, public_key, *, authority, days=(-800, 3650)):
        usage = dict.fromkeys(
            (
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "crl_sign",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + timedelta(days=days[0]))
            .not_valid_after(NOW + timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, **usage),
                critical=True,
            )
        )
        return builder.sign(self.key, hashes.SHA384())

    def _write(self, name, certificate):
        path = self.folder / name
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return path
