"""Provenance of weights: bundle, training data, digest; for all that is made with them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from medseg.errors import DataError
from medseg.networks.members import joint_sha256, weights_members
from medseg.networks.weights_file import DIGEST, header_object, read_weights_file

__all__ = [
    "KEY",
    "Provenance",
    "Span",
    "StartedFrom",
    "TrainedOn",
    "TrainingImages",
    "provenance_from",
    "provenance_json",
    "read_provenance",
]

# Key among the texts of the weights' header.
KEY = "provenance"
_LONGEST = 120

TrainedOn = Literal["phantoms", "images", "unknown"]
# Lowest and highest value over the training images.
Span = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class TrainingImages:
    """Fingerprint of the images that weights were trained on; as stored, before preprocessing.

    Attributes:
        modality: Of the manifest, e.g. `CT`.
        count: Number of images.
        spacing_mm: Span of the spacing along R-L, A-P and S-I (pictures: none).
        extent_mm: Span of the field of view along the same axes; of pictures in pixels.
        percentiles: Span over the images of each intensity percentile, by its number as text.
        foreground: Likewise of the voxels brighter than a tenth of the range, from 0 to 1 within
            it; they depend on the part of the body, not on the scale of intensities.
        others: Of the other channels, where there are several.
    """

    modality: str
    count: int
    spacing_mm: tuple[Span, ...] | None
    extent_mm: tuple[Span, ...]
    percentiles: Mapping[str, Span]
    foreground: Mapping[str, Span]
    others: "tuple[TrainingImages, ...]" = ()


@dataclass(frozen=True, kw_only=True)
class StartedFrom:
    """Weights that a training started from; what holds for their data holds for the new ones too.

    Attributes:
        bundle: Name of the bundle that trained them; None where their header does not say.
        version: Version of that bundle.
        data: Name of the data set.
        tensors_sha256: Digest of their tensors.
    """

    bundle: str | None = None
    version: str | None = None
    data: str | None = None
    tensors_sha256: str


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where weights come from.

    Attributes:
        bundle: Name of the bundle that trained them; None where the header does not say.
        version: Version of that bundle.
        data: Name of the data set.
        trained_on: `phantoms` for simulated images; `unknown` where the header does not say.
        tensors_sha256: Digest of the tensors, as computed when they were read.
        images: Fingerprint of the training images; None where the header does not say.
        started_from: Other weights that the training started from; None if from none.
        members: How many networks there are, whose mean is predicted; their digests are hashed
            into one.
    """

    bundle: str | None = None
    version: str | None = None
    data: str | None = None
    trained_on: TrainedOn = "unknown"
    tensors_sha256: str
    images: TrainingImages | None = None
    started_from: StartedFrom | None = None
    members: int = 1

    @property
    def caution(self) -> str:
        """What a reader of the result has to know, in a few words for titles and tables."""
        if self.trained_on == "phantoms":
            return "research only: trained on phantoms, not on patients"
        return "research only: not for diagnosis"

    @property
    def brief(self) -> str:
        """The caution in a few words, for names of series; at most 32 characters."""
        return (
            "research only, phantom weights" if self.trained_on == "phantoms" else "research only"
        )


def read_provenance(path: str | Path) -> Provenance:
    """Where the weights at `path` come from, as their header says; their digest is checked.

    Args:
        path: A `.safetensors` file. What its header does not say is None or `unknown`. Of folds
            that stand for it, what they have in common.

    Raises:
        DataError: If the file is missing, broken or damaged, or its header says it wrongly; of
            folds, also if they are of several bundles.
    """
    members = weights_members(path)
    found = [_read(member) for member in members]
    if len(found) == 1:
        return found[0]
    first = found[0]
    for member, one in zip(members, found, strict=True):
        if (one.bundle, one.data) != (first.bundle, first.data):
            raise DataError(
                f"{member}: trained by {one.bundle} on {one.data}, and {members[0].name} by "
                f"{first.bundle} on {first.data}; an ensemble is of one cross-validation"
            )
    return replace(
        first,
        version=first.version if len({one.version for one in found}) == 1 else None,
        tensors_sha256=joint_sha256([one.tensors_sha256 for one in found]),
        images=_of_all([one.images for one in found]),
        started_from=first.started_from if len({one.started_from for one in found}) == 1 else None,
        members=len(found),
    )


