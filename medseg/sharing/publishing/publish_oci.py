"""Publication of a packed bundle in an OCI registry."""

from pathlib import Path
from tempfile import TemporaryDirectory

from medseg.data.digest import file_sha256
from medseg.errors import DataError, UsageError
from medseg.sharing.publishing.oci_registry import (
    LAYER_TYPE,
    Reference,
    read_layer,
    registry_client,
    require_success,
    told,
)
from medseg.sharing.publishing.share import safe_contents
from medseg.sharing.store.contents import Contents

__all__ = ["publish_to_registry"]


def publish_to_registry(packed: Path, target: str) -> str:
    """Push a packed bundle, as one layer with its name and version beside it.

    Args:
        packed: A complete zip that is judged safe.
        target: `oci://HOST/REPOSITORY:TAG`.

    Returns:
        What was done, in a line.

    Raises:
        UsageError: If the tag has another content, or the target is no tag.
        DataError: If the zip is incomplete or not safe, or the registry refuses.
        MachineError: If it cannot be reached, or oras is not installed.
    """
    contents = safe_contents(packed)
    reference = Reference.parse(target)
    if ":" in reference.version:
        raise UsageError(f"{target}: names a digest; give a tag, such as {contents.version}")
    client, container = registry_client(reference)
    sha256 = file_sha256(packed)
    there = read_layer(reference, client, container)
    if there is not None and there.sha256 != sha256:
        what = f"has another content, {there.sha256}; publish this one under another tag"
        raise UsageError(f"{reference}: {what}")
    if there is None:
        _push(reference, packed, contents)
        there = read_layer(reference, client, container)
    if there is None or there.sha256 != sha256:
        raise DataError(f"{reference}: was pushed, and is not there now; ask who runs the registry")
    fixed = Reference(host=reference.host, repository=reference.repository, version=there.manifest)
    return f"{reference}: {contents.name}@{contents.version}, sha256 {sha256}, fixed as {fixed}"


def _push(reference: Reference, packed: Path, contents: Contents) -> None:
    client, _ = registry_client(reference)
    # oras takes a colon in a path for the begin of the layer's type.
    with TemporaryDirectory() as folder, told(reference):
        link = Path(folder) / f"{contents.name}-{contents.version}.zip"
        link.symlink_to(packed.resolve())
        response = client.push(
            target=str(reference).removeprefix("oci://"),
            files=[f"{link}:{LAYER_TYPE}"],
            manifest_annotations={
                "org.opencontainers.image.title": contents.name,
                "org.opencontainers.image.version": contents.version,
            },
            disable_path_validation=True,
            quiet=True,
        )
    require_success(reference, response)
