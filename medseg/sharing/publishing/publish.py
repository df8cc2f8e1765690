"""Publication of packed bundles, by the kind of target.

A new kind is a row in `_PUBLISH`: `publish(packed, target)` copies a zip that it has found to be
complete and safe, by `packed_contents`, and says in a line what it did.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from medseg.errors import UsageError
from medseg.sharing.publishing.publish_hub import publish_to_hub
from medseg.sharing.publishing.publish_oci import publish_to_registry
from medseg.sharing.publishing.share import publish_to_folder

__all__ = ["publish"]


def publish(packed: Path, target: str) -> str:
    """Publish a packed bundle.

    Args:
        packed: The zip.
        target: A folder, `oci://HOST/REPOSITORY:TAG` or `hf://OWNER/NAME`.

    Returns:
        What was done, in a line.

    Raises:
        UsageError: If the target's scheme is unknown, or it has another content as this version.
        DataError: If the zip is incomplete or not safe.
    """
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", target)
    scheme = "path" if match is None else match[1].lower()
    if scheme not in _PUBLISH:
        raise UsageError(f"{target}: cannot publish there; {_KNOWN}")
    return _PUBLISH[scheme](packed, target)


def _to_folder(packed: Path, target: str) -> str:
    entry = publish_to_folder(packed, Path(target))
    return f"{Path(target) / entry.file}: {entry.name}@{entry.version}, sha256 {entry.sha256}"


_PUBLISH: Mapping[str, Callable[[Path, str], str]] = {
    "path": _to_folder,
    "oci": publish_to_registry,
    "hf": publish_to_hub,
}
_KNOWN = "give the folder of a share, oci://HOST/REPOSITORY:TAG or hf://OWNER/NAME"
