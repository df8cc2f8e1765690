"""Augmentation that depends on the data: which axes are mirrored, how far patches turn and bend."""

import re
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from medseg.planning.fingerprint.set_facts import ClassSummary, SetFacts
from medseg.planning.rules.choice import Choice
from medseg.planning.rules.grid import View, thick_axis

__all__ = ["elastic_mm", "flip_axes", "rotation_degrees", "sides"]

_SIDE = re.compile(
    r"(?:^|[^a-z])(left|right|links|rechts|gauche|droite?|sinistra|destra|l|r|lt|rt|lh|rh|sin|dex)(?:[^a-z]|$)"
)
# Cases that must show a side before it counts as one.
ENOUGH = 5
# Of the image's width, from its middle.
OFF_CENTRE = 0.1
NEARLY_ALL = 0.95
# Voxels so much longer than wide that a turn out of the plane would mix slices.
THICK_GRID = 2.0


def sides(facts: SetFacts) -> str:
    """Why left and right differ in the labels; empty if nothing says so."""
    named = [one.name for one in facts.classes if _SIDE.search(one.name.lower())]
    if named:
        return f"{named[0]} is named by a side"
    for one in facts.classes:
        if _off_centre(one.centres):
            return f"{one.name} lies on one side in nearly all of {one.cases} cases"
    for one, other in combinations(facts.classes, 2):
        if _opposite(one, other):
            return f"{one.name} and {other.name} lie on opposite sides in nearly all cases"
    return ""


def _off_centre(centres: Sequence[float]) -> bool:
    shifts = np.asarray(centres) - 0.5
    if len(shifts) < ENOUGH:
        return False
    return (
        max(float((shifts > OFF_CENTRE).mean()), float((shifts < -OFF_CENTRE).mean())) >= NEARLY_ALL
    )


def _opposite(one: ClassSummary, other: ClassSummary) -> bool:
    if len(one.centres) != len(other.centres) or len(one.centres) < ENOUGH:
        return False
    apart = np.asarray(one.centres) - np.asarray(other.centres)
    alike = 0.5 <= (one.volume / other.volume if other.volume else 0.0) <= 2.0
    same = [0.5 <= a / b <= 2.0 for a, b in zip(one.extent, other.extent, strict=True) if b]
    far = max(float((apart > 2 * OFF_CENTRE).mean()), float((apart < -2 * OFF_CENTRE).mean()))
    return alike and all(same) and far >= NEARLY_ALL


def flip_axes(facts: SetFacts) -> Choice:
    """Axes that are mirrored."""
    if facts.kind == "picture":
        return Choice(
            key="flip_axes",
            value=[0, 1],
            why="a specimen under a microscope has neither top nor side",
            evidence=f"{facts.cases} pictures of {facts.modality}",
            changes="layers that always lie one way, or light from one side: flip_axes=[]",
        )
    found = sides(facts)
    few = facts.cases < ENOUGH
    why = "left and right are alike: no class is named by a side or lies on one"
    if found:
        why = f"no mirror: {found}"
    elif few:
        why = f"no mirror: fewer than {ENOUGH} cases do not show whether a class has a side"
    return Choice(
        key="flip_axes",
        value=[] if found or few else [0],
        why=why,
        evidence=f"names and places of {len(facts.classes)} class(es) in {facts.cases} cases",
        changes="flip_axes=[0] mirrors left to right, flip_axes=[] never does",
    )


def rotation_degrees(facts: SetFacts, view: View, grid: Sequence[float]) -> Choice:
    """Greatest turn about each axis, by the voxel size `grid` of the network's input."""
    axis = _thick(facts, view, grid)
    if view == "picture":
        return Choice(
            key="rotation_degrees",
            value=180,
            why="any turn: a specimen has no upright",
            evidence=f"pictures of {facts.modality}",
            changes="layers that always lie one way: rotation_degrees=20",
        )
    if axis is not None:
        value = [15 if one == axis else 0 for one in range(3)]
        why = "in the plane of the slices alone: a turn out of it would mix thick slices"
    else:
        value = [6, 6, 15] if facts.modality == "CT" else [15, 15, 15]
        why = "patients turn about their long axis rather than nod"
        why = why if facts.modality == "CT" else "heads and limbs lie as they come"
    return Choice(
        key="rotation_degrees",
        value=value,
        why=why,
        evidence=f"voxels of {'x'.join(f'{mm:.3g}' for mm in grid)} mm",
        changes="thinner slices turn about all axes",
    )


def _thick(facts: SetFacts, view: View, grid: Sequence[float]) -> int | None:
    if view == "slices":
        return thick_axis(facts)
    longest = max(range(len(grid)), key=lambda one: grid[one])
    return longest if grid[longest] >= THICK_GRID * min(grid) else None


def elastic_mm(facts: SetFacts, view: View) -> Choice:
    """Greatest elastic displacement."""
    thinnest = min((one.thickness for one in facts.classes if one.cases), default=0.0)
    value = 0.0 if view == "slices" else float(np.clip(round(thinnest / 2, 1), 1.0, 8.0))
    why = "none: it would mix neighbouring slices"
    why = why if view == "slices" else "half of the thinnest class, so that none is torn"
    return Choice(
        key="elastic_mm",
        value=value,
        why=why,
        evidence=f"the thinnest class is {thinnest:.1f} mm thick",
        changes="thicker structures, up to 8 mm",
    )
