"""Image channels of a manifest: name, modality, unit, files, window, intensity statistics.

Statistics are part of the manifest because they are facts of the data set, like its labels: a
bundle has a copy of it, and so records how its images were scaled.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator, model_validator

__all__ = ["Channel", "Modality", "Statistics", "Strict"]

Modality = Literal["CT", "MR", "PT", "US", "microscopy", "histology"]


class Strict(BaseModel):
    """Base of the parts of a manifest: frozen, and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Statistics(Strict):
    """Intensity statistics in the foreground of the training cases, in the channel's unit.

    Attributes:
        low: 0.5th percentile.
        high: 99.5th percentile.
        mean: Mean of all intensities, without clipping.
        std: Standard deviation, likewise.
    """

    low: FiniteFloat
    high: FiniteFloat
    mean: FiniteFloat
    std: Annotated[FiniteFloat, Field(gt=0)]

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low must be below high, got {self.low:g} and {self.high:g}")
        return self


class Channel(Strict):
    """One image channel.

    Attributes:
        name: Name of the channel, e.g. `CT` or `T1`.
        unit: Unit of the stored values, e.g. `HU`.
        modality: Modality of this channel, if the channels are of several; None takes the
            manifest's.
        files: Pattern of this channel's files below the data set's folder, e.g.
            `*/PET_image.nii.gz`, by which they are found in other folders too; None if each case
            is one file.
        window: Stored values that a windowing recipe maps to 0 and 1; None if the scale differs
            from image to image, as in most MRI.
        statistics: As measured by `medseg data statistics`; None if not measured.
    """

    name: str
    unit: str
    modality: Modality | None = None
    files: Annotated[str, Field(min_length=1)] | None = None
    window: tuple[FiniteFloat, FiniteFloat] | None = None
    statistics: Statistics | None = None

    @field_validator("window")
    @classmethod
    def _rising(cls, window: tuple[float, float] | None) -> tuple[float, float] | None:
        if window is not None and not window[0] < window[1]:
            raise ValueError(f"window must rise, got {window}")
        return window
