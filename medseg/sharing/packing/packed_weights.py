"""Weights of a packed bundle: the bundle's own, as safetensors and as plain tensors for MONAI."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from medseg.errors import DataError
from medseg.networks.known import UNET
from medseg.networks.provenance import Provenance, read_provenance
from medseg.networks.weights import halved_state, read_state, trained_network
from medseg.networks.weights_bytes import plain_bytes, safe_bytes
from medseg.networks.weights_file import DIGEST, header_object, read_weights_header
from medseg.sharing.packing.leaks import header_values

__all__ = ["PackedWeights", "Precision", "packed_weights", "weights_problems"]

Precision = Literal["kept", "half"]


@dataclass(frozen=True, kw_only=True)
class PackedWeights:
    """Weights, ready to be packed.

    Attributes:
        safe: Bytes of `model.safetensors`.
        plain: Bytes of `model.pt`.
        tensors_sha256: Digest of the packed tensors.
        source_sha256: Digest of the tensors before they were halved; the same if they were not.
        texts: All texts of the header, as data.
        settings: The training's settings.
        network: Arguments of the network, without `_target_`.
        provenance: Where they come from.
    """

    safe: bytes
    plain: bytes
    tensors_sha256: str
    source_sha256: str
    texts: Mapping[str, Any]
    settings: Mapping[str, Any]
    network: Mapping[str, Any]
    provenance: Provenance


def packed_weights(path: Path, precision: Precision, default: Mapping[str, Any]) -> PackedWeights:
    """Read weights, halve them if asked, and encode them.

    Args:
        path: The `.safetensors` file.
        precision: `kept` as it is, or `half`.
        default: Network of the bundle's inference config, for headers that do not say all of it.

    Raises:
        DataError: If they are missing, broken, damaged or of another network than they say.
    """
    state, texts = read_state(path)
    source = texts[DIGEST]
    if precision == "half":
        state = halved_state(state, path)
    # Encoded anew also if they are kept: what else a file may hold does not get into the zip.
    safe = safe_bytes(state, texts)
    network = trained_network(path, default).describe()
    if network.pop("_target_") != UNET:
        raise DataError(
            f"{path}: are those of a network for comparison; a bundle is packed with a U-Net's"
        )
    return PackedWeights(
        safe=safe,
        plain=plain_bytes(state),
        tensors_sha256=_stated_digest(safe),
        source_sha256=source,
        texts=header_values(texts),
        settings=header_object(read_weights_header(path), "settings"),
        network=network,
        provenance=read_provenance(path),
    )


def weights_problems(weights: PackedWeights, name: str) -> list[str]:
    """Why weights may not be packed as those of the bundle `name`."""
    trained_by = weights.provenance.bundle
    if trained_by == name:
        return []
    said = (
        f"were trained by the bundle {trained_by}" if trained_by else "do not say who trained them"
    )
    return [
        f"models/model.safetensors: provenance#bundle: the weights {said}, not {name}; "
        "pack weights of this bundle (--weights)"
    ]


def _stated_digest(content: bytes) -> str:
    size = int.from_bytes(content[:8], "little")
    return str(json.loads(content[8 : 8 + size])["__metadata__"][DIGEST])
