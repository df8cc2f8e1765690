"""Instance labels to foreground labels, with a background line between touching cells.

A network that separates foreground from background can only recover single cells if there is
background between them in its training labels. The authors of the U-Net put a line of it
between touching cells.

References:
    Ronneberger et al., U-Net, MICCAI 2015, section 3. https://doi.org/10.1007/978-3-319-24574-4_28
    Falk et al., Nature Methods 2019. https://doi.org/10.1038/s41592-018-0261-2
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal, cast, get_args

import numpy as np
from monai.transforms.transform import MapTransform
from monai.utils.type_conversion import convert_to_dst_type
from numpy.typing import NDArray
from scipy import ndimage

from medseg._checks import require_choice
from medseg.errors import UsageError
from medseg.transforms.index_label import apply_to_label, whole_numbers

__all__ = ["InstancesToForegroundd", "Touching", "part_touching"]

Touching = Literal["part", "keep"]
# MONAI has no complete annotations.
_to_dst_type = cast("Any", convert_to_dst_type)


def part_touching(instances: NDArray[Any]) -> NDArray[np.uint8 | np.uint16]:
    """Put a line of background, one voxel wide, between touching instances.

    Where two touch, over a face, an edge or a corner, voxels of the larger one become
    background, so that small cells survive. Instances that do not touch stay as they are, and a
    second pass changes nothing.

    Args:
        instances: `(*spatial)`, 0 is background, n > 0 the voxels of cell n.

    Returns:
        The same shape, 8 or 16 bit.

    Raises:
        DataError: If it holds NaN, fractions, or values above 65535.
    """
    instances = whole_numbers(instances)
    voxels = np.bincount(instances.reshape(-1))
    voxels[0] = 0
    # Rank 1 is the largest cell; voxels with a neighbour of a higher rank become background.
    rank = np.zeros(len(voxels), dtype=np.uint16)
    rank[np.argsort(-voxels, kind="stable")] = np.arange(1, len(voxels) + 1)
    rank[0] = 0
    ranks = rank[instances]
    beside: NDArray[np.uint16] = ndimage.maximum_filter(ranks, size=3, mode="nearest")
    return np.where(beside > ranks, 0, instances).astype(instances.dtype)


class InstancesToForegroundd(MapTransform):
    """Turn an instance label into 0 = background, 1 = foreground, with touching cells separated.

    Put it after steps that need the instances, such as `BorderWeightd`.
    """

    def __init__(
        self,
        keys: str | Sequence[str],
        *,
        touching: Touching = "part",
        allow_missing_keys: bool = False,
    ) -> None:
        """Check the arguments.

        Args:
            keys: Instance labels, `(1, *spatial)`, arrays or tensors.
            touching: `part` leaves a line of background between touching cells, see
                `part_touching`; `keep` merges them.
            allow_missing_keys: True leaves samples without a label alone, as in prediction.

        Raises:
            UsageError: If there is no key, or `touching` is another word.
        """
        names = (keys,) if isinstance(keys, str) else tuple(keys)
        if not names:
            raise UsageError("InstancesToForegroundd: keys must name a label, got none")
        require_choice("InstancesToForegroundd: touching", touching, get_args(Touching))
        super().__init__(names, allow_missing_keys)
        self.touching: Touching = touching

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the sample with uint8 labels of 0 and 1, arrays or tensors as before.

        Raises:
            DataError: If a label cannot be used; see `part_touching`.
        """
        sample = dict(data)
        number = part_touching if self.touching == "part" else whole_numbers
        for key in self.keys:
            if self.allow_missing_keys and key not in sample:
                continue
            foreground = apply_to_label(sample, key, number) > 0
            sample[key] = _to_dst_type(foreground[None], sample[key], dtype=np.uint8)[0]
        return sample
