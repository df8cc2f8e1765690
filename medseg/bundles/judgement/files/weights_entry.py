"""Weights in a bundle's tree: the header of a safetensors file, held against the file's size."""

import io
from collections.abc import Iterator
from pathlib import Path

from medseg.bundles.judgement.files.finding import Finding
from medseg.bundles.judgement.tree import BundleTree
from medseg.errors import DataError
from medseg.networks.weights_file import WeightsHeader, weights_header

__all__ = ["read_weights_entry", "weights_findings"]

# More than a header may have, see weights_file.
_MOST_HEADER = 2**24 + 8


def read_weights_entry(tree: BundleTree, path: str) -> WeightsHeader:
    """Header of a safetensors file of a bundle; its tensors are not read.

    Raises:
        DataError: If it is no safetensors file, or cannot be read.
    """
    head = b""
    for chunk in tree.chunks(path):
        head += chunk
        if len(head) >= min(_MOST_HEADER, 8 + int.from_bytes(head[:8], "little")):
            break
    return weights_header(Path(path), io.BytesIO(head), tree.entries[path].size)


def weights_findings(tree: BundleTree, path: str) -> Iterator[Finding]:
    """The finding for a file that is no safetensors file; none for one that is."""
    try:
        read_weights_entry(tree, path)
    except DataError as error:
        yield Finding("refused", f"is {str(error).removeprefix(f'{path}: ')}")
