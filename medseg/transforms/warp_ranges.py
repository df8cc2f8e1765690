"""What a random warp may do, in units that people can picture.

Each component has its own probability, so that a share of the patches stays as they were
scanned. Lengths are millimetres and angles degrees: a recipe means the same at any voxel size.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

from medseg._checks import require_choice, require_fraction, require_number
from medseg.errors import UsageError

__all__ = ["Elastic", "Flip", "Rotation", "Shear", "Shift", "WarpRanges", "Zoom", "certain"]


@dataclass(frozen=True, kw_only=True)
class Flip:
    """Mirror, each axis on its own.

    Attributes:
        axes: Spatial axes, 0 for the first.
        prob: For each axis, in [0, 1].
    """

    axes: Sequence[int]
    prob: float = 0.5

    def __post_init__(self) -> None:
        require_fraction("Flip: prob", self.prob)
        if not self.axes or len(set(self.axes)) < len(self.axes) or min(self.axes) < 0:
            raise UsageError(f"Flip: axes must be different axes from 0 on, got {self.axes}")


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """Turn by an angle drawn evenly between minus and plus `degrees`.

    Attributes:
        degrees: At most, in [0, 180]; in 3-D one number for all three axes or one for the turn
            about each; in 2-D one number.
        prob: In [0, 1].
    """

    degrees: float | Sequence[float]
    prob: float = 0.2

    def __post_init__(self) -> None:
        require_fraction("Rotation: prob", self.prob)
        _require_numbers("Rotation: degrees", self.degrees, 0, 180)


@dataclass(frozen=True, kw_only=True)
class Zoom:
    """Enlarge by a factor whose logarithm is drawn evenly.

    Attributes:
        low: Smallest factor, above 0; below 1 what is seen shrinks.
        high: Largest factor.
        prob: In [0, 1].
        axes: One factor for all axes `together`, or for each `apart`.
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
    """Slant each axis against each other by up to plus or minus `degrees`, in [0, 45]."""

    degrees: float
    prob: float = 0.2

    def __post_init__(self) -> None:
        require_fraction("Shear: prob", self.prob)
        _require_numbers("Shear: degrees", self.degrees, 0, 45)


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Move by up to plus or minus `max_mm`, one number or one an axis."""

    max_mm: float | Sequence[float]
    prob: float = 0.2

    def __post_init__(self) -> None:
        require_fraction("Shift: prob", self.prob)
        _require_numbers("Shift: max_mm", self.max_mm, 0, inf)


@dataclass(frozen=True, kw_only=True)
class Elastic:
    """Deform smoothly: control points move, and voxels between them follow.

    Each patch draws its own strength, evenly up to the greatest; a field that would
    fold space is made weaker until it does not.

    Attributes:
        max_displacement_mm: The furthest that a control point moves.
        control_spacing_mm: Distance between control points, one number or one an axis.
        prob: In [0, 1].
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
    """All that a warp may do; what is None never happens."""

    flip: Flip | None = None
    rotation: Rotation | None = None
    zoom: Zoom | None = None
    shear: Shear | None = None
    shift: Shift | None = None
    elastic: Elastic | None = None


def certain(ranges: WarpRanges) -> WarpRanges:
    """The same ranges with everything that may happen happening."""
    parts = {name: getattr(ranges, name) for name in WarpRanges.__dataclass_fields__}
    return WarpRanges(**{n: part and replace(part, prob=1.0) for n, part in parts.items()})


def _require_numbers(name: str, given: float | Sequence[float], low: float, high: float) -> None:
    """Of one number, or of one an axis."""
    for number in given if isinstance(given, Sequence) and given else (given,):
        require_number(name, number, at_least=low, at_most=high)
