"""OCI registry as the source of a bundle: `oci://HOST/REPOSITORY:TAG`."""

import os
from pathlib import Path
from typing import Any

from medseg.data.digest import file_sha256
from medseg.errors import DataError, MachineError
from medseg.sharing.publishing.oci_registry import (
    Reference,
    read_layer,
    registry_client,
    require_success,
    told,
)
from medseg.sharing.sources.download import MOST_BYTES
from medseg.sharing.sources.source import Source

__all__ = ["fetch_oci", "find_oci"]

_CHUNK = 1 << 18


def find_oci(source: Source) -> Source:
    """The artefact that a tag names now, by the digest of its manifest, with that of its zip.

    Raises:
        UsageError: If it is no reference.
        DataError: If it is not there, is no bundle, or has another digest than the one asked for.
        MachineError: If the registry cannot be reached, or oras is not installed.
    """
    reference = Reference.parse(source.text)
    client, container = registry_client(reference)
    layer = read_layer(reference, client, container)
    if layer is None:
        raise DataError(f"{reference}: is not there; check repository and tag")
    if source.sha256 not in (None, layer.sha256):
        what = f"has SHA-256 {layer.sha256}, not {source.sha256}; it is another file"
        raise DataError(f"{reference}: {what}")
    if layer.size > MOST_BYTES:
        raise DataError(f"{reference}: has {layer.size:,} bytes, more than {MOST_BYTES:,}")
    fixed = Reference(host=reference.host, repository=reference.repository, version=layer.manifest)
    return Source(scheme="oci", text=str(fixed), sha256=layer.sha256, size=layer.size)


def fetch_oci(source: Source, folder: Path) -> Path:
    """Download the zip into `folder`, continued where an earlier download ended.

    Args:
        source: As `find_oci` returns it.
        folder: Created if needed.

    Raises:
        DataError: If the registry refuses, or has another content.
        MachineError: If the connection fails.
        OSError: If the disk is full.
    """
    if source.sha256 is None or source.size is None:
        source = find_oci(source)
    sha256, size = str(source.sha256), int(source.size or 0)
    path = folder / f"oci-{sha256[:16]}.zip"
    if path.is_file() and file_sha256(path) == sha256:
        return path
    part = path.with_suffix(".part")
    folder.mkdir(parents=True, exist_ok=True)
    reference = Reference.parse(source.text)
    _read_on(reference, part, sha256, size)
    if file_sha256(part) != sha256:
        part.unlink()
        raise DataError(f"{reference}: its zip has another content than its digest says; try again")
    part.replace(path)
    return path


def _read_on(reference: Reference, part: Path, sha256: str, size: int) -> None:
    client, container = registry_client(reference)
    have = part.stat().st_size if part.is_file() else 0
    if have > size:
        have = 0
    if have == size and part.is_file():
        return
    if have:
        client.set_header("Range", f"bytes={have}-")
    with told(reference):
        response = client.get_blob(container, f"sha256:{sha256}", stream=True)
    with response:
        require_success(reference, response)
        start = have if int(response.status_code) == 206 else 0
        _copy(reference, response, part, start, size)


def _copy(reference: Reference, response: Any, part: Path, start: int, size: int) -> None:
    with part.open("r+b" if start else "wb") as stream, told(reference):
        stream.seek(start)
        for chunk in response.iter_content(_CHUNK):
            if stream.tell() + len(chunk) > size:
                raise DataError(f"{reference}: its zip is larger than its {size:,} bytes")
            stream.write(chunk)
        stream.truncate()
        got = stream.seek(0, os.SEEK_END)
    if got < size:
        raise MachineError(
            f"{reference}: the connection ended after {got:,} of {size:,} bytes, which are kept; "
            "give the same command again"
        )
