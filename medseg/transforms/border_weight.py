"""Border weight map: a higher loss weight for pixels in the gap between two cells.

A thin gap between two cells is a handful of pixels; a network that fills it loses next to
nothing, but has merged two cells. The map multiplies the loss of such pixels.

Reference:
    Ronneberger et al., U-Net, MICCAI 2015, eq. 2. https://doi.org/10.1007/978-3-319-24574-4_28
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal, cast

import numpy as np
from monai.transforms.transform import MapTransform
from monai.utils.type_conversion import convert_to_dst_type
from numpy.typing import NDArray
from scipy import ndimage

from medseg._checks import require_not_negative, require_positive, require_spacing
from medseg.errors import UsageError
from medseg.transforms.index_label import apply_to_label
from medseg.transforms.instances import part_touching

__all__ = ["BorderWeightd", "ClassWeights", "border_weight"]

ClassWeights = Literal["balanced"] | Sequence[float] | None
# Range of a cell's influence, in sigmas: exp(-6^2 / 2) is 1.5e-8, below float32's resolution.
REACH = 6.0
# MONAI has no complete annotations.
_to_dst_type = cast("Any", convert_to_dst_type)


def border_weight(
    instances: NDArray[Any],
    *,
    w0: float = 10.0,
    sigma_px: float = 5.0,
    class_weights: ClassWeights = "balanced",
    voxel_size_px: Sequence[float] | None = None,
) -> NDArray[np.float32]:
    """Weight of every pixel, w_c(x) + w0 exp(-(d1(x) + d2(x))^2 / (2 sigma^2)).

    d1 and d2 are the Euclidean distances from x to the nearest pixel of the nearest and of the
    second nearest cell. The second term is added to background only, as in the paper's
    figure 3d and in its authors' program: within cells there is no gap to learn. Touching cells
    are separated first (`part_touching`), and the line between them is background. With fewer
    than two cells there is no gap, and the weight is w_c.

    Args:
        instances: `(*spatial)`, 0 is background, n > 0 the voxels of cell n.
        w0: Extra weight in a gap of zero width; the paper's is 10.
        sigma_px: Decay length of the weight with the width of the gap; the paper's is 5.
        class_weights: w_c. `balanced` gives background and foreground the same total weight, with
            a mean of 1 over all pixels; two numbers are the weights of background and
            foreground; None is 1 everywhere.
        voxel_size_px: Extent of a voxel along each axis in the unit of `sigma_px`; None is 1.

    Returns:
        `(*spatial)`, above 0 unless a class weight is 0.

    Raises:
        DataError: If it holds NaN, fractions, or values above 65535.
    """
    cells = part_touching(instances)
    weight = _class_weight(cells > 0, class_weights)
    size = tuple(voxel_size_px or (1.0,) * cells.ndim)
    near, far = _two_nearest(cells, REACH * sigma_px, size)
    gap = (cells == 0) & np.isfinite(far)
    weight[gap] += w0 * np.exp(-((near[gap] + far[gap]) ** 2) / (2 * sigma_px**2))
    return weight


def _class_weight(
    foreground: NDArray[np.bool_], class_weights: ClassWeights
) -> NDArray[np.float32]:
    if class_weights is None:
        return np.ones(foreground.shape, dtype=np.float32)
    if class_weights == "balanced":
        inside = int(np.count_nonzero(foreground))
        counts = (foreground.size - inside, inside)
        present = sum(count > 0 for count in counts)
        class_weights = [foreground.size / (present * max(count, 1)) for count in counts]
    outside, inside = (np.float32(weight) for weight in class_weights)
    return np.where(foreground, inside, outside)


def _two_nearest(
    cells: NDArray[Any], reach: float, size: Sequence[float]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Distances to the nearest and the second nearest cell; infinite beyond `reach`.

    The distance to each cell is computed in its bounding box, widened by `reach`: further out its
    weight is negligible.
    """
    near = np.full(cells.shape, np.inf, dtype=np.float32)
    far = near.copy()
    margins = [math.ceil(reach / step) for step in size]
    for cell, box in enumerate(ndimage.find_objects(cells), start=1):
        if box is None:
            continue
        around = tuple(
            slice(max(0, part.start - margin), part.stop + margin)
            for part, margin in zip(box, margins, strict=True)
        )
        distance = ndimage.distance_transform_edt(cells[around] != cell, sampling=size)
        distance = distance.astype(np.float32)
        np.minimum(far[around], np.maximum(near[around], distance), out=far[around])
        np.minimum(near[around], distance, out=near[around])
    return near, far


