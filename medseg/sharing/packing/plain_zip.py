"""Zip with the same bytes for the same files: in one order, without times, owners or compression.

Weights hardly compress, and compressed bytes depend on the version of zlib.
"""

import io
import zipfile
from collections.abc import Mapping

__all__ = ["zip_bytes"]

# The earliest that a zip can tell.
_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_MODE = 0o100644


def zip_bytes(files: Mapping[str, bytes]) -> bytes:
    """The bytes of a zip.

    Args:
        files: Contents by path, with `/`.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _TIME)
            entry.create_system = _UNIX
            entry.external_attr = _MODE << 16
            archive.writestr(entry, files[path])
    return content.getvalue()
