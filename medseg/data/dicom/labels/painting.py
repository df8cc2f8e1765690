"""Painting of structures into one label: later ones cover earlier ones; overlaps are counted."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.data.problems import Problem

__all__ = ["Canvas"]


class Canvas:
    """A label that structures are painted into.

    Args:
        shape: Voxels along I, J and K.
        highest: Largest value that is painted.
    """

    def __init__(self, shape: tuple[int, int, int], highest: int) -> None:
        self.array: NDArray[Any] = np.zeros(shape, np.uint8 if highest < 256 else np.uint16)
        self._overlaps: Counter[tuple[int, int]] = Counter()

    def paint(self, voxels: NDArray[np.int64], value: int) -> int:
        """Set voxels to a value.

        Args:
            voxels: `(N, 3)`, their indices; those outside of the array are left out.
            value: The class.

        Returns:
            The number of those outside.
        """
        inside = ((voxels >= 0) & (voxels < self.array.shape)).all(axis=1)
        index = tuple(voxels[inside].T)
        covered = self.array[index]
        for other in np.unique(covered[(covered != 0) & (covered != value)]).tolist():
            self._overlaps[other, value] += int((covered == other).sum())
        self.array[index] = value
        return int((~inside).sum())

    def doubts(self, class_names: Sequence[str]) -> list[Problem]:
        """A warning for each two classes that overlap."""
        return [
            Problem(
                "warning",
                "label",
                f"{_name(below, class_names)} and {_name(above, class_names)} overlap in {count} "
                f"voxels, which are {_name(above, class_names)}",
                "fine if that one lies within the other; else list it earlier in rois",
                f"{_name(below, class_names)} and {_name(above, class_names)} overlap, and the "
                "latter was taken",
            )
            for (below, above), count in sorted(self._overlaps.items())
        ]


def _name(value: int, class_names: Sequence[str]) -> str:
    return class_names[value] if value < len(class_names) else f"segment {value}"
