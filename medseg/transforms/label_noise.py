"""Label noise: a given share of a training label made wrong, the same at each draw.

To see how much a network learns by heart, as in studies of double descent. Noise of single voxels
averages out over a neighbourhood that looks the same; a block of wrong voxels has to be learnt.

Reference:
    Nakkiran et al., Deep double descent, ICLR 2020. https://arxiv.org/abs/1912.02292
"""

import hashlib
import math
from collections.abc import Hashable, Mapping
from typing import Any, cast

import numpy as np
from monai.config.type_definitions import KeysCollection
from monai.transforms.transform import MapTransform
from numpy.typing import NDArray

from medseg._checks import require_fraction, require_whole_number
from medseg.transforms.index_label import apply_to_label, whole_numbers

__all__ = ["LabelNoised", "add_label_noise"]


def add_label_noise(
    label: NDArray[Any], *, share: float, classes: int, block_size: int, rng: np.random.Generator
) -> NDArray[np.uint8 | np.uint16]:
    """Make all voxels of some blocks wrong: class c becomes another class, one step for each block.

    Args:
        label: `(*spatial)`, class indices; values from `classes` on, such as an ignored one, stay.
        share: Share of the blocks, in [0, 1], rounded to a number of blocks.
        classes: Number of classes, background included; at least 2. Of two, labels are flipped.
        block_size: Voxels of a block along each axis; those at the far borders may be smaller.
        rng: Draws the blocks, without repetition, and their steps.

    Returns:
        A new label; the same voxels if no block is drawn.
    """
    whole = whole_numbers(label)
    grid = tuple(math.ceil(size / block_size) for size in whole.shape)
    count = math.prod(grid)
    steps = np.zeros(count, dtype=np.int64)
    chosen = rng.choice(count, size=round(share * count), replace=False)
    steps[chosen] = rng.integers(1, classes, size=len(chosen))
    step = steps.reshape(grid)
    for axis, size in enumerate(whole.shape):
        step = step.repeat(block_size, axis=axis).take(range(size), axis=axis)
    return np.where(whole < classes, (whole + step) % classes, whole).astype(whole.dtype)


class LabelNoised(MapTransform):
    """Make a share of each training label wrong; see `add_label_noise`.

    It is for `label_steps`, before `ClassVoxelsd`: these are of training alone, so that what is
    scored stays true. The voxels of a case depend on `seed` and its name, not on the draw.

    Args:
        keys: The labels, index labels `(1, *spatial)`.
        share: Share of the blocks that are wrong, in [0, 1].
        classes: Number of classes, background included.
        block_size: Voxels of a block along each axis; 1 for single voxels.
        seed: Another one makes other voxels wrong.
        allow_missing_keys: Do nothing where there is no label.

    Raises:
        UsageError: If an argument is out of its range.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        share: float,
        classes: int,
        block_size: int = 1,
        seed: int = 0,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        require_fraction("LabelNoised: share", share)
        self.share = share
        self.classes = require_whole_number("LabelNoised: classes", classes, at_least=2)
        self.block_size = require_whole_number("LabelNoised: block_size", block_size, at_least=1)
        self.seed = require_whole_number("LabelNoised: seed", seed, at_least=0)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the sample with its labels made wrong; everything else is passed on.

        Raises:
            DataError: If it is no label; it names the case.
        """
        sample = dict(data)
        for key in cast("Any", self).key_iterator(sample):
            noisy = apply_to_label(sample, key, lambda label: self._noisy(label, data))
            sample[key] = noisy[None]
        return sample

    def _noisy(self, label: NDArray[Any], data: Mapping[Hashable, Any]) -> NDArray[Any]:
        name = hashlib.sha256(str(data.get("case", "")).encode()).digest()
        return add_label_noise(
            label,
            share=self.share,
            classes=self.classes,
            block_size=self.block_size,
            rng=np.random.default_rng([self.seed, int.from_bytes(name[:4], "big")]),
        )
