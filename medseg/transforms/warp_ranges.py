"""Ranges of a random warp: flip, rotation, zoom, shear, shift and elastic deformation.

Each component has its own probability, so that some patches stay unchanged. Lengths are in
millimetres and angles in degrees: a recipe means the same at any voxel size.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

from medseg._checks import require_choice, require_fraction, require_number
from medseg.errors import UsageError

__all__ = ["Elastic", "Flip", "Rotation", "Shear", "Shift", "WarpRanges", "Zoom", "certain"]


@dataclass(frozen=True, kw_only=True)
class Flip:
    """Mirror, independently along each axis.

    Attributes:
        axes: Spatial axes, 0 for the first; none mirrors nothing.
        prob: Probability for each axis, in [0, 1].
    """

    axes: Sequence[int]
    prob: float = 0.5

    def __post_init__(self) -> None:
        require_fraction("Flip: prob", self.prob)
        if len(set(self.axes)) < len(self.axes) or min(self.axes, default=0) < 0:
            raise UsageError(f"Flip: axes must be different axes from 0 on, got {self.axes}")


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """Rotate by an angle drawn uniformly in [-degrees, degrees].

    Attributes:
        degrees: Greatest angle, in [0, 180]; in 3-D one number for all three axes or one for the
            rotation about each; in 2-D one number.
        prob: Probability, in [0, 1].
    """

    degrees: float | Sequence[float]
    prob: float = 0.2

    def __post_init__(self) -> None:
        require_fraction("Rotation: prob", self.prob)
        _require_numbers("Rotation: degrees", self.degrees, 0, 180)


@dataclass(frozen=True, kw_only=True)
class Zoom:
    """Zoom by a factor drawn log-uniformly in [low, high].

    Attributes:
        low: Smallest factor, above 0; below 1 shrinks the image.
        high: Largest factor.
        prob: Probability, in [0, 1].
        axes: One factor for all axes `together`, or one for each, `apart`.
    """

    low: float
    high: float
    prob: float = 0.2
    axes: str = "together"

    def __post_init__(self) -> None:
        require_fraction("Zoom: prob", self.prob)
        _require_numbers("Zoom: low", self.low, 0.01, 100)
        _require_numbers("Zoom: high", self.high, 0.01, 100)
        if self.low > self.high:
            raise UsageError(f"Zoom: low must not exceed high, got {self.low} and {self.high}")
        require_choice("Zoom: axes", self.axes, ("together", "apart"))


@dataclass(frozen=True, kw_only=True)
class Shear:
    """Shear each axis against each other by an angle in [-degrees, degrees], at most 45."""

    degrees: float
    prob: float = 0.2

    def __post_init__(self) -> None:
        require_fraction("Shear: prob", self.prob)
        _require_numbers("Shear: degrees", self.degrees, 0, 45)


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Translate by a distance in [-max_mm, max_mm], one number or one per axis."""

    max_mm: float | Sequence[float]
    prob: float = 0.2

    def __post_init__(self) -> None:
        require_fraction("Shift: prob", self.prob)
        _require_numbers("Shift: max_mm", self.max_mm, 0, inf)


@dataclass(frozen=True, kw_only=True)
class Elastic:
    """Elastic deformation: random displacements of control points, B-splines between them.

    Each patch draws its own strength, uniformly up to the greatest; a field that would fold is
    scaled down until it does not.

    Attributes:
        max_displacement_mm: Greatest displacement of a control point.
        control_spacing_mm: Distance between control points, one number or one per axis.
        prob: Probability, in [0, 1].
    """

    max_displacement_mm: float
    control_spacing_mm: float | Sequence[float]
    prob: float = 0.2

    def __post_init__(self) -> None:
        require_fraction("Elastic: prob", self.prob)
        _require_numbers("Elastic: max_displacement_mm", self.max_displacement_mm, 0, inf)
        _require_numbers("Elastic: control_spacing_mm", self.control_spacing_mm, 1e-6, inf)


@dataclass(frozen=True, kw_only=True)
class WarpRanges:
    """Ranges of all components of a warp; a component that is None is never applied."""

    flip: Flip | None = None
    rotation: Rotation | None = None
    zoom: Zoom | None = None
    shear: Shear | None = None
    shift: Shift | None = None
    elastic: Elastic | None = None


def certain(ranges: WarpRanges) -> WarpRanges:
    """The same ranges with every probability set to 1."""
    parts = {name: getattr(ranges, name) for name in WarpRanges.__dataclass_fields__}
    return WarpRanges(**{n: part and replace(part, prob=1.0) for n, part in parts.items()})


def _require_numbers(name: str, given: float | Sequence[float], low: float, high: float) -> None:
    """Of one number, or of one an axis."""
    for number in given if isinstance(given, Sequence) and given else (given,):
        require_number(name, number, at_least=low, at_most=high)
