"""Cubic B-splines on a coarse control grid: smooth maps from few parameters.

A control grid covers a patch with `cells` cells per axis and one more control point on either
side, so it has `cells + 3` points per axis. A cubic B-spline reproduces straight lines, so an
affine map and a deformation can be added at the control points and interpolated to the patch's
voxels once; and it stays within the convex hull of its control points, so no voxel moves further
than a control point does.

Reference:
    Rueckert et al., Nonrigid registration using free-form deformations, IEEE TMI 1999.
    https://doi.org/10.1109/42.796284
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["basis", "basis_slope", "evaluate", "limit_folding"]

# Smallest local change of volume (Jacobian determinant) that a deformation may have.
_LEAST_VOLUME = 0.1
_POINTS_PER_CELL = 4

Floats = NDArray[np.float64]


def basis(points: Floats, cells: int) -> Floats:
    """B-spline basis matrix: the weight of each control point at each position.

    Args:
        points: `(N,)`, in control spacings from the first cell's edge, in [0, cells].
        cells: Cells along the axis, 1 or more.

    Returns:
        `(N, cells + 3)`, at most four values of a row are not 0; a row's sum is 1.
    """
    t = points - _cell(points, cells)
    pieces = (
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    )
    return _placed(points, cells, pieces)


def basis_slope(points: Floats, cells: int) -> Floats:
    """The derivative of `basis` along the axis, per control spacing; rows sum to 0."""
    t = points - _cell(points, cells)
    pieces = (
        -((1 - t) ** 2) / 2,
        (3 * t**2 - 4 * t) / 2,
        (-3 * t**2 + 2 * t + 1) / 2,
        t**2 / 2,
    )
    return _placed(points, cells, pieces)


def evaluate(control: Tensor, bases: Sequence[Tensor]) -> Tensor:
    """Interpolate control points to voxels.

    Args:
        control: `(..., *controls)`, with 2 or 3 axes of control points.
        bases: One `(N, controls)` per axis.

    Returns:
        `(..., *N)`, contiguous, of the dtype of `control`.
    """
    # Last axis first: the only large product is then that of the first axis, with long rows.
    for matrix in reversed(bases):
        turned = control.movedim(-1, -len(bases))
        rest = list(turned.shape[1 - len(bases) :])
        control = (matrix @ turned.flatten(1 - len(bases))).reshape(
            *turned.shape[: -len(bases)], len(matrix), *rest
        )
    return control


def limit_folding(displacement_mm: Floats, spacing_mm: Sequence[float]) -> Floats:
    """Scale a deformation down until its Jacobian determinant stays above 0.1: no folding.

    Args:
        displacement_mm: `(n, *controls)`, n axes: displacement of each control point.
        spacing_mm: Distance of control points along each axis.

    Returns:
        The same displacement if `x + displacement(x)` is locally invertible everywhere,
        else a multiple of it in (0, 1) that is.
    """
    if _steepest(displacement_mm, spacing_mm) < 1 - _LEAST_VOLUME ** (1 / len(spacing_mm)):
        return displacement_mm
    powers = _determinant(_gradient(displacement_mm, spacing_mm))
    scale = 1.0
    while 1 + _polynomial(powers, scale).min() < _LEAST_VOLUME:
        scale *= 0.9
    return scale * displacement_mm


def _cell(points: Floats, cells: int) -> NDArray[np.int64]:
    return np.clip(np.floor(points), 0, cells - 1).astype(np.int64)


def _placed(points: Floats, cells: int, pieces: Sequence[Floats]) -> Floats:
    rows, first = np.arange(len(points)), _cell(points, cells)
    matrix = np.zeros((len(points), cells + 3))
    for offset, piece in enumerate(pieces):
        matrix[rows, first + offset] = piece
    return matrix


def _steepest(displacement: Floats, spacing_mm: Sequence[float]) -> float:
    """Upper bound of the gradient's norm: slopes lie in the hull of neighbours' differences."""
    rows = [
        np.abs(np.diff(displacement, axis=1 + axis)).max(axis=tuple(range(1, displacement.ndim)))
        / spacing_mm[axis]
        for axis in range(len(spacing_mm))
    ]
    return float(np.sum(rows, axis=0).max())


def _determinant(g: Floats) -> list[Floats]:
    """Coefficients of s, s^2 and, in 3-D, s^3 in det(identity + s g); `g` is `(n, n, N)`."""
    if len(g) == 2:
        return [g[0, 0] + g[1, 1], g[0, 0] * g[1, 1] - g[0, 1] * g[1, 0]]
    (a, b, c), (d, e, f), (h, i, k) = g
    corner = e * k - f * i
    trace, minors = a + e + k, a * e - b * d + a * k - c * h + corner
    return [trace, minors, a * corner - b * (d * k - f * h) + c * (d * i - e * h)]


def _polynomial(powers: Sequence[Floats], scale: float) -> Floats:
    total = np.zeros_like(powers[0])
    for power in reversed(powers):
        total = (total + power) * scale
    return total


def _gradient(displacement: Floats, spacing_mm: Sequence[float]) -> Floats:
    """Jacobian of the displacement at some points of every cell, `(n, n, points)`."""
    cells = [size - 3 for size in displacement.shape[1:]]
    points: list[Floats] = [np.linspace(0.0, c, _POINTS_PER_CELL * c + 1) for c in cells]
    control = torch.as_tensor(displacement, dtype=torch.float32)
    values, slopes = (
        [torch.as_tensor(f(p, c), dtype=torch.float32) for p, c in zip(points, cells, strict=True)]
        for f in (basis, basis_slope)
    )
    along = [
        evaluate(control, [*values[:axis], slopes[axis] / spacing, *values[axis + 1 :]])
        for axis, spacing in enumerate(spacing_mm)
    ]
    return torch.stack([slope.flatten(1) for slope in along], dim=1).numpy()
