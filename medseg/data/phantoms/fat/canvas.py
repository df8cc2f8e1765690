"""The two images of a Dixon scan while a slice is being painted: fat and water, 1 each when pure.

Layers go on one after the other; each covers what lies below it by its share of the pixel, which
gives borders their partial volume. Both are kept because a scan can swap them.
"""

from dataclasses import dataclass

from medseg.data.phantoms.grid import Field, coverage

__all__ = ["Canvas", "Tissue"]


@dataclass(frozen=True)
class Tissue:
    """Signal in the two images, in units of pure fat's.

    Attributes:
        fat: Also that of water which leaks into the fat image.
        water: Likewise.
    """

    fat: float | Field
    water: float | Field


@dataclass(frozen=True, eq=False)
class Canvas:
    """The images being painted, each `(I, J)`."""

    fat: Field
    water: Field
    spacing_mm: float

    def paint(self, share: Field, tissue: Tissue) -> None:
        """Cover the images with a layer, by its share of each pixel."""
        self.fat[...] += share * (tissue.fat - self.fat)
        self.water[...] += share * (tissue.water - self.water)

    def paint_inside(self, distance_mm: Field, tissue: Tissue) -> None:
        """Cover the inside of a shape."""
        self.paint(coverage(distance_mm, self.spacing_mm), tissue)
