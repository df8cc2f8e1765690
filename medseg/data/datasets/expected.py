"""Expected images: what a manifest or a bundle says of them before they are read."""

from dataclasses import dataclass

from medseg.data.datasets.unlike_training import Trained
from medseg.data.manifest import Manifest

__all__ = ["UNKNOWN", "Expected", "expected_by"]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What is said of images before they are read; None where nothing is said.

    Attributes:
        modality: E.g. `CT`.
        unit: Unit of the first channel's intensities, e.g. `HU`.
        window: Intensities that a recipe maps to [0, 1].
        trained: Fingerprint of the images that the weights were trained on.
    """

    modality: str | None = None
    unit: str | None = None
    window: tuple[float, float] | None = None
    trained: Trained | None = None


UNKNOWN = Expected()


def expected_by(manifest: Manifest) -> Expected:
    """What a manifest says of its images."""
    channel = manifest.channels[0]
    window = None if channel.window is None else (channel.window[0], channel.window[1])
    return Expected(modality=manifest.modality, unit=channel.unit, window=window)
