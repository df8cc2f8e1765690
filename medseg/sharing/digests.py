"""List of a packed bundle's files with their sizes and digests, as canonical JSON."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from medseg.errors import DataError
from medseg.sharing.layout import DIGESTS

__all__ = ["Digests", "FileDigest", "Sha256", "bytes_digest", "read_digests", "write_digests"]

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class FileDigest(BaseModel):
    """Size in bytes and SHA-256 of one file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: Annotated[int, Field(ge=0)]
    sha256: Sha256


class Digests(BaseModel):
    """All files of a packed bundle but the list itself and the signature.

    Attributes:
        format: Name and version of this format.
        name: Of the bundle.
        version: Of the bundle.
        packed_with: Version of medseg.
        files: By path in the bundle, with `/`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["medseg.bundle/1"] = "medseg.bundle/1"
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,100}$")]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    packed_with: str
    files: Mapping[str, FileDigest]

    @property
    def bundle_sha256(self) -> str:
        """Digest of the whole bundle: that of the list's canonical JSON."""
        return hashlib.sha256(write_digests(self)).hexdigest()


def bytes_digest(content: bytes) -> FileDigest:
    """Size and digest of a file's bytes."""
    return FileDigest(size=len(content), sha256=hashlib.sha256(content).hexdigest())


def write_digests(digests: Digests) -> bytes:
    """Canonical JSON: keys sorted, no spaces, UTF-8, a line's end at the end."""
    text = json.dumps(
        digests.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return f"{text}\n".encode()


def read_digests(content: bytes, where: str) -> Digests:
    """Read the list.

    Args:
        content: Of `digests.json`.
        where: The bundle, for the error.

    Raises:
        DataError: If it is no such list.
    """
    try:
        return Digests.model_validate_json(content)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part)[:60] for part in problem["loc"])
        raise DataError(
            f"{where}: {DIGESTS} is no list of digests ({key or 'the file'}: {problem['msg']:.100})"
        ) from error
