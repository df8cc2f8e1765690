"""Summary of a bundle's weights, by the header of their file; no tensor is read."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from medseg.bundles.judgement.files.weights_entry import read_weights_entry
from medseg.bundles.judgement.tree import BundleTree
from medseg.errors import DataError
from medseg.networks.members import joint_sha256
from medseg.networks.provenance import KEY, Provenance, provenance_from
from medseg.networks.weights_file import DIGEST, WeightsHeader, header_object

__all__ = ["WEIGHTS", "WeightsSummary", "summarise_weights"]

WEIGHTS = "models/model.safetensors"
_FOLD = re.compile(r"models/fold_\d+\.safetensors")


@dataclass(frozen=True, kw_only=True)
class WeightsSummary:
    """What the header of a bundle's weights says.

    Attributes:
        path: In the bundle; of folds, the first.
        networks: How many there are, whose mean is predicted.
        size: Of the file, in bytes.
        numbers: How many the tensors hold.
        types: Of the tensors, e.g. `F32`.
        sha256: Of the tensors, as the header states it; empty if it does not.
        provenance: Where they come from; None if the header says it wrongly.
        window: Voxels of a window along each axis; empty if the header does not say.
    """

    path: str
    networks: int
    size: int
    numbers: int
    types: tuple[str, ...]
    sha256: str
    provenance: Provenance | None
    window: tuple[int, ...]


def summarise_weights(tree: BundleTree) -> WeightsSummary | None:
    """Summarise `models/model.safetensors`, or the folds that stand for it.

    Returns:
        None if there is none that can be read. Of folds, what the first says, and the size and
        numbers of all.
    """
    paths = [WEIGHTS] if WEIGHTS in tree.entries else list(filter(_FOLD.fullmatch, tree.entries))
    paths.sort(key=lambda path: (len(path), path))
    try:
        headers = [read_weights_entry(tree, path) for path in paths]
    except DataError:
        return None
    if not headers:
        return None
    tensors = [tensor for header in headers for tensor in header.tensors.values()]
    return WeightsSummary(
        path=paths[0],
        networks=len(paths),
        size=sum(tree.entries[path].size for path in paths),
        numbers=sum(math.prod(tensor.shape) for tensor in tensors),
        types=tuple(sorted({tensor.dtype for tensor in tensors})),
        sha256=_digest(headers),
        provenance=_provenance(headers[0], len(headers)),
        window=_window(headers[0]),
    )


def _digest(headers: Sequence[WeightsHeader]) -> str:
    stated = [header.texts.get(DIGEST, "")[:64] for header in headers]
    return joint_sha256(stated) if all(stated) else ""


def _provenance(header: WeightsHeader, networks: int) -> Provenance | None:
    try:
        stated = provenance_from(_object(header, KEY), header.texts.get(DIGEST, ""))
        # A fold was trained on some of the images only.
        return stated if networks == 1 else replace(stated, images=None, members=networks)
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
