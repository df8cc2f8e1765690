"""Expected images: what a manifest or a bundle says of them before they are read."""

from dataclasses import dataclass, replace

from medseg.data.datasets.unlike_training import Trained
from medseg.data.manifest import Channel, Manifest

__all__ = ["UNKNOWN", "Expected", "expected_by"]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What is said of images before they are read; None where nothing is said.

    Attributes:
        modality: E.g. `CT`.
        unit: Unit of the first channel's intensities, e.g. `HU`.
        window: Intensities that a recipe maps to [0, 1].
        trained: Fingerprint of the images that the weights were trained on.
        name: Of the first channel, where there are several.
        others: What is said of the other channels.
    """

    modality: str | None = None
    unit: str | None = None
    window: tuple[float, float] | None = None
    trained: Trained | None = None
    name: str | None = None
    others: "tuple[Expected, ...]" = ()

    @property
    def channels(self) -> "tuple[Expected, ...]":
        """What is said of each channel, the first first."""
        return (self, *self.others)


UNKNOWN = Expected()


def expected_by(manifest: Manifest) -> Expected:
    """What a manifest says of its images."""
    first, *others = (_of_channel(channel, manifest.modality) for channel in manifest.channels)
    return replace(first, others=tuple(others))


def _of_channel(channel: Channel, modality: str) -> Expected:
    window = None if channel.window is None else (channel.window[0], channel.window[1])
    of_own = channel.modality or modality
    return Expected(modality=of_own, unit=channel.unit, window=window, name=channel.name)
