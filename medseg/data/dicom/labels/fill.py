"""Polygon fill: the pixels whose centres lie inside of closed contours, by the even-odd rule.

A pixel is inside if a ray from its centre crosses the contours an odd number of times. So a contour
within another one is a hole, a keyhole's channel has no width, and contours apart from each other
are simply both there. Of a centre that lies on a contour, those on the lower sides (left, top) are
inside and those on the upper sides are outside: contours that share a side share no pixel, and a
rectangle of n by m spacings has n times m pixels wherever it lies.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["filled"]

# Pixels. Coordinates are rounded to this, as a place in millimetres written with a few decimals
# would otherwise fall on either side of a centre.
_DECIMALS = 4

Floats = NDArray[np.float64]


def filled(contours: Sequence[Floats], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Fill closed contours of one plane.

    Args:
        contours: `(N, 2)` each, in pixels along the array's two axes, centres at whole numbers;
            the last point is joined to the first.
        shape: Of the plane; what lies outside of it is left out.

    Returns:
        `shape`, whether each pixel's centre is inside.
    """
    height, width = shape
    # Each crossing of a row by an edge changes all pixels from it on.
    changes = np.zeros((height, width + 1), dtype=np.int32)
    for contour in contours:
        rows, places = _crossings(np.round(contour, _DECIMALS), height)
        first = np.clip(np.ceil(places), 0, width).astype(np.intp)
        np.add.at(changes, (rows, first), 1)
    return (np.cumsum(changes[:, :width], axis=1) & 1).astype(bool)


def _crossings(contour: Floats, height: int) -> tuple[NDArray[np.intp], Floats]:
    """The rows of centres that edges cross, and where along them."""
    start, end = contour, np.roll(contour, -1, axis=0)
    low = np.minimum(start[:, 0], end[:, 0])
    high = np.maximum(start[:, 0], end[:, 0])
    # An edge crosses the rows of [low, high): one that ends on a row is not counted twice.
    first = np.clip(np.ceil(low), 0, height).astype(np.intp)
    count = np.clip(np.ceil(high), 0, height).astype(np.intp) - first
    edge = np.repeat(np.arange(len(contour)), count)
    within = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    rows: NDArray[np.intp] = first[edge] + within
    slope = (end[edge, 1] - start[edge, 1]) / (end[edge, 0] - start[edge, 0])
    places: Floats = start[edge, 1] + (rows - start[edge, 0]) * slope
    return rows, np.round(places, _DECIMALS)
