"""Grid of the network: along which axes it sees, at which voxel size, in which patches.

References:
    Isensee et al., nnU-Net, Nat. Methods 2021 (median spacing, patches shaped like the images,
    kernels that wait for the coarse axis). https://doi.org/10.1038/s41592-020-01008-z
"""

import math
from collections.abc import Sequence
from typing import Literal

from medseg.planning.fingerprint.set_facts import SetFacts
from medseg.planning.rules.choice import Choice, as_text, lengths

__all__ = ["View", "patch_size", "picture_pixels", "spacing", "thick_axis", "view_of"]

View = Literal["picture", "volume", "slices"]
# A voxel so much longer than it is wide shows hardly what its neighbour does.
SLICES_FROM = 5.0
FEWEST_SLICES = 8
# nnU-Net's: from here on, the coarse axis is treated by itself.
THICK_FROM = 3.0
# Voxels across the thinnest structure that a coarser grid must leave.
ACROSS = 10.0
# Patches that an image may hold before a coarser grid is worth it.
MANY_PATCHES = 8.0
ROOM = 1.2


def view_of(facts: SetFacts, voxels: int) -> View:
    """What one input of the network is, if its patches have so many voxels."""
    if facts.kind == "picture":
        return "picture"
    axis = max(range(3), key=lambda one: facts.spacing[one])
    # Slices that are thick beside fine pixels may be thin beside those that the budget allows.
    grid = spacing(facts, "volume", voxels).value
    few = min(facts.shape) < FEWEST_SLICES
    return "slices" if grid[axis] / min(grid) >= SLICES_FROM or few else "volume"


def thick_axis(facts: SetFacts) -> int | None:
    """The axis along which voxels are much longer, or slices few; None if there is none."""
    if facts.kind == "picture":
        return None
    axis = max(range(3), key=lambda one: facts.spacing[one])
    ratio = facts.spacing[axis] / min(facts.spacing)
    if ratio >= 2.0:
        return axis
    few = min(range(3), key=lambda one: facts.shape[one])
    return few if facts.shape[few] < FEWEST_SLICES else None


def spacing(facts: SetFacts, view: View, voxels: int) -> Choice:
    """Voxel size of the network's input.

    Args:
        facts: Of volumes.
        view: `volume`, or `slices`, of which a patch holds one.
        voxels: Of a patch.
    """
    target = _fine(facts)
    fixed = _sliced(facts, view)
    there = math.prod(
        n * mm / t
        for axis, (n, mm, t) in enumerate(zip(facts.shape, facts.spacing, target, strict=True))
        if axis != fixed
    )
    thinnest = _thinnest(facts)
    coarse = target
    if there > MANY_PATCHES * voxels:
        coarse = _coarser(target, there / (MANY_PATCHES * voxels), thinnest / ACROSS, fixed)
    why = "the median of the cases"
    if coarse != target:
        why = (
            f"coarser than the median of the cases ({as_text(target, 'mm')}), as an image "
            "would hold "
            f"{there / voxels:.0f} patches and the thinnest class is {thinnest:.0f} mm thick"
        )
    return Choice(
        key="spacing_mm",
        value=[float(f"{mm:.3g}") for mm in coarse],
        why=why,
        evidence=(
            f"voxels of {as_text(facts.spacing, 'mm')} (median), images of {as_text(facts.shape)}"
        ),
        changes="thinner structures, or a budget for larger patches, make it finer",
    )


def _fine(facts: SetFacts) -> tuple[float, ...]:
    axis = max(range(3), key=lambda one: facts.spacing[one])
    if facts.spacing[axis] / min(facts.spacing) < THICK_FROM:
        return facts.spacing
    # Of thick slices the thinner ones, or detail that some cases have would be lost.
    low = max(facts.spacing_low[axis], min(facts.spacing))
    return tuple(low if one == axis else mm for one, mm in enumerate(facts.spacing))


