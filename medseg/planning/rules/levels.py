"""Levels of the network: how often each axis is halved, with which kernels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from medseg.planning.rules.choice import Choice, as_text

__all__ = ["LevelPlan", "fitted_patch", "level_choices", "plan_levels"]

# Voxels that an axis keeps at the bottleneck.
LEAST_LEFT = 4
# An axis so much coarser than the finest one waits: it is neither halved nor convolved along.
WAITS_FROM = 2.0


@dataclass(frozen=True, kw_only=True)
class LevelPlan:
    """Kernels of each level and strides between them, along each axis."""

    kernels: tuple[tuple[int, ...], ...]
    pools: tuple[tuple[int, ...], ...]

    @property
    def depth(self) -> int:
        """Number of levels, the bottleneck included."""
        return len(self.kernels)

    @property
    def strides(self) -> tuple[int, ...]:
        """Total stride along each axis."""
        return tuple(
            math.prod(pool[axis] for pool in self.pools) for axis in range(len(self.kernels[0]))
        )

    @property
    def arguments(self) -> dict[str, list[list[int]]]:
        """Arguments of the network beside its depth: kernels other than 3, strides other than 2."""
        found: dict[str, list[list[int]]] = {}
        if any(set(kernel) != {3} for kernel in self.kernels):
            found["kernel_sizes"] = [list(kernel) for kernel in self.kernels]
        if any(set(pool) != {2} for pool in self.pools):
            found["pool_sizes"] = [list(pool) for pool in self.pools]
        return found


def plan_levels(patch: Sequence[int], grid: Sequence[float], most: int) -> LevelPlan:
    """Halve the axes of a patch while each keeps some voxels; an axis of one voxel stays.

    Args:
        patch: Voxels along each axis.
        grid: Size of a voxel along each axis.
        most: Greatest number of levels.
    """
    sizes, voxel = [float(n) for n in patch], [float(mm) for mm in grid]
    kernels: list[tuple[int, ...]] = []
    seen = [False] * len(sizes)
    pools: list[tuple[int, ...]] = []
    while True:
        finest = min(mm for mm, n in zip(voxel, patch, strict=True) if n > 1)
        near = [mm < WAITS_FROM * finest and n > 1 for mm, n in zip(voxel, patch, strict=True)]
        # An axis that is convolved along once stays so, however coarse it becomes.
        seen = [before or close for before, close in zip(seen, near, strict=True)]
        kernels.append(tuple(3 if one else 1 for one in seen))
        pool = tuple(
            2 if close and n / 2 >= LEAST_LEFT - 0.5 else 1
            for close, n in zip(near, sizes, strict=True)
        )
        if len(kernels) == most or 2 not in pool:
            break
        pools.append(pool)
        sizes = [n / factor for n, factor in zip(sizes, pool, strict=True)]
        voxel = [mm * factor for mm, factor in zip(voxel, pool, strict=True)]
    if not pools:  # a network has two levels at least
        pools.append(tuple(2 if n > 1 else 1 for n in patch))
        kernels.append(tuple(3 if n > 1 else 1 for n in patch))
    return LevelPlan(kernels=tuple(kernels), pools=tuple(pools))


def fitted_patch(patch: Sequence[int], levels: LevelPlan) -> list[int]:
    """The patch with each axis a multiple of its stride, the nearest one that leaves two voxels."""
    return [
        n if stride == 1 else max(2, round(n / stride)) * stride
        for n, stride in zip(patch, levels.strides, strict=True)
    ]


def level_choices(levels: LevelPlan, patch: Sequence[int], grid: Sequence[float]) -> list[Choice]:
    """The keys of the network that say its levels."""
    left = [n // stride for n, stride in zip(patch, levels.strides, strict=True)]
    evidence = f"a patch of {as_text(patch)} at {as_text(grid)} becomes {as_text(left)}"
    choices = [
        Choice(
            key="network_def#depth",
            value=levels.depth,
            why=f"halvings that leave {LEAST_LEFT} voxels along an axis at the bottleneck",
            evidence=evidence,
            changes="a patch twice as long takes one level more",
        )
    ]
    why = {
        "kernel_sizes": (
            "no convolution along an axis whose voxels are twice as long as the finest, or of one "
            "slice"
        ),
        "pool_sizes": "an axis is halved while it is among the finest and has voxels to spare",
    }
    more = [
        Choice(
            key=f"network_def#{key}",
            value=value,
            why=why[key],
            evidence=evidence,
            changes="more even voxels and patches make all of them alike",
        )
        for key, value in levels.arguments.items()
    ]
    return [*choices, *more]
