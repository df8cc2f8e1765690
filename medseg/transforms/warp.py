"""Random spatial warp: an affine map and a B-spline deformation, drawn for one patch.

Drawing the parameters (`sample_warp`) and applying them (`medseg.transforms.warp_patch`) are
two steps, so that a warp can be recorded, repeated and tested.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.errors import UsageError
from medseg.transforms.spline import limit_folding
from medseg.transforms.warp_ranges import Elastic, Rotation, Shear, WarpRanges, Zoom

__all__ = ["Warp", "sample_warp"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Warp:
    """A warp: voxel y of the patch is sampled at matrix (y + displacement(y)) + shift.

    All in millimetres along the array's axes, relative to the centre of the patch.

    Attributes:
        matrix: `(n, n)` for n spatial axes: rotation, zoom, shear and flips.
        shift_mm: `(n,)`.
        displacement_mm: `(n, *controls)`, or None for no deformation.
        control_spacing_mm: Distance of the control points along each axis.
    """

    matrix: Floats
    shift_mm: Floats
    displacement_mm: Floats | None = None
    control_spacing_mm: tuple[float, ...] | None = None

    @classmethod
    def identity(cls, axes: int) -> "Warp":
        """The warp that changes nothing, for 2 or 3 axes."""
        return cls(matrix=np.eye(axes), shift_mm=np.zeros(axes))

    @property
    def flips(self) -> tuple[int, ...] | None:
        """Mirrored axes if the warp does nothing else, `()` for the identity, else None."""
        diagonal = np.diag(self.matrix)
        mirrors_at_most = np.array_equal(np.abs(self.matrix), np.eye(len(diagonal)))
        if not mirrors_at_most or self.shift_mm.any() or self.displacement_mm is not None:
            return None
        return tuple(int(axis) for axis in np.flatnonzero(diagonal < 0))

    def record(self) -> dict[str, Any]:
        """The parameters as plain lists, ready for JSON."""
        displacement = self.displacement_mm
        return {
            "matrix": self.matrix.tolist(),
            "shift_mm": self.shift_mm.tolist(),
            "displacement_mm": None if displacement is None else displacement.tolist(),
            "control_spacing_mm": self.control_spacing_mm,
        }


def sample_warp(ranges: WarpRanges, extent_mm: Sequence[float], rng: np.random.RandomState) -> Warp:
    """Draw the parameters of one warp.

    Args:
        ranges: Range and probability of each component.
        extent_mm: Size of the patch along each of its 2 or 3 axes.
        rng: The only source of randomness.

    Raises:
        ValueError: If a range names more axes than the patch has.
    """
    axes = len(extent_mm)
    matrix = (
        _rotation(ranges.rotation, axes, rng)
        @ _zoom(ranges.zoom, axes, rng)
        @ _shear(ranges.shear, axes, rng)
        @ _flip(ranges, axes, rng)
    )
    shift = np.zeros(axes)
    if ranges.shift is not None and rng.random_sample() < ranges.shift.prob:
        shift = _each(ranges.shift.max_mm, axes, "Shift: max_mm") * rng.uniform(-1, 1, axes)
    elastic = ranges.elastic
    if elastic is None or rng.random_sample() >= elastic.prob:
        return Warp(matrix=matrix, shift_mm=shift)
    spacing = tuple(_each(elastic.control_spacing_mm, axes, "Elastic: control_spacing_mm"))
    displacement = _displacement(elastic, extent_mm, spacing, rng)
    return Warp(
        matrix=matrix, shift_mm=shift, displacement_mm=displacement, control_spacing_mm=spacing
    )


def _rotation(rotation: Rotation | None, axes: int, rng: np.random.RandomState) -> Floats:
    if rotation is None or rng.random_sample() >= rotation.prob:
        return np.eye(axes)
    planes = [(0, 1)] if axes == 2 else [(1, 2), (0, 2), (0, 1)]
    limits = _each(rotation.degrees, len(planes), "Rotation: degrees")
    matrix = np.eye(axes)
    for (a, b), angle in zip(
        planes, np.deg2rad(limits * rng.uniform(-1, 1, len(planes))), strict=True
    ):
        turn = np.eye(axes)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ turn
    return matrix


def _zoom(zoom: Zoom | None, axes: int, rng: np.random.RandomState) -> Floats:
    if zoom is None or rng.random_sample() >= zoom.prob:
        return np.eye(axes)
    count = 1 if zoom.axes == "together" else axes
    factors = np.exp(rng.uniform(np.log(zoom.low), np.log(zoom.high), count))
    # Sampling positions that lie closer together enlarge the image.
    return np.eye(axes) / factors


def _shear(shear: Shear | None, axes: int, rng: np.random.RandomState) -> Floats:
    if shear is None or rng.random_sample() >= shear.prob:
        return np.eye(axes)
    slants = np.tan(np.deg2rad(shear.degrees * rng.uniform(-1, 1, (axes, axes))))
    # Upper triangular, ones on the diagonal: volume is preserved, and the map always invertible.
    return np.eye(axes) + np.triu(slants, k=1)


def _flip(ranges: WarpRanges, axes: int, rng: np.random.RandomState) -> Floats:
    signs = np.ones(axes)
    if ranges.flip is not None and len(ranges.flip.axes) > 0:
        if max(ranges.flip.axes) >= axes:
            raise UsageError(f"Flip: axes must be below {axes}, got {ranges.flip.axes}")
        chosen = rng.random_sample(len(ranges.flip.axes)) < ranges.flip.prob
        signs[np.array(ranges.flip.axes)[chosen]] = -1
    return np.diag(signs)


def _displacement(
    elastic: Elastic,
    extent_mm: Sequence[float],
    spacing_mm: Sequence[float],
    rng: np.random.RandomState,
) -> Floats:
    cells = [max(1, ceil(e / s)) for e, s in zip(extent_mm, spacing_mm, strict=True)]
    controls = [c + 3 for c in cells]
    directions: Floats = rng.standard_normal((len(cells), *controls))
    directions /= np.maximum(np.linalg.norm(directions, axis=0), 1e-9)
    lengths: Floats = rng.random_sample(controls)
    strength = elastic.max_displacement_mm * rng.random_sample()
    return limit_folding(strength * lengths * directions, spacing_mm)


def _each(given: float | Sequence[float], count: int, name: str) -> Floats:
    numbers = np.atleast_1d(np.asarray(given, np.float64))
    if len(numbers) not in (1, count):
        raise UsageError(f"{name} must be one number or {count}, got {given}")
    return np.broadcast_to(numbers, count)