def _coarser(
    fine: Sequence[float], surplus: float, coarsest: float, fixed: int | None
) -> tuple[float, ...]:
    """The finest axes first, until the surplus is gone or the coarsest size is reached."""
    sizes = list(fine)
    free = [axis for axis in range(len(sizes)) if axis != fixed]
    while surplus > 1.0:
        axis = min(free, key=lambda one: sizes[one])
        grown = min(sizes[axis] * 1.1, coarsest)
        if grown <= sizes[axis] * 1.001:
            break
        surplus /= grown / sizes[axis]
        sizes[axis] = grown
    return tuple(sizes)


def _thinnest(facts: SetFacts) -> float:
    return min((one.thickness for one in facts.classes if one.cases), default=0.0)


def picture_pixels(facts: SetFacts) -> Choice:
    """Pixel size of the network's input, in pixels of the image: 1, or 2 if objects are large."""
    thickness = _thinnest(facts)
    size = 2.0 if thickness > 5 * ACROSS and min(facts.shape) >= 384 else 1.0
    return Choice(
        key="pixel_size",
        value=[size, size],
        why="full resolution"
        if size == 1.0
        else "half resolution, which shows a patch four times as much",
        evidence=(
            f"the thinnest class is {thickness:.0f} pixels thick, images are {as_text(facts.shape)}"
        ),
        changes=(
            f"structures thicker than {5 * ACROSS:.0f} pixels in images of 384 and more would be "
            "halved"
        ),
    )


def patch_size(facts: SetFacts, view: View, grid: Sequence[float], voxels: int) -> Choice:
    """Size of a patch, before it is fitted to the network's levels.

    Args:
        facts: Of the data set.
        view: What the network sees.
        grid: Size of its voxels along each axis.
        voxels: That a patch may have at most, about.
    """
    whole = [n * mm / g for n, mm, g in zip(facts.shape, facts.spacing, grid, strict=True)]
    box = [ROOM * length / g for length, g in zip(facts.box, grid, strict=True)]
    axis = _sliced(facts, view)
    wanted = [min(a, max(b, 16.0)) for a, b in zip(whole, box, strict=True)]
    if axis is not None:
        wanted[axis] = 1.0
    fitted = _grown(_shrunk(wanted, grid, voxels, axis), whole, grid, voxels // 2, axis)
    unit = lengths(facts.kind)
    return Choice(
        key="patch_size",
        value=[max(1, round(n)) for n in fitted],
        why=(
            f"{_covers(fitted, wanted)} the box around the labels with a fifth more, within "
            f"{voxels} voxels"
        ),
        evidence=(
            f"images of {as_text(whole)} voxels of the grid, labels in {as_text(facts.box, unit)} "
            "(of nine cases in ten)"
        ),
        changes="more memory or time makes it larger, wider labels too",
    )


def _sliced(facts: SetFacts, view: View) -> int | None:
    if view != "slices":
        return None
    axis = thick_axis(facts)
    return 2 if axis is None else axis


def _covers(fitted: Sequence[float], wanted: Sequence[float]) -> str:
    return (
        "holds"
        if all(a >= 0.95 * b for a, b in zip(fitted, wanted, strict=True))
        else "holds a part of"
    )


def _shrunk(
    sizes: Sequence[float], grid: Sequence[float], voxels: int, fixed: int | None
) -> list[float]:
    """The axis that is longest in millimetres shrinks first."""
    found = list(sizes)
    free = [axis for axis in range(len(found)) if axis != fixed]
    while math.prod(found) > voxels:
        axis = max(free, key=lambda one: found[one] * grid[one])
        if found[axis] <= 8:
            axis = max(free, key=lambda one: found[one])
        found[axis] *= 0.95
    return found


def _grown(
    sizes: Sequence[float],
    whole: Sequence[float],
    grid: Sequence[float],
    voxels: int,
    fixed: int | None,
) -> list[float]:
    """The axis that is shortest in millimetres grows first, up to the image."""
    found = list(sizes)
    while math.prod(found) < voxels:
        free = [a for a in range(len(found)) if a != fixed and found[a] < whole[a]]
        if not free:
            break
        axis = min(free, key=lambda one: found[one] * grid[one])
        found[axis] = min(found[axis] * 1.05, whole[axis])
    return found
