"""Simulated low resolution: larger voxels or thicker slices, resampled to the same grid.

Voxels are averaged into larger ones, as a thick slice averages the tissue in it, and
interpolated back; the transforms of nnU-Net and MONAI pick single voxels instead, and coarsen
all axes alike.
"""

from collections.abc import Sequence
from typing import Literal

from monai.config.type_definitions import KeysCollection
from torch import Tensor
from torch.nn.functional import interpolate

from medseg._checks import require_choice, require_span
from medseg.errors import UsageError
from medseg.transforms.intensity import RandIntensity, draw_log_uniform

__all__ = ["RandLowResolutiond", "lower_resolution"]

Axes = Literal["all", "one"] | int


def lower_resolution(image: Tensor, factors: Sequence[float]) -> Tensor:
    """Downsample by averaging, and upsample by linear interpolation.

    Args:
        image: `(C, *spatial)` float32.
        factors: Voxel size factor of each axis, 1 or more; rounded so that whole voxels fill the
            patch.

    Returns:
        `(C, *spatial)`; `image` itself where no axis becomes coarser.
    """
    shape = tuple(image.shape[1:])
    coarse = tuple(max(1, round(n / f)) for n, f in zip(shape, factors, strict=True))
    if coarse == shape:
        return image
    lowered = interpolate(image[None], size=coarse, mode="area")
    linear = "bilinear" if len(shape) == 2 else "trilinear"
    return interpolate(lowered, size=shape, mode=linear)[0]


class RandLowResolutiond(RandIntensity):
    """Randomly simulate a scan with larger voxels.

    Args:
        keys: Images `(C, *spatial)`.
        factor_range: Factor of the voxel size, drawn log-uniformly in `[low, high]`, at least 1.
        prob: Probability of changing a patch, in [0, 1].
        axes: `all` axes by the same factor; `one` random axis; or the number of an axis, such as
            2 for thick slices along axis 2.

    Raises:
        UsageError: If an argument is out of its range.
    """

    def __init__(
        self,
        keys: KeysCollection,
        factor_range: Sequence[float] = (1.0, 2.0),
        prob: float = 0.1,
        *,
        axes: Axes = "all",
    ) -> None:
        super().__init__(keys, prob)
        self.factor_range = require_span(
            "RandLowResolutiond: factor_range", factor_range, at_least=1
        )
        require_choice("RandLowResolutiond: axes", axes, ("all", "one", 0, 1, 2))
        self.axes: Axes = axes

    def change(self, image: Tensor) -> Tensor:
        """Draw the factor, and the axis for `one`."""
        count = image.ndim - 1
        factor = draw_log_uniform(self.R, self.factor_range)
        if self.axes == "all":
            return lower_resolution(image, [factor] * count)
        axis = int(self.R.randint(count)) if self.axes == "one" else int(self.axes)
        if axis >= count:
            raise UsageError(
                f"RandLowResolutiond: axes must be below {count} for an image of {count} axes, "
                f"got {axis}"
            )
        return lower_resolution(image, [factor if a == axis else 1.0 for a in range(count)])
