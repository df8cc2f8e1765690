"""Summary of a bundle: what it is, by its files read as plain data, nothing executed.

All texts are the bundle's own and may be anything: whoever shows them escapes and cuts them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError

from medseg.bundles.judgement.configs.config_files import json_content, parse_text
from medseg.bundles.judgement.tree import BundleTree
from medseg.bundles.scores import Scores
from medseg.errors import MedsegError
from medseg.sharing.describing.licence_names import licence_names
from medseg.sharing.describing.weights_summary import WeightsSummary, summarise_weights
from medseg.sharing.digests import read_digests
from medseg.sharing.layout import CASE, DIGESTS, SIGNATURE

__all__ = ["DATA_LICENCE", "METADATA", "Summary", "read_metadata", "summarise", "text_of"]

METADATA = "configs/metadata.json"
DATA_LICENCE = "docs/data_license.txt"
_MOST_TEXT = 2**22
_MOST_LETTERS = 2000
_NETWORK_CONFIGS = ("configs/inference", "configs/train")
_SUFFIXES = (".yaml", ".yml", ".json")
_LICENCES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE")


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a bundle says of itself, and what it holds.

    Attributes:
        name: By its metadata; empty, as any other text, if it does not say.
        version: By its metadata.
        task: What it does.
        image: Modality, channels and axes of the images that it takes, in words.
        labels: Names of the classes, from 0.
        network: Class and sizes of the network.
        weights: Of its weights file; None if it has none that medseg reads.
        use: What it is intended for.
        data: What it was trained on.
        licences: Names of licences in LICENSE (`bundle`), in docs/data_license.txt (`data`), and
            what the metadata says (`copyright`).
        scores: With their intervals; None if the metadata has no such key.
        eval_metrics: MONAI's numbers without intervals.
        needs: Versions of packages that it asks for, by name.
        files: How many it holds.
        size: Of all of them, in bytes.
        bundle_sha256: Digest of its list of digests; empty if it has none.
        has_signature: Whether there is one; `medseg bundle verify` says whose.
        has_golden_case: Whether `medseg bundle test` can be run.
    """

    name: str
    version: str
    task: str
    image: str
    labels: tuple[str, ...]
    network: str
    weights: WeightsSummary | None
    use: str
    data: str
    licences: Mapping[str, tuple[str, ...]]
    scores: Scores | None
    eval_metrics: Mapping[str, float]
    needs: Mapping[str, str]
    files: int
    size: int
    bundle_sha256: str
    has_signature: bool
    has_golden_case: bool


def summarise(tree: BundleTree) -> Summary:
    """Summarise a bundle; what cannot be read is left empty.

    Raises:
        MedsegError: Never for the bundle's contents.
    """
    metadata = read_metadata(tree)
    return Summary(
        name=text_of(metadata.get("name")),
        version=text_of(metadata.get("version")),
        task=text_of(metadata.get("task")) or text_of(metadata.get("description")),
        image=_image(metadata),
        labels=_labels(metadata),
        network=_network(tree),
        weights=summarise_weights(tree),
        use=text_of(metadata.get("intended_use")),
        data=text_of(metadata.get("data_source")),
        licences={
            "bundle": next(filter(None, (_licences(tree, name) for name in _LICENCES)), ()),
            "data": _licences(tree, DATA_LICENCE),
            "copyright": tuple(filter(None, [text_of(metadata.get("copyright"))])),
        },
        scores=_scores(metadata),
        eval_metrics=_numbers(metadata.get("eval_metrics")),
        needs=_needs(metadata),
        files=len(tree.entries),
        size=sum(entry.size for entry in tree.entries.values()),
        bundle_sha256=_bundle_sha256(tree),
        has_signature=SIGNATURE in tree.entries,
        has_golden_case=CASE in tree.entries,
    )


def read_metadata(tree: BundleTree) -> dict[str, Any]:
    """The metadata of a bundle; empty if it has none that can be read."""
    try:
        content = json_content(METADATA, tree.read(METADATA, _MOST_TEXT).decode("utf-8"))
    except (MedsegError, UnicodeDecodeError):
        return {}
    return _mapping(content)


def text_of(value: Any) -> str:
    """A value if it is a text or a number, at most 2000 letters of it; else an empty text."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)[:_MOST_LETTERS]
    return ""


def _mapping(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _image(metadata: Mapping[str, Any]) -> str:
    inputs = _mapping(_mapping(metadata.get("network_data_format")).get("inputs"))
    told: list[str] = []
    for entry in map(_mapping, inputs.values()):
        shape = entry.get("spatial_shape")
        axes = len(cast("list[Any]", shape)) if isinstance(shape, list) else 0
        channels = text_of(entry.get("num_channels"))
        parts = (
            text_of(entry.get("modality")),
            f"{channels} channel{'' if channels == '1' else 's'}" if channels else "",
            f"{axes}-D" if axes else "",
        )
        told.append(", ".join(filter(None, parts)))
    return "; ".join(dict.fromkeys(filter(None, told)))


def _labels(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    outputs = _mapping(_mapping(metadata.get("network_data_format")).get("outputs"))
    channels = _mapping(_mapping(outputs.get("pred")).get("channel_def"))
    numbered = {int(key): text_of(name) for key, name in channels.items() if key.isdecimal()}
    return tuple(numbered[number] for number in sorted(numbered))


def _network(tree: BundleTree) -> str:
    for path in (stem + suffix for stem in _NETWORK_CONFIGS for suffix in _SUFFIXES):
        if path not in tree.entries:
            continue
        try:
            config = parse_text(path, tree.read(path, _MOST_TEXT).decode("utf-8")).content
        except (MedsegError, UnicodeDecodeError):
            continue
        parts = (_mapping(_mapping(config).get(key)) for key in ("network_def", "network"))
        target = next(filter(None, (text_of(part.get("_target_")) for part in parts)), "")
        if target:
            # What trained_network builds, unless the weights say otherwise.
            return "medseg UNet" if target.endswith(".trained_network") else target
    return ""


def _licences(tree: BundleTree, path: str) -> tuple[str, ...]:
    try:
        text = tree.read(path, _MOST_TEXT).decode("utf-8", errors="replace")
    except MedsegError:
        return ()
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return licence_names(text) or (first[:_MOST_LETTERS],)


def _scores(metadata: Mapping[str, Any]) -> Scores | None:
    try:
        return Scores.model_validate(metadata["scores"]) if "scores" in metadata else None
    except ValidationError:
        return None


def _numbers(value: Any) -> dict[str, float]:
    return {
        name: number
        for name, number in _mapping(value).items()
        if isinstance(number, int | float) and not isinstance(number, bool)
    }


def _needs(metadata: Mapping[str, Any]) -> dict[str, str]:
    # MONAI's earlier name of the key is what most published bundles have.
    packages = _mapping(
        metadata.get("required_packages_version") or metadata.get("optional_packages_version")
    )
    own = {
        "monai": metadata.get("monai_version"),
        "torch": metadata.get("pytorch_version"),
        "numpy": metadata.get("numpy_version"),
    }
    return {name: text_of(version) for name, version in {**packages, **own}.items() if version}


def _bundle_sha256(tree: BundleTree) -> str:
    try:
        return read_digests(tree.read(DIGESTS, _MOST_TEXT), tree.name).bundle_sha256
    except MedsegError:
        return ""
