"""SHA-256 of files, folders and voxels."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.data.walk import walk_tree

__all__ = ["file_sha256", "path_sha256", "voxels_sha256"]


def path_sha256(path: str | Path) -> str:
    """SHA-256 of a file, or of a folder tree of DICOM slices.

    For a folder, the digest of its files' hexadecimal digests, in the order of their names, links
    followed; hidden files, which desktops leave behind, are ignored.
    """
    path = Path(path)
    if not path.is_dir():
        return file_sha256(path)
    # A link to nothing has no content, and reading the slices tells that it is there.
    files = walk_tree(path).files
    return hashlib.sha256("".join(map(file_sha256, files)).encode()).hexdigest()


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def voxels_sha256(array: NDArray[Any]) -> str:
    """SHA-256 of shape and values, independent of stored type and compression.

    Args:
        array: `(I, J, K)`; hashed as float32.
    """
    digest = hashlib.sha256(repr(array.shape).encode())
    # Slice by slice, so that a large volume is not copied as a whole.
    for k in range(array.shape[2]):
        digest.update(np.ascontiguousarray(array[:, :, k], dtype="<f4").tobytes())
    return digest.hexdigest()