class BorderWeightd(MapTransform):
    """Add the border weight map of an instance label to the sample.

    The map is made once, in preprocessing, from instances on the grid that the network sees; the
    random warp applies to it as to image and label. Put `InstancesToForegroundd` after this step,
    since it removes the instances.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each number of the equation
        self,
        keys: str | Sequence[str],
        weight_key: str = "weight",
        *,
        w0: float = 10.0,
        sigma_px: float = 5.0,
        class_weights: ClassWeights = "balanced",
        voxel_size_px: Sequence[float] | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        """Check the arguments; all but the keys are those of `border_weight`.

        Args:
            keys: The instance label, one key: `(1, *spatial)`, an array or a tensor.
            weight_key: Key of the map: `(1, *spatial)`, float32, array or tensor as the label.
            w0: Extra weight in a gap of zero width, 0 or more.
            sigma_px: Decay length of the weight with the width of the gap, above 0.
            class_weights: `balanced`, two numbers, or None.
            voxel_size_px: Extent of a voxel along each axis, or None.
            allow_missing_keys: True leaves samples without a label alone, as in prediction.

        Raises:
            UsageError: If an argument is not as described.
        """
        names = (keys,) if isinstance(keys, str) else tuple(keys)
        if len(names) != 1:
            raise UsageError(f"BorderWeightd: keys must name one label, got {list(names)}")
        require_not_negative("BorderWeightd: w0", w0)
        require_positive("BorderWeightd: sigma_px", sigma_px)
        _check_class_weights(class_weights)
        if voxel_size_px is not None:
            require_spacing("BorderWeightd: voxel_size_px", voxel_size_px, axes=(1, 2, 3))
        super().__init__(names, allow_missing_keys)
        self.weight_key = weight_key
        self.w0 = w0
        self.sigma_px = sigma_px
        self.class_weights: ClassWeights = class_weights
        self.voxel_size_px = voxel_size_px

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the sample with its map.

        Raises:
            DataError: If the label cannot be used; see `border_weight`.
            UsageError: If `voxel_size_px` has another number of axes than the label.
        """
        sample = dict(data)
        key = self.keys[0]
        if self.allow_missing_keys and key not in sample:
            return sample
        weight = apply_to_label(sample, key, self._weigh)
        sample[self.weight_key] = _to_dst_type(weight[None], sample[key], dtype=np.float32)[0]
        return sample

    def _weigh(self, instances: NDArray[Any]) -> NDArray[np.float32]:
        if self.voxel_size_px is not None:
            require_spacing(
                "BorderWeightd: voxel_size_px", self.voxel_size_px, axes=(instances.ndim,)
            )
        return border_weight(
            instances,
            w0=self.w0,
            sigma_px=self.sigma_px,
            class_weights=self.class_weights,
            voxel_size_px=self.voxel_size_px,
        )


def _check_class_weights(class_weights: ClassWeights) -> None:
    if class_weights is None or class_weights == "balanced":
        return
    if isinstance(class_weights, str) or len(class_weights) != 2:
        raise UsageError(
            "BorderWeightd: class_weights must be balanced, None, or two numbers, "
            f"got {class_weights!r}"
        )
    for i, weight in enumerate(class_weights):
        require_not_negative(f"BorderWeightd: class_weights[{i}]", weight)
