"""Facts of one case: grid, intensities inside and outside of the labels, structures.

All are plain values, so that they can be kept as JSON and a case need not be read again. Axes are
those of a recipe, which turns volumes to RAS; lengths are in millimetres, of pictures in pixels.
"""

from dataclasses import dataclass

__all__ = ["QUANTILES", "CaseFacts", "ChannelFacts", "ClassFacts"]

# Where intensities and sizes are kept, in per cent.
QUANTILES = (0.5, 2.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 95.0, 98.0, 99.5)


@dataclass(frozen=True, kw_only=True)
class ClassFacts:
    """Facts of one class of a case, of objects all together.

    Attributes:
        value: Label value, from 1.
        voxels: Their number; all that follows is 0 or empty if there is none.
        parts: Connected parts, over faces; numbered objects if labels are such.
        part_voxels: Sizes of the parts at `QUANTILES`.
        extent: Length of the largest part's box along each axis.
        thickness: Four times the mean distance of its voxels to what is not it: of a slab its
            thickness, of a ball its radius.
        centre: Of its voxels, as a share of the image, along each axis.
    """

    value: int
    voxels: int
    parts: int
    part_voxels: tuple[float, ...]
    extent: tuple[float, ...]
    thickness: float
    centre: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class ChannelFacts:
    """Intensities of one of several channels of a case, in the grid of the first.

    Attributes:
        inside: Intensities of labelled voxels at `QUANTILES`; empty without.
        outside: Likewise of the others.
        zeros: Share of voxels that are 0.
        dark: Share of voxels below a tenth of the range up to the 99.5th percentile.
    """

    inside: tuple[float, ...]
    outside: tuple[float, ...]
    zeros: float
    dark: float


@dataclass(frozen=True, kw_only=True)
class CaseFacts:
    """Facts of one case.

    Attributes:
        case: Its name.
        kind: `picture` or `volume`.
        shape: Voxels along each axis, 2 of a picture.
        spacing: Size of a voxel along each axis; 1 of a picture.
        orientation: As stored, e.g. `LPS`.
        colour: `rgb` if its channels differ, else `grey`.
        inside: Intensities of labelled voxels at `QUANTILES`, of colours their mean; empty without.
        outside: Likewise of the others.
        zeros: Share of voxels that are 0.
        dark: Share of voxels below a tenth of the range up to the 99.5th percentile.
        box: Voxels of the box around all labels, along each axis; 0 without labels.
        classes: Of each class but background.
        touching: Share of numbered objects that touch another; 0 of classes.
        holes: Sizes of holes in objects at `QUANTILES`; empty if there are none.
        others: Of the second channel and on; what else is said of intensities is of the first.
    """

    case: str
    kind: str
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    orientation: str
    colour: str
    inside: tuple[float, ...]
    outside: tuple[float, ...]
    zeros: float
    dark: float
    box: tuple[int, ...]
    classes: tuple[ClassFacts, ...]
    touching: float = 0.0
    holes: tuple[float, ...] = ()
    others: tuple[ChannelFacts, ...] = ()
