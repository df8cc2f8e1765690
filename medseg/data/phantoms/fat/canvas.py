"""Canvas of the fat phantom: the fat and the water image of a Dixon scan, painted in layers.

Pure fat and pure water have a signal of 1. Each layer covers those below by its fraction of the
pixel, which gives borders their partial volume. Both images are kept because a scan can swap them.
"""

from dataclasses import dataclass

from medseg.data.phantoms.grid import Field, coverage

__all__ = ["Canvas", "Tissue"]


@dataclass(frozen=True)
class Tissue:
    """Signal of a tissue in the two images, 1 for pure fat or water.

    Attributes:
        fat: Signal in the fat image, including leakage of water.
        water: Signal in the water image, including leakage of fat.
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
        """Paint a layer, by its fraction of each pixel."""
        self.fat[...] += share * (tissue.fat - self.fat)
        self.water[...] += share * (tissue.water - self.water)

    def paint_inside(self, distance_mm: Field, tissue: Tissue) -> None:
        """Paint the inside of a shape."""
        self.paint(coverage(distance_mm, self.spacing_mm), tissue)
