"""Draft of a new bundle: everything that its files say, decided but not yet written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from medseg.data.manifest import Manifest

__all__ = ["Cells", "Draft", "RecipeName", "modalities"]

RecipeName = Literal[
    "ct_body", "mri_volume", "pet_volume", "several_channels", "microscopy", "histology_he"
]


def modalities(manifest: Manifest) -> str:
    """What images were made by, e.g. `CT`; of several channels each, `PT and MR`."""
    each = [channel.modality or manifest.modality for channel in manifest.channels]
    return " and ".join(dict.fromkeys(each)) or manifest.modality


@dataclass(frozen=True, kw_only=True)
class Cells:
    """How a foreground probability becomes numbered objects, see `NumberCellsd`."""

    threshold: float
    waist_px: float
    least_px: int
    largest_hole_px: int


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A bundle to be written.

    Attributes:
        name: Of the bundle: a-z, 0-9 and _.
        manifest: Of its data set; also its channels, classes and kind of labels.
        recipe: Recipe in `transforms/` that its configs copy.
        seen: Values of the recipe's keys.
        network: Arguments of `medseg.networks.UNet`, but its in- and output channels.
        loss: `_target_` and arguments.
        optimizer: `_target_` and arguments but the parameters and the rate.
        training: Values of the keys of the training, `epochs` to `seed`.
        control: Values of nested keys of `control`.
        notes: Comments of keys, which replace those that all bundles have.
        cells: For numbered objects; None for classes.
        validated_on: `training` for a single patient, whose images are all there is.
        pages: Further files, by their path in the bundle.
    """

    name: str
    manifest: Manifest
    recipe: RecipeName
    seen: Mapping[str, Any]
    network: Mapping[str, Any]
    loss: Mapping[str, Any]
    optimizer: Mapping[str, Any]
    training: Mapping[str, Any]
    control: Mapping[str, Any] = field(default_factory=dict[str, Any])
    notes: Mapping[str, str] = field(default_factory=dict[str, str])
    cells: Cells | None = None
    validated_on: Literal["validation", "training"] = "validation"
    pages: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def class_names(self) -> list[str]:
        """Names of the classes, background first."""
        return self.manifest.class_names

    @property
    def axes(self) -> int:
        """2 for pictures, 3 for volumes, also those that are labelled slice by slice."""
        return int(self.network["spatial_dims"])

    @property
    def channels(self) -> int:
        """Channels of the image as the network gets it."""
        if self.seen.get("content") == "rgb" or self.recipe == "histology_he":
            return 3
        return len(self.manifest.channels)

    @property
    def input_channels(self) -> int | str:
        """The same as the configs say it."""
        return "$len(@scales)" if self.recipe == "several_channels" else self.channels
