"""Class voxel lists: indices of each class's voxels, to centre training patches on.

A training patch is centred on a random voxel of a random class. Searching the whole label for
such a voxel costs tens of milliseconds per patch; drawing it from a list made once per case
costs nothing.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from monai.transforms.transform import MapTransform
from numpy.typing import NDArray

from medseg._checks import require_whole_number
from medseg.errors import UsageError
from medseg.transforms.index_label import MAX_VALUE, apply_to_label, whole_numbers

__all__ = ["CLASS_VOXELS", "ClassVoxelsd", "list_class_voxels"]

# Key of the lists in a sample.
CLASS_VOXELS = "class_voxels"

# Long enough that Python's share of the time is small, short enough to stay in the cache.
SLAB_VOXELS = 2**19

Label = NDArray[Any]


def list_class_voxels(label: Label, *, max_voxels: int) -> dict[int, NDArray[np.int32]]:
    """List voxels of every class but the background, by stratified sampling if there are many.

    A class of more than `max_voxels` is cut into `max_voxels` runs of equal length, in memory
    order, and one pseudo-random voxel is taken from each run (seeded by the class): the whole
    structure is covered, each part in proportion to its size, and no regular step can coincide
    with rows or slices. The same array gives the same list.

    Args:
        label: `(*spatial)`, whole numbers of any dtype. Values below 1 are no class.
        max_voxels: The most voxels that are listed for a class.

    Returns:
        For each value above 0 that occurs, `(n, dims)` indices with n <= `max_voxels`; empty
        for a label that is all background.

    Raises:
        DataError: If the label holds NaN, fractions, or values above 65535.
    """
    # Memory order, slowest axis first: reading a volume in another order takes ten times as long.
    axes = np.argsort([-abs(step) for step in label.strides], kind="stable")
    view = label.transpose(axes)
    counts = _count(view)
    chosen = {value: _ranks(n, max_voxels, seed=value) for value, n in counts.items()}
    positions = _find(view, chosen)
    return {value: _indices(flat, view.shape, axes) for value, flat in positions.items()}


def _slabs(view: Label) -> Iterator[tuple[int, Label]]:
    """Yield slabs of the label: flat index of the first voxel, and the flattened classes."""
    row = view[:1].size
    thick = max(1, SLAB_VOXELS // row)
    for first in range(0, len(view), thick):
        yield (
            first * row,
            whole_numbers(np.ascontiguousarray(view[first : first + thick]).reshape(-1)),
        )


def _count(view: Label) -> dict[int, int]:
    totals = np.zeros(MAX_VALUE + 1, dtype=np.int64)
    for _, classes in _slabs(view):
        counts = np.bincount(classes[np.flatnonzero(classes != 0)])
        totals[: len(counts)] += counts
    return {int(value): int(totals[value]) for value in np.flatnonzero(totals)}


def _ranks(count: int, max_voxels: int, *, seed: int) -> NDArray[np.int64]:
    """Ranks, in increasing order, of the voxels to list among the `count` voxels of a class."""
    if count <= max_voxels:
        return np.arange(count)
    edges = np.arange(max_voxels + 1) * count // max_voxels
    within = np.random.default_rng(seed).random(max_voxels) * np.diff(edges)
    return edges[:-1] + within.astype(np.int64)


def _find(view: Label, ranks: Mapping[int, NDArray[np.int64]]) -> dict[int, NDArray[np.int64]]:
    """Flat indices in `view` of the voxels of each class that have these ranks."""
    positions: dict[int, list[NDArray[np.int64]]] = {value: [] for value in ranks}
    passed = dict.fromkeys(ranks, 0)
    for start, classes in _slabs(view):
        for value, voxels in _by_class(classes):
            low, high = np.searchsorted(ranks[value], [passed[value], passed[value] + len(voxels)])
            positions[value].append(start + voxels[ranks[value][low:high] - passed[value]])
            passed[value] += len(voxels)
    return {value: np.concatenate(parts) for value, parts in positions.items()}


def _by_class(classes: Label) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield each class of a slab with its flat indices, in increasing order."""
    voxels = np.flatnonzero(classes != 0)
    values = classes[voxels]
    counts = np.bincount(values)
    ordered = voxels[np.argsort(values, kind="stable")]
    ends = np.cumsum(counts)
    for value in np.flatnonzero(counts):
        yield int(value), ordered[ends[value] - counts[value] : ends[value]]


def _indices(
    flat: NDArray[np.int64], shape: tuple[int, ...], axes: NDArray[np.intp]
) -> NDArray[np.int32]:
    indices = np.empty((len(flat), len(axes)), dtype=np.int32)
    for axis, along in zip(axes, np.unravel_index(flat, shape), strict=True):
        indices[:, axis] = along
    return indices


class ClassVoxelsd(MapTransform):
    """Add the voxel list of every class to the sample, to centre patches on.

    Written as `sample["class_voxels"]`, where `RandWarpPatchd` looks for it: a dictionary from
    class to `(n, dims)` int32 indices, see `list_class_voxels`. It belongs at the end of
    preprocessing, after the last step that moves or resamples voxels.
    """

    def __init__(
        self,
        keys: str | Sequence[str],
        *,
        max_voxels: int = 20000,
        allow_missing_keys: bool = False,
    ) -> None:
        """Check the arguments.

        Args:
            keys: The label, one key: `(1, *spatial)`, an array or a tensor.
            max_voxels: The most voxels that are listed for a class.
            allow_missing_keys: True leaves samples without a label alone, as in prediction.

        Raises:
            UsageError: If there is not exactly one key, or `max_voxels` is no whole number
                above 0.
        """
        names = (keys,) if isinstance(keys, str) else tuple(keys)
        if len(names) != 1:
            raise UsageError(f"ClassVoxelsd: keys must name one label, got {list(names)}")
        super().__init__(names, allow_missing_keys)
        self.max_voxels = require_whole_number("ClassVoxelsd: max_voxels", max_voxels, at_least=1)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the sample with its lists.

        Raises:
            DataError: If the label cannot be used; see `list_class_voxels`.
        """
        sample = dict(data)
        key = self.keys[0]
        if self.allow_missing_keys and key not in sample:
            return sample
        find = partial(list_class_voxels, max_voxels=self.max_voxels)
        sample[CLASS_VOXELS] = apply_to_label(sample, key, find)
        return sample
