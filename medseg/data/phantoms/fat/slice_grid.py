"""Pixel grid of an axial phantom slice: body coordinates, and smooth random fields.

Like `medseg.data.phantoms.grid` for volumes, it keeps anatomy in millimetres: the same seed with
half as many pixels gives the same slice, coarser.
"""

import math
from dataclasses import dataclass

import numpy as np

from medseg.data.phantoms.grid import Field

__all__ = ["SliceGrid", "line_distance"]


@dataclass(frozen=True, kw_only=True)
class SliceGrid:
    """A grid of square pixels through the body.

    Attributes:
        shape: `(I, J)`.
        field_mm: Width of the field of view; its depth follows from the shape.
        centre_mm: Point of the body at the centre of the field.
    """

    shape: tuple[int, int]
    field_mm: float
    centre_mm: tuple[float, float]

    @property
    def spacing_mm(self) -> float:
        """Size of a pixel."""
        return self.field_mm / self.shape[0]

    @property
    def x(self) -> Field:
        """`(I, 1)`, mm towards the patient's right."""
        return self._places(0)[:, None]

    @property
    def y(self) -> Field:
        """`(1, J)`, mm towards the front."""
        return self._places(1)[None]

    def noise(self, rng: np.random.Generator, *, scale_mm: float) -> Field:
        """A smooth random field `(I, J)` of mean 0 and SD near 1.

        A cubic B-spline with control points `scale_mm` apart, the size of its features.
        """
        weights = [self._weights(axis, scale_mm) for axis in (0, 1)]
        control = rng.standard_normal([w.shape[1] for w in weights]).astype(np.float32)
        # A cubic B-spline averages its control points: the SD falls to 0.479 an axis^0.5.
        return (weights[0] @ control @ weights[1].T) / np.float32(0.479)

    def _places(self, axis: int) -> Field:
        steps = np.arange(self.shape[axis]) - (self.shape[axis] - 1) / 2
        return (steps * self.spacing_mm + self.centre_mm[axis]).astype(np.float32)

    def _weights(self, axis: int, scale_mm: float) -> Field:
        size = self.shape[axis]
        positions = (np.arange(size) + 0.5) * self.spacing_mm / scale_mm + 1
        count = math.ceil(size * self.spacing_mm / scale_mm - 1e-6) + 3
        distance = np.abs(positions[:, None] - np.arange(count)[None])
        near = 2 / 3 - distance**2 + distance**3 / 2
        far = np.clip(2 - distance, 0, None) ** 3 / 6
        return np.where(distance < 1, near, far).astype(np.float32)


def line_distance(grid: SliceGrid, field: Field) -> Field:
    """Distance of each pixel from the zero lines of a field, in mm, to first order."""
    along, across = np.gradient(field, np.float32(grid.spacing_mm))
    return np.abs(field) / (np.hypot(along, across) + np.float32(1e-3))
