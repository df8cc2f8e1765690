"""Voxel grid of a phantom: body coordinates of each voxel, and smooth random fields.

Anatomy is defined in millimetres in the body's frame (x to the patient's right, y to the front,
z to the head, origin near the tracheal bifurcation), never in voxels, so one description serves
every shape, spacing and tilt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

__all__ = ["Field", "Grid", "coverage", "profile", "sample_grid", "smooth_minimum"]

# A value for every voxel, `(I, J, K)`.
Field = NDArray[np.floating[Any]]

# Field of view that contains a chest and the couch, and the point of the body at its centre.
WIDTH_MM, DEPTH_MM, HEIGHT_MM = 372.0, 304.0, 292.0
CENTRE_MM = np.array([0.0, -14.0, -33.0])


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """A voxel grid laid through the body.

    Attributes:
        shape: `(I, J, K)`.
        spacing_mm: Voxel size along I, J, K.
        rotation: `(3, 3)`, directions of I, J, K in the body as columns.
        offset_mm: `(3,)`, the body's origin in the scanner's frame.
        stature: Size of this patient along the body's axes; 1 is the reference patient,
            in whose millimetres all anatomy is given.
        x: `(I, J, K)`, reference millimetres towards the patient's right.
        y: Likewise, towards the front.
        z: Likewise, towards the head.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    rotation: NDArray[np.float64]
    offset_mm: NDArray[np.float64]
    stature: NDArray[np.float64]
    x: Field
    y: Field
    z: Field

    @property
    def affine(self) -> NDArray[np.float64]:
        """`(4, 4)`, voxel indices to RAS+ millimetres of the scanner."""
        affine = np.eye(4)
        affine[:3, :3] = self.rotation * self.spacing_mm
        affine[:3, 3] = self.offset_mm + CENTRE_MM - affine[:3, :3] @ self._middle
        return affine

    def to_voxels(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Reference millimetres `(N, 3)` as voxel indices `(N, 3)`."""
        return (
            points_mm * self.stature - CENTRE_MM
        ) @ self.rotation / self.spacing_mm + self._middle

    def to_body(self, voxels: NDArray[np.int64]) -> NDArray[np.float64]:
        """Voxel indices `(N, 3)` as reference millimetres `(N, 3)`."""
        steps = (voxels - self._middle) * self.spacing_mm
        return (steps @ self.rotation.T + CENTRE_MM) / self.stature

    def noise(self, rng: np.random.Generator, *, scale_mm: float) -> Field:
        """A smooth random field `(I, J, K)` of mean 0 and SD near 1.

        A cubic B-spline with normally distributed control points, `scale_mm` apart, which is also
        about the size of the field's features.
        """
        weights = [
            _spline_weights(size, step / scale_mm)
            for size, step in zip(self.shape, self.spacing_mm, strict=True)
        ]
        control = rng.standard_normal([w.shape[1] for w in weights]).astype(np.float32)
        field = np.einsum("abc,ia,jb,kc->ijk", control, *weights, optimize=True)
        # A cubic B-spline averages its control points: the SD falls to 0.48 per axis^0.5 ... ^3.
        return field * np.float32(0.479**-1.5)

    @property
    def _middle(self) -> NDArray[np.float64]:
        return (np.array(self.shape) - 1) / 2


def sample_grid(rng: np.random.Generator, shape: tuple[int, int, int]) -> Grid:
    """Draw spacing, tilt and position of a grid whose field of view contains the chest."""
    zoom = rng.uniform(1.0, 1.06)
    in_plane = float(zoom * max(WIDTH_MM / shape[0], DEPTH_MM / shape[1]))
    spacing = (in_plane, in_plane, float(zoom * HEIGHT_MM / shape[2]))
    tilted = rng.random() < 0.5
    angles = rng.normal(0, 5, 3) * tilted
    rotation = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    stature = rng.uniform((0.93, 0.94, 0.92), (1.04, 1.05, 1.02))
    indices = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in shape), indexing="ij", sparse=True)
    x, y, z = (
        ((_combine(rotation[row] * spacing, indices) + CENTRE_MM[row]) / stature[row]).astype(
            np.float32
        )
        for row in range(3)
    )
    return Grid(
        shape=shape,
        spacing_mm=spacing,
        rotation=rotation,
        offset_mm=rng.uniform(-60, 60, 3).round(1),
        stature=stature,
        x=x,
        y=y,
        z=z,
    )


def coverage(distance_mm: Field, width_mm: float) -> Field:
    """Partial volume: the fraction of a voxel inside a shape, from the distance to its surface.

    Args:
        distance_mm: Signed distance, positive inside.
        width_mm: Voxel size, and width of the transition.

    Returns:
        Values in [0, 1].
    """
    return np.clip(distance_mm / np.float32(width_mm) + np.float32(0.5), 0, 1)


def profile(values_mm: Field, knots: list[tuple[float, float]]) -> Field:
    """A piecewise smoothstep function of one coordinate, from a table in steps of 0.5 mm.

    Args:
        values_mm: `(I, J, K)`, positions to evaluate it at.
        knots: `(position_mm, value)`, in ascending order; constant beyond the ends.
    """
    positions, heights = np.array(knots).T
    fine = np.arange(positions[0], positions[-1] + 0.5, 0.5)
    share = np.interp(fine, positions, np.arange(len(positions)))
    index = np.minimum(share.astype(int), len(positions) - 2)
    t = share - index
    table = heights[index] + (heights[index + 1] - heights[index]) * t * t * (3 - 2 * t)
    rows = ((values_mm - np.float32(fine[0])) * np.float32(2)).astype(np.int32)
    return table.astype(np.float32).take(np.clip(rows, 0, len(table) - 1))


def smooth_minimum(first: Field, second: Field, radius_mm: float) -> Field:
    """Smooth minimum of two distances (polynomial, C1), which rounds off the crease."""
    blend = np.clip(np.float32(radius_mm) - np.abs(first - second), 0, None)
    return np.minimum(first, second) - blend * blend * np.float32(0.25 / radius_mm)


def _combine(weights: NDArray[np.float64], axes: Sequence[Field]) -> Field:
    return (weights[0] * axes[0] + weights[1] * axes[1] + weights[2] * axes[2]).astype(np.float32)


def _spline_weights(size: int, step: float) -> Field:
    """`(size, control points)`: uniform cubic B-spline basis at `0, step, 2 step, ...`."""
    positions = np.arange(size) * step + 1
    count = int(positions[-1]) + 3
    distance = np.abs(positions[:, None] - np.arange(count)[None])
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.clip(2 - distance, 0, None) ** 3 / 6
    return np.where(distance < 1, near, far).astype(np.float32)
