"""Provenance of weights: bundle, training data, digest; for all that is made with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["Provenance", "TrainingImages"]

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
    """

    modality: str
    count: int
    spacing_mm: tuple[Span, ...] | None
    extent_mm: tuple[Span, ...]
    percentiles: Mapping[str, Span]


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
    """

    bundle: str | None = None
    version: str | None = None
    data: str | None = None
    trained_on: TrainedOn = "unknown"
    tensors_sha256: str
    images: TrainingImages | None = None

    @property
    def caution(self) -> str:
        """What a reader of the result has to know, in a few words for titles and tables."""
        if self.trained_on == "phantoms":
            return "research only: trained on phantoms, not on patients"
        return "research only: not for diagnosis"
