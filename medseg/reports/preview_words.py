"""What a warp did, in a few words for a caption."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["step_words", "warp_words"]


def warp_words(record: Mapping[str, Any], unit: str) -> str:
    """Describe a warp.

    The words name one way to the same map: a turn by 170 degrees is two flips and a turn by 10.

    Args:
        record: Of `RandWarpPatchd`: `matrix`, `shift_mm`, `displacement_mm`.
        unit: Of lengths, `mm` or `px`.
    """
    matrix = np.asarray(record["matrix"], np.float64)
    signs = np.where(np.diag(matrix) < 0, -1.0, 1.0)
    flipped = np.flatnonzero(signs < 0).tolist()
    unflipped = matrix * signs
    parts = [f"flip {' '.join(map(str, flipped))}"] if flipped else []
    parts += _turn_and_zoom(unflipped)
    shift = float(np.linalg.norm(record["shift_mm"]))
    parts += [f"shift {shift:.0f} {unit}"] if shift else []
    if record["displacement_mm"] is not None:
        furthest = np.linalg.norm(np.asarray(record["displacement_mm"]), axis=0).max()
        parts.append(f"elastic up to {furthest:.1f} {unit}")
    return ", ".join(parts) or "not warped"


def _turn_and_zoom(matrix: Any) -> list[str]:
    axes = len(matrix)
    left, _, right = np.linalg.svd(matrix)
    cosine = (np.trace(left @ right) - (axes - 2)) / 2
    degrees = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    zoom = abs(float(np.linalg.det(matrix))) ** (-1 / axes)
    turned = [f"turn {degrees:.0f}°"] if degrees >= 0.5 else []
    return [*turned, f"zoom {zoom:.2f}"] if abs(zoom - 1) >= 0.005 else turned


def step_words(names: Sequence[str]) -> str:
    """The steps that changed an image, without what all their names share."""
    plain = [name.removeprefix("Rand").removesuffix("d") for name in names]
    return ", ".join(name for name in plain if name != "WarpPatch")
