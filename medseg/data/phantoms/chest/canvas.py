"""Canvas of a chest phantom: an image painted in layers, and Hounsfield units of tissues.

Each layer covers those below by its fraction of the voxel, which gives borders their partial
volume.
"""

from dataclasses import dataclass

from medseg.data.phantoms.grid import Field, Grid, coverage

__all__ = ["Canvas"]

AIR_HU, FAT_HU, MUSCLE_HU, BLOOD_HU, LIVER_HU = -1000, -100, 48, 42, 58
CORTEX_HU, MARROW_HU, DISC_HU = 620, 230, 85


@dataclass(frozen=True, eq=False)
class Canvas:
    """The image being painted, `(I, J, K)` in HU, on its grid."""

    image: Field
    grid: Grid

    def paint(self, share: Field, hu: float | Field) -> None:
        """Paint a layer, by its fraction of each voxel."""
        self.image[...] += share * (hu - self.image)

    def paint_inside(self, distance_mm: Field, hu: float | Field) -> None:
        """Paint the inside of a shape."""
        self.paint(coverage(distance_mm, self.grid.spacing_mm[0]), hu)
