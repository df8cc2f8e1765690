"""Source of a pack: a bundle's folder, read once, with its configs, manifests and weights."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import yaml

from medseg.bundles.judgement.tree import BundleTree
from medseg.bundles.metadata import Metadata, load_metadata
from medseg.bundles.plain_yaml import read_config_file
from medseg.data.manifest import Manifest, load_manifest, manifest_text
from medseg.errors import ManifestError
from medseg.networks.members import stands_for
from medseg.sharing.describing.card import CARD, CardFacts, card_text, has_facts
from medseg.sharing.packing.packed_weights import PackedWeights, Precision, packed_weights
from medseg.sharing.packing.trained_config import with_trained_settings
from medseg.sharing.packing.twins import twins

__all__ = ["PackSource", "read_source"]

METADATA = "configs/metadata.json"
TRAIN = "configs/train.yaml"
_OWN_WEIGHTS = "models/model.safetensors"
_MOST_BYTES = 10_000_000


@dataclass(frozen=True, kw_only=True)
class PackSource:
    """What is known of a bundle before anything is decided.

    Attributes:
        metadata: Of the bundle.
        files: Texts to be packed, by path: configs with twins and manifests without cases.
        values: Configs, metadata and manifests as data, by path.
        manifests: Whole, with their cases.
        weights: None if the bundle has none.
        problems: Lines on files that contradict each other.
    """

    metadata: Metadata
    files: Mapping[str, bytes]
    values: Mapping[str, Any]
    manifests: tuple[Manifest, ...]
    weights: PackedWeights | None
    problems: tuple[str, ...]

    @property
    def identifiers(self) -> Iterator[str]:
        """Of all cases and patients."""
        for manifest in self.manifests:
            for case in manifest.cases:
                yield from (case.case, case.patient)

    @property
    def dropped_cases(self) -> int:
        """How many cases the manifests list."""
        return sum(len(manifest.cases) for manifest in self.manifests)


def read_source(
    bundle: Path, tree: BundleTree, kept: Iterable[str], weights: Path | None, precision: Precision
) -> PackSource:
    """Read what may go into the pack.

    Args:
        bundle: The bundle's folder.
        tree: Its files.
        kept: Paths of those that may go.
        weights: A file to take them from; the bundle's own if None.
        precision: Of the weights.

    Raises:
        DataError: If the metadata, a config or the weights are broken.
    """
    metadata = load_metadata(bundle / METADATA)
    contents = {path: tree.read(path, _MOST_BYTES) for path in kept if _is_text(path)}
    configs = {path: read_config_file(bundle / path) for path in contents if _is_yaml(path)}
    jsons = {path for path in contents if path.endswith(".json") and path != METADATA}
    manifests = dict(_manifests(bundle, jsons))
    packed = _weights(bundle, weights, precision, configs.get("configs/inference.yaml", {}))
    if packed is not None and TRAIN in configs:
        text = contents[TRAIN].decode()
        contents[TRAIN] = with_trained_settings(text, packed.settings, packed.network).encode()
        configs[TRAIN] = _plain(contents[TRAIN])
    made = twins(configs)
    others = {path: read_config_file(bundle / path) for path in jsons - manifests.keys()}
    problems = [
        f"{path}: differs from {Path(path).with_suffix('.yaml').name}; remove it, pack writes it"
        for path, content in others.items()
        if path in made and content != read_config_file(bundle / Path(path).with_suffix(".yaml"))
    ]
    if CARD in contents and has_facts(contents[CARD].decode()):
        facts = _card_facts(metadata, packed, tuple(manifests.values()), contents)
        contents[CARD] = card_text(contents[CARD].decode(), facts).encode()
    emptied = {path: _without_cases(manifest) for path, manifest in manifests.items()}
    shown = {path: manifest_text(manifest).encode() for path, manifest in emptied.items()}
    return PackSource(
        metadata=metadata,
        files={**contents, **made, **shown},
        values={
            METADATA: metadata.model_dump(mode="json", by_alias=True),
            **configs,
            **{path: content for path, content in others.items() if path not in made},
            **{path: manifest.model_dump(mode="json") for path, manifest in emptied.items()},
        },
        manifests=tuple(manifests.values()),
        weights=packed,
        problems=tuple(problems),
    )


def _plain(content: bytes) -> Any:
    return cast("Any", yaml).load(content, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _is_text(path: str) -> bool:
    return not path.startswith(("models/", "golden/"))


def _card_facts(
    metadata: Metadata,
    weights: PackedWeights | None,
    manifests: tuple[Manifest, ...],
    contents: Mapping[str, bytes],
) -> CardFacts:
    """Of the weights that are packed, which need not be those of the folder."""
    licence = contents.get("LICENSE", b"").decode(errors="replace")
    provenance = None
    if weights is not None:
        provenance = replace(weights.provenance, tensors_sha256=weights.tensors_sha256)
    return CardFacts(metadata=metadata, provenance=provenance, manifests=manifests, licence=licence)


def _is_yaml(path: str) -> bool:
    return path.startswith("configs/") and path.endswith(".yaml")


def _manifests(bundle: Path, paths: Iterable[str]) -> Iterator[tuple[str, Manifest]]:
    for path in sorted(paths):
        try:
            yield path, load_manifest(bundle / path)
        except ManifestError:
            continue


def _without_cases(manifest: Manifest) -> Manifest:
    return manifest.model_copy(update={"training": (), "test": ()})


def _weights(
    bundle: Path, path: Path | None, precision: Precision, inference: Mapping[str, Any]
) -> PackedWeights | None:
    own = bundle / _OWN_WEIGHTS
    if path is None and not stands_for(own):
        return None
    definition = cast("Mapping[str, Any]", inference.get("network_def") or {})
    given = cast("Mapping[str, Any]", definition.get("default") or {})
    # Of several channels it is computed from their scales, and the weights state it.
    computed = str(given.get("in_channels")).startswith("$")
    default = {key: value for key, value in given.items() if not computed or key != "in_channels"}
    return packed_weights(path or own, precision, default)
