"""Model card of a bundle: its front matter and facts, from metadata, scores and provenance.

Machines and people read the same card: the front matter is what Hugging Face's hub reads, the facts
stand between two marks, and all that was written by hand stays as it is.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from medseg._files import write_atomically
from medseg.bundles.metadata import Metadata, load_metadata
from medseg.bundles.scores import Scores
from medseg.data.manifest import Manifest, load_manifest
from medseg.errors import DataError, ManifestError
from medseg.networks.members import stands_for
from medseg.networks.provenance import Provenance, read_provenance
from medseg.sharing.describing.card_licence import hub_licence

__all__ = ["CARD", "CardFacts", "card_text", "has_facts", "read_card_facts", "update_card"]

CARD = "docs/README.md"
_BEGIN = "<!-- facts: written by medseg bundle card from configs/metadata.json and the weights -->"
_END = "<!-- end of facts -->"
_FACTS = re.compile(rf"{re.escape(_BEGIN)}.*?{re.escape(_END)}\n*", re.DOTALL)
_FRONT = re.compile(r"\A---\n.*?^---\n+", re.DOTALL | re.MULTILINE)
_WEIGHTS = Path("models", "model.safetensors")


@dataclass(frozen=True, kw_only=True)
class CardFacts:
    """What a card tells of a bundle.

    Attributes:
        metadata: Of the bundle.
        provenance: Of its weights; None if it has none.
        manifests: In its configs.
        licence: Text of its LICENSE.
    """

    metadata: Metadata
    provenance: Provenance | None
    manifests: tuple[Manifest, ...]
    licence: str


def update_card(bundle: Path) -> bool:
    """Write a bundle's card anew, its hand-written text kept.

    Returns:
        Whether it has changed.

    Raises:
        DataError: If metadata or weights are broken.
    """
    path = bundle / CARD
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    after = card_text(before, read_card_facts(bundle))
    if after != before:
        write_atomically(path, lambda temporary: temporary.write_text(after, encoding="utf-8"))
    return after != before


def read_card_facts(bundle: Path) -> CardFacts:
    """The facts of the bundle in a folder.

    Raises:
        DataError: If there is no such folder, or metadata or weights are broken.
    """
    if not bundle.is_dir():
        raise DataError(f"{bundle}: no such folder; give the folder of a bundle")
    weights, licence = bundle / _WEIGHTS, bundle / "LICENSE"
    manifests: list[Manifest] = []
    for path in sorted((bundle / "configs").glob("*.json")):
        with suppress(ManifestError):
            manifests.append(load_manifest(path))
    return CardFacts(
        metadata=load_metadata(bundle / "configs" / "metadata.json"),
        provenance=read_provenance(weights) if stands_for(weights) else None,
        manifests=tuple(manifests),
        licence=licence.read_text(encoding="utf-8", errors="replace") if licence.is_file() else "",
    )


def has_facts(text: str) -> bool:
    """Whether a card has a place for facts."""
    return _FACTS.search(text) is not None


def card_text(text: str, known: CardFacts) -> str:
    """A card with front matter and facts of a bundle.

    Args:
        text: The card so far; empty for a new one.
        known: Of the bundle.
    """
    metadata, provenance = known.metadata, known.provenance
    facts = "\n".join([_BEGIN, "", *_facts(metadata, provenance), "", _END, ""])
    body = _FRONT.sub("", text) or _new_card(metadata)
    if _FACTS.search(body):
        body = _FACTS.sub(lambda _: f"{facts}\n", body, count=1)
    else:
        place = re.search(r"^## ", body, re.MULTILINE)
        at = place.start() if place else len(body)
        body = f"{body[:at].rstrip()}\n\n{facts}\n{body[at:]}"
    return _front_matter(known) + body.rstrip("\n") + "\n"


def _front_matter(known: CardFacts) -> str:
    metadata = known.metadata
    image = metadata.network_data_format.inputs["image"]
    tags = ["medical", "segmentation", "u-net", image.modality.lower(), "medseg"]
    content = {
        "library_name": "monai",
        "pipeline_tag": "image-segmentation",
        "tags": ["monai", *tags],
        **hub_licence(known.provenance, known.manifests, known.licence),
        **_model_index(metadata),
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=200)
    return f"---\n{text}---\n\n"


def _model_index(metadata: Metadata) -> dict[str, object]:
    scores = metadata.scores
    if scores is None:
        return {}
    metrics = [
        {"type": row.metric, "name": f"{row.metric} {row.of}", "value": row.value}
        for row in scores.rows
    ]
    result = {
        "task": {"type": "image-segmentation"},
        "dataset": {"type": "other", "name": scores.data},
        "metrics": metrics,
    }
    return {"model-index": [{"name": metadata.name, "results": [result]}]}


def _new_card(metadata: Metadata) -> str:
    lines = [f"# {_inline(metadata.task)}", "", _inline(metadata.description), ""]
    lines += [f"**Intended use**: {_inline(metadata.intended_use)}.", ""]
    lines += ["## References", "", *(f"- {_inline(line)}" for line in metadata.references), ""]
    return "\n".join(lines)


def _facts(metadata: Metadata, provenance: Provenance | None) -> Iterator[str]:
    image = metadata.network_data_format.inputs["image"]
    labels = metadata.network_data_format.outputs["pred"].channel_def
    yield "| | |"
    yield "|---|---|"
    yield f"| bundle | {_cell(metadata.name)} {metadata.version} |"
    yield f"| task | {_cell(metadata.task)} |"
    yield f"| image | {_cell(image.modality)}, {image.num_channels} channel(s), {_axes(metadata)} |"
    yield f"| labels | {_cell(', '.join(f'{key} {name}' for key, name in labels.items()))} |"
    yield f"| weights | {_weights_words(provenance)} |"
    if metadata.scores is not None:
        yield ""
        yield from _score_lines(metadata.scores, provenance)


def _axes(metadata: Metadata) -> str:
    return f"{len(metadata.network_data_format.inputs['image'].spatial_shape)}-D"


def _weights_words(provenance: Provenance | None) -> str:
    if provenance is None:
        return "none: a recipe to train with"
    data = _cell(provenance.data or "unknown data")
    count = "" if provenance.members == 1 else f"{provenance.members} networks, whose mean it is, "
    return f"{count}of {data}, {provenance.caution}; tensors `{provenance.tensors_sha256}`"


def _score_lines(scores: Scores, provenance: Provenance | None) -> Iterator[str]:
    shipped = provenance is not None and provenance.tensors_sha256 == scores.weights_sha256
    whose = "these weights" if shipped else "weights that are not in this bundle"
    yield f"Scores of {whose}: {_inline(scores.data)} ({scores.cases} cases)."
    yield ""
    yield "| of | metric | value | 95 % interval |"
    yield "|---|---|---|---|"
    for row in scores.rows:
        low_high = "" if row.interval is None else f"{row.interval[0]:g} to {row.interval[1]:g}"
        yield f"| {_cell(row.of)} | {row.metric} | {row.value:g} | {low_high} |"


def _cell(text: str) -> str:
    return _inline(text).replace("|", "\\|")


def _inline(text: str) -> str:
    """Text in one line; what could be markup of a page is written out."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace("`", "'")