def _of_all(images: Sequence[TrainingImages | None]) -> TrainingImages | None:
    """Spans over the images of all members, each of which was trained on all but one fold."""
    known = [one for one in images if one is not None]
    if len(known) < len(images):
        return None
    spacings = [one.spacing_mm for one in known if one.spacing_mm is not None]
    return TrainingImages(
        modality=known[0].modality,
        count=round(sum(one.count for one in known) / (len(known) - 1)),
        spacing_mm=_over_all(spacings) if len(spacings) == len(known) else None,
        extent_mm=_over_all([one.extent_mm for one in known]),
        percentiles=_by_name([one.percentiles for one in known]),
        foreground=_by_name([one.foreground for one in known]),
    )


def _over_all(rows: Sequence[Sequence[Span]]) -> tuple[Span, ...]:
    return tuple(_widest(spans) for spans in zip(*rows, strict=False))


def _by_name(rows: Sequence[Mapping[str, Span]]) -> dict[str, Span]:
    return {name: _widest([row[name] for row in rows if name in row]) for name in rows[0]}


def _widest(spans: Sequence[Span]) -> Span:
    return min(low for low, _ in spans), max(high for _, high in spans)


def _read(path: Path) -> Provenance:
    header, _ = read_weights_file(path)
    stated = header_object(header, KEY)
    try:
        return provenance_from(stated, header.texts[DIGEST])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path}: its provenance is not as medseg writes it; train with medseg"
        ) from error


def provenance_from(stated: Mapping[str, Any], digest: str) -> Provenance:
    """The provenance of weights whose header states this.

    Raises:
        KeyError, TypeError or ValueError: If it is not what `provenance_json` returns.
    """
    images, started = stated.get("images"), stated.get("started_from")
    trained_on = stated.get("trained_on", "unknown")
    if trained_on not in get_args(TrainedOn):
        raise ValueError(trained_on)
    return Provenance(
        bundle=_text(stated.get("bundle")),
        version=_text(stated.get("version")),
        data=_text(stated.get("data")),
        trained_on=trained_on,
        tensors_sha256=digest,
        images=None if images is None else _images(images),
        started_from=None if started is None else _started_from(started),
    )


def provenance_json(provenance: Provenance) -> dict[str, Any]:
    """JSON values for the header, without the digest of the tensors, which is a text of its own."""
    stated = {**vars(provenance)}
    del stated["tensors_sha256"]
    if provenance.members == 1:
        del stated["members"]
    if provenance.images is not None:
        stated["images"] = _images_json(provenance.images)
    if provenance.started_from is not None:
        started = vars(provenance.started_from)
        stated["started_from"] = {k: value for k, value in started.items() if value is not None}
    return {name: value for name, value in stated.items() if value is not None}


def _images_json(images: TrainingImages) -> dict[str, Any]:
    stated = dict(vars(images))
    others = stated.pop("others")
    return {**stated, "others": [*map(_images_json, others)]} if others else stated


def _text(stated: Any) -> str | None:
    if stated is None:
        return None
    if not isinstance(stated, str) or not stated.isprintable() or len(stated) > _LONGEST:
        raise ValueError(stated)
    return stated


def _started_from(stated: Mapping[str, Any]) -> StartedFrom:
    return StartedFrom(
        bundle=_text(stated.get("bundle")),
        version=_text(stated.get("version")),
        data=_text(stated.get("data")),
        tensors_sha256=_text(stated["tensors_sha256"]) or "",
    )


def _images(stated: Mapping[str, Any]) -> TrainingImages:
    spacing = stated["spacing_mm"]
    return TrainingImages(
        modality=_text(stated["modality"]) or "",
        count=int(stated["count"]),
        spacing_mm=None if spacing is None else tuple(map(_length, spacing)),
        extent_mm=tuple(map(_length, stated["extent_mm"])),
        percentiles=_by_percentile(stated["percentiles"]),
        foreground=_by_percentile(stated["foreground"]),
        others=tuple(map(_images, stated.get("others", ()))),
    )


def _by_percentile(stated: Any) -> dict[str, Span]:
    return {str(float(key)): _span(span) for key, span in dict(stated).items()}


def _length(stated: Any) -> Span:
    low, high = _span(stated)
    if low <= 0:
        raise ValueError(stated)
    return low, high


def _span(stated: Any) -> Span:
    low, high = (float(number) for number in stated)
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(stated)
    return low, high
