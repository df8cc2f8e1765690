"""Weights of a packed bundle: its own, as safetensors, and of one network as tensors for MONAI."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from medseg.errors import DataError
from medseg.networks.ensemble import Ensemble
from medseg.networks.known import UNET
from medseg.networks.members import joint_sha256, member_settings, weights_members
from medseg.networks.provenance import Provenance, read_provenance
from medseg.networks.weights import halved_state, read_state, trained_network
from medseg.networks.weights_bytes import plain_bytes, safe_bytes
from medseg.networks.weights_file import DIGEST
from medseg.sharing.packing.leaks import header_values

__all__ = ["PackedWeights", "Precision", "packed_weights", "weights_problems"]

Precision = Literal["kept", "half"]


@dataclass(frozen=True, kw_only=True)
class PackedWeights:
    """Weights, ready to be packed: of one network, or of the folds of an ensemble.

    Attributes:
        files: Contents by path in the bundle: `models/model.safetensors` and `model.pt`, or
            `models/fold_0.safetensors` and so on.
        tensors_sha256: Digest of the packed tensors, see `joint_sha256`.
        source_sha256: Digest of the tensors before they were halved; the same if they were not.
        texts: All texts of each header, as data, by path in the bundle.
        settings: The training's settings.
        network: Arguments of the network, without `_target_`.
        provenance: Where they come from.
    """

    files: Mapping[str, bytes]
    tensors_sha256: str
    source_sha256: str
    texts: Mapping[str, Mapping[str, Any]]
    settings: Mapping[str, Any]
    network: Mapping[str, Any]
    provenance: Provenance


@dataclass(frozen=True, kw_only=True)
class _Member:
    """One file."""

    safe: bytes
    plain: bytes
    source_sha256: str
    texts: Mapping[str, Any]
    network: Mapping[str, Any]


def packed_weights(path: Path, precision: Precision, default: Mapping[str, Any]) -> PackedWeights:
    """Read weights, halve them if asked, and encode them.

    Args:
        path: The `.safetensors` file, for which folds may stand, see `weights_members`.
        precision: `kept` as it is, or `half`.
        default: Network of the bundle's inference config, for headers that do not say all of it.

    Raises:
        DataError: If they are missing, broken, damaged or of another network than they say.
    """
    paths = weights_members(path)
    members = [_member(one, precision, default) for one in paths]
    if len(members) == 1:
        names = ["models/model.safetensors"]
        files = {names[0]: members[0].safe, "models/model.pt": members[0].plain}
    else:
        names = [f"models/{one.name}" for one in paths]
        files = {name: one.safe for name, one in zip(names, members, strict=True)}
    return PackedWeights(
        files=files,
        tensors_sha256=joint_sha256([_stated_digest(one.safe) for one in members]),
        source_sha256=joint_sha256([one.source_sha256 for one in members]),
        texts={name: one.texts for name, one in zip(names, members, strict=True)},
        settings=member_settings(path),
        network=members[0].network,
        provenance=read_provenance(path),
    )


def _member(path: Path, precision: Precision, default: Mapping[str, Any]) -> _Member:
    state, texts = read_state(path)
    source = texts[DIGEST]
    if precision == "half":
        state = halved_state(state, path)
    network = trained_network(path, default)
    described = {} if isinstance(network, Ensemble) else network.describe()
    if described.pop("_target_", None) != UNET:
        raise DataError(
            f"{path}: are those of a network for comparison; a bundle is packed with a U-Net's"
        )
    return _Member(
        # Encoded anew also if they are kept: what else a file may hold does not get into the zip.
        safe=safe_bytes(state, texts),
        plain=plain_bytes(state),
        source_sha256=source,
        texts=header_values(texts),
        network=described,
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
