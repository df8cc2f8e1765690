"""Summary of a bundle's weights, by the header of their file; no tensor is read."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from medseg.bundles.judgement.files.weights_entry import read_weights_entry
from medseg.bundles.judgement.tree import BundleTree
from medseg.errors import DataError
from medseg.networks.provenance import KEY, Provenance, provenance_from
from medseg.networks.weights_file import DIGEST, WeightsHeader, header_object

__all__ = ["WEIGHTS", "WeightsSummary", "summarise_weights"]

WEIGHTS = "models/model.safetensors"


@dataclass(frozen=True, kw_only=True)
class WeightsSummary:
    """What the header of a bundle's weights says.

    Attributes:
        path: In the bundle.
        size: Of the file, in bytes.
        numbers: How many the tensors hold.
        types: Of the tensors, e.g. `F32`.
        sha256: Of the tensors, as the header states it; empty if it does not.
        provenance: Where they come from; None if the header says it wrongly.
        window: Voxels of a window along each axis; empty if the header does not say.
    """

    path: str
    size: int
    numbers: int
    types: tuple[str, ...]
    sha256: str
    provenance: Provenance | None
    window: tuple[int, ...]


def summarise_weights(tree: BundleTree) -> WeightsSummary | None:
    """Summarise `models/model.safetensors`; None if there is none that can be read."""
    try:
        header = read_weights_entry(tree, WEIGHTS)
    except DataError:
        return None
    tensors = header.tensors.values()
    return WeightsSummary(
        path=WEIGHTS,
        size=tree.entries[WEIGHTS].size,
        numbers=sum(math.prod(tensor.shape) for tensor in tensors),
        types=tuple(sorted({tensor.dtype for tensor in tensors})),
        sha256=header.texts.get(DIGEST, "")[:64],
        provenance=_provenance(header),
        window=_window(header),
    )


def _provenance(header: WeightsHeader) -> Provenance | None:
    try:
        return provenance_from(_object(header, KEY), header.texts.get(DIGEST, ""))
    except (KeyError, TypeError, ValueError):
        return None


def _window(header: WeightsHeader) -> tuple[int, ...]:
    sizes = _object(header, "settings").get("patch_size")
    if not isinstance(sizes, list):
        return ()
    known = cast("list[Any]", sizes)
    return tuple(known) if all(type(size) is int for size in known) and len(known) < 4 else ()


def _object(header: WeightsHeader, key: str) -> Mapping[str, Any]:
    try:
        return header_object(header, key)
    except DataError:
        return {}
