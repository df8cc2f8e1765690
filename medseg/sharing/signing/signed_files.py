"""Digests of files as model-signing takes them, in place of a folder that it would hash itself.

So a zip is signed and verified without being unpacked, and no file is read twice.
"""

import os
from collections.abc import Iterable, Mapping

from model_signing import manifest
from model_signing.hashing import Config
from model_signing.manifest import hashing

from medseg.sharing.layout import SIGNATURE

__all__ = ["SignedFiles"]

_Path = str | bytes | os.PathLike[str]
# The signature names what it leaves out: itself, and nothing else, not even files of git.
_METHOD = {
    "method": "files",
    "hash_type": "sha256",
    "allow_symlinks": False,
    "ignore_paths": [SIGNATURE],
}


class SignedFiles(Config):
    """A hashing configuration of model-signing that knows the digests already."""

    def __init__(self, name: str, files: Mapping[str, str]) -> None:
        """Takes the files' digests.

        Args:
            name: Of the bundle; it is written into a signature, and informs only.
            files: SHA-256 in hexadecimal by path, of all files but the signature; empty for one
                whose content cannot be right.
        """
        super().__init__()
        method = manifest.SerializationType.from_args(_METHOD)
        digests = {
            path: hashing.Digest("sha256", bytes.fromhex(one)) for path, one in files.items()
        }
        items = [method.new_item(path, digest) for path, digest in digests.items()]
        self._manifest = _Compared(name, items, method)

    def hash(
        self, model_path: _Path, *, files_to_hash: Iterable[_Path] | None = None
    ) -> manifest.Manifest:
        """The digests that were given, whatever the arguments."""
        return self._manifest

    @property
    def signed(self) -> Mapping[str, str] | None:
        """What was signed, as `files`; None until a signature by the right key was compared.

        Its digests are empty where they are of another kind than SHA-256 of a whole file.
        """
        signed = self._manifest.signed
        if signed is None:
            return None
        return {
            one.identifier: one.digest.digest_hex if one.digest.algorithm == "sha256" else ""
            for one in signed.resource_descriptors()
        }


class _Compared(manifest.Manifest):
    """A manifest that keeps the one which it was compared with: model-signing hands out neither."""

    signed: manifest.Manifest | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, manifest.Manifest):
            return NotImplemented
        self.signed = other
        return list(self.resource_descriptors()) == list(other.resource_descriptors())

    __hash__ = None
