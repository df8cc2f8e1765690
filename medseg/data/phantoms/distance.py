"""Signed distances to ellipses, ellipsoids and super-ellipses, in mm, positive inside.

First-order approximations: exact on the surface, and accurate enough near it for partial volume.
"""

import numpy as np

from medseg.data.phantoms.grid import Field

__all__ = ["ellipse_distance", "ellipsoid_distance", "super_ellipse_distance"]


def ellipse_distance(x: Field, y: Field, a: float, b: float) -> Field:
    """Distance to an ellipse at the origin with half axes `a` and `b`."""
    inverse = np.sqrt((x / a) ** 2 + (y / b) ** 2) + np.float32(1e-3)
    gradient = np.sqrt((x / a**2) ** 2 + (y / b**2) ** 2) + np.float32(1e-4)
    return inverse * (1 - inverse) / gradient


def ellipsoid_distance(
    point: tuple[Field, Field, Field], radii: tuple[float, float, float]
) -> Field:
    """Distance to an ellipsoid at the origin."""
    squared = np.sqrt(sum((p / r) ** 2 for p, r in zip(point, radii, strict=True)))
    gradient = np.sqrt(sum((p / r**2) ** 2 for p, r in zip(point, radii, strict=True)))
    return squared * (1 - squared) / (gradient + np.float32(1e-4))


def super_ellipse_distance(
    x: Field, y: Field, a: Field | float, b: Field | float, exponent: Field | np.float32
) -> Field:
    """Radial distance to |x/a|^n + |y/b|^n = 1."""
    reach = (np.abs(x / a) ** exponent + np.abs(y / b) ** exponent) ** (1 / exponent)
    return np.hypot(x, y) * (1 / np.maximum(reach, np.float32(1e-2)) - 1)
