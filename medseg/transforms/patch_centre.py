"""Patch centres: random positions, a given fraction of them on foreground.

The voxels of each class are listed once per case (`ClassVoxelsd`), so drawing a centre costs the
same in a large volume as in a small one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medseg._checks import require_fraction, require_weights
from medseg.errors import UsageError

__all__ = ["Centres", "draw_start"]

ClassVoxels = Mapping[int, NDArray[np.integer]]


@dataclass(frozen=True, kw_only=True)
class Centres:
    """Distribution of patch centres.

    Attributes:
        foreground: Fraction of patches centred on a foreground voxel, in [0, 1]; the others lie
            anywhere in the volume, as do all patches of a case without foreground.
        class_weights: Relative frequency of each class but background, among those that a case
            has; one number for each, 0 or more; None means equal frequencies.
    """

    foreground: float = 0.5
    class_weights: Sequence[float] | None = None

    def __post_init__(self) -> None:
        require_fraction("Centres: foreground", self.foreground)
        if self.class_weights is not None:
            require_weights("Centres: class_weights", self.class_weights)


def draw_start(
    centres: Centres,
    class_voxels: ClassVoxels,
    shape: Sequence[int],
    size: Sequence[int],
    rng: np.random.RandomState,
) -> tuple[int, ...]:
    """Draw the first voxel of a patch.

    Args:
        centres: Distribution of patch centres.
        class_voxels: Voxels of each class, `(n, axes)`; classes without voxels may be missing.
        shape: Spatial shape of the volume.
        size: Voxels of the patch along each axis.
        rng: The only source of randomness.

    Returns:
        First voxel along each axis. The patch lies within the volume along axes where it fits, and
        is centred on the volume along others.

    Raises:
        UsageError: If the case has a class without a weight.
    """
    room = np.asarray(shape) - np.asarray(size)
    on_foreground = rng.random_sample() < centres.foreground
    values, weights = _present(centres, class_voxels)
    if on_foreground and values:
        voxels = class_voxels[values[rng.choice(len(values), p=weights)]]
        start = voxels[rng.randint(len(voxels))] - np.asarray(size) // 2
    else:
        start = rng.randint(0, np.maximum(room, 0) + 1)
    inside = np.where(room >= 0, np.clip(start, 0, np.maximum(room, 0)), room // 2)
    return tuple(int(first) for first in inside)


def _present(centres: Centres, class_voxels: ClassVoxels) -> tuple[list[int], NDArray[np.float64]]:
    values = sorted(v for v, voxels in class_voxels.items() if v > 0 and len(voxels))
    given = centres.class_weights
    if given is not None and values and values[-1] > len(given):
        raise UsageError(
            f"Centres: class_weights must be one for each class but background: the case has "
            f"class {values[-1]}, got {len(given)}"
        )
    weights = np.array([1.0 if given is None else given[v - 1] for v in values])
    chosen = weights > 0
    values = [v for v, keep in zip(values, chosen, strict=True) if keep]
    return values, weights[chosen] / max(weights.sum(), 1e-12)
