"""Probability and entropy maps of a prediction, stored on disk as bytes.

They are as large as the image times the classes, so they are kept in an anonymous temporary file,
one byte per voxel, and filled part by part, like the label.
"""

import os
import tempfile
from collections.abc import Sequence
from math import log, prod
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from medseg._checks import require_choice
from medseg.data.output_names import MapKind
from medseg.errors import UsageError
from medseg.inference.grid_map import GridMap

__all__ = ["LEVELS", "Bytes", "VoxelMaps", "require_probabilities"]

Bytes = NDArray[np.uint8]

# Stored value of 1.
LEVELS = 255


class VoxelMaps:
    """A `Watch` that stores maps in the source's grid until it is closed.

    Outside the predicted region, the background's probability is 1 and the entropy 0.

    Args:
        kinds: Kinds of the maps.
        folder: Folder of the temporary files.
    """

    def __init__(self, kinds: Sequence[MapKind], folder: Path) -> None:
        for kind in kinds:
            require_choice("kinds", kind, get_args(MapKind))
        self.kinds = tuple(kinds)
        self._folder = folder
        self._files: list[Any] = []
        self._grid: GridMap | None = None
        self._arrays: dict[MapKind, Bytes] = {}
        self._classes = 0
        self._entropy: Tensor | None = None

    def begin(self, grid: GridMap, classes: int) -> None:
        """Allocate the maps on disk.

        Raises:
            OSError: If the disk is full.
        """
        self.close()
        self._grid, self._classes = grid, classes
        if "probabilities" in self.kinds:
            self._arrays["probabilities"] = self._on_disk((classes, *grid.shape))
            self._arrays["probabilities"][0] = LEVELS
        if "entropy" in self.kinds:
            self._arrays["entropy"] = self._on_disk((1, *grid.shape))

    def see(self, box: tuple[slice, ...], value: int, values: Tensor) -> None:
        """Store one class's probabilities in a part of the source, see `Watch`."""
        if "probabilities" in self._arrays:
            self._put("probabilities", value, box, values)
        if "entropy" in self._arrays:
            self._entropy = _more_entropy(self._entropy if value else None, values)
            if value == self._classes - 1:
                self._put("entropy", 0, box, self._entropy / log(max(self._classes, 2)))

    def get(self, kind: MapKind) -> Bytes:
        """A map: `(classes, *spatial)`, or `(1, *spatial)` of entropy relative to its maximum.

        0 to `LEVELS` for 0 to 1; valid until `close`.
        """
        return self._arrays[kind]

    def close(self) -> None:
        """Delete the files."""
        self._arrays.clear()
        while self._files:
            self._files.pop().close()

    def _put(self, kind: MapKind, index: int, box: tuple[slice, ...], values: Tensor) -> None:
        if self._grid is None:
            raise ValueError("begin must be called first")
        levels = (values * LEVELS).round().clamp(0, LEVELS).to(torch.uint8).cpu().numpy()
        self._grid.turned(self._arrays[kind][index])[box] = levels

    def _on_disk(self, shape: tuple[int, ...]) -> Bytes:
        """Zeros on disk; within a class the first spatial axis runs fastest, as in NIfTI files."""
        # Closed, and so deleted, by `close`, or by the system when the process ends in any way.
        file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
        self._files.append(file)
        _reserve(file.fileno(), prod(shape))
        array = np.memmap(file, np.uint8, "r+", shape=(shape[0], *shape[:0:-1]))
        return array.transpose(0, *range(len(shape) - 1, 0, -1))


def _more_entropy(sum_so_far: Tensor | None, probability: Tensor) -> Tensor:
    # p log p is 0 for p = 0, its limit.
    term = -probability * probability.clamp_min(1e-30).log()
    return term if sum_so_far is None else sum_so_far + term


def _reserve(file: int, size: int) -> None:
    """Allocate the space now: on a full disk, writing to a mapped page would kill the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
        return
    zeros = bytes(1 << 20)
    for start in range(0, size, len(zeros)):
        os.write(file, zeros[: size - start])


def require_probabilities(gives: str, interpolate: str) -> None:
    """Check that labels are chosen by probabilities, which maps show.

    Args:
        gives: What the inferer gives, e.g. `labels`; see `SlidingWindowLabels`.
        interpolate: What it interpolates, e.g. `probabilities`.

    Raises:
        UsageError: If they are not.
    """
    if (gives, interpolate) != ("labels", "probabilities"):
        raise UsageError(
            "maps need the probabilities that labels are chosen by; set gives to 'labels' and "
            "interpolate to 'probabilities'"
        )
