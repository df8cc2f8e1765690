"""Random bias field: simulate the smooth shading that MR coils cause.

The field's logarithm is a cubic B-spline with few control points, which costs a small matrix
product per axis where MONAI evaluates polynomials at every voxel; and its strength is given as
the greatest gain rather than as a range of coefficients.

Reference:
    Van Leemput et al., Automated model-based tissue classification of MR images of the
    brain, IEEE TMI 1999. https://doi.org/10.1109/42.811270
"""

from math import log

import numpy as np
import torch
from monai.config.type_definitions import KeysCollection
from torch import Tensor

from medseg._checks import require_number, require_whole_number
from medseg.transforms.intensity import RandIntensity
from medseg.transforms.signal import NoSignal, no_signal_level, require_no_signal
from medseg.transforms.spline import basis, evaluate

__all__ = ["RandBiasFieldd", "gain_field"]


def gain_field(log_gains: Tensor, spatial: tuple[int, ...]) -> Tensor:
    """A smooth multiplicative field: the exponential of a B-spline.

    Args:
        log_gains: `(*controls)`, logarithm of the gain at control points, 4 or more per axis.
        spatial: Voxels along each axis.

    Returns:
        `(*spatial)` float32, between the least and the greatest gain of the control points.
    """
    bases = [
        torch.as_tensor(basis(_places(size, controls - 3), controls - 3)).to(log_gains)
        for size, controls in zip(spatial, log_gains.shape, strict=True)
    ]
    return evaluate(log_gains, bases).exp_()


def _places(size: int, cells: int) -> np.ndarray:
    """Voxel centres, in cells from the first voxel's edge."""
    return (np.arange(size) + 0.5) * cells / size


class RandBiasFieldd(RandIntensity):
    """Multiply by a smooth random field, the same in all channels.

    Args:
        keys: Images `(C, *spatial)`.
        max_gain: At least 1: the gain lies in [1 / max_gain, max_gain]. 1.3 is much across a
            patch, little across a body.
        prob: Probability of changing a patch, in [0, 1].
        cells: B-spline cells per axis: 1 is a cubic polynomial across the patch, more give a
            finer field.
        no_signal: The intensity without signal, which stays as it is: a number, 0 for images that
            were only scaled; or `darkest`, the patch's least intensity, for images that were
            shifted too, such as z-scores.

    Raises:
        UsageError: If an argument is out of its range.
    """

    def __init__(
        self,
        keys: KeysCollection,
        max_gain: float = 1.3,
        prob: float = 0.1,
        *,
        cells: int = 1,
        no_signal: NoSignal = "darkest",
    ) -> None:
        super().__init__(keys, prob)
        require_number("RandBiasFieldd: max_gain", max_gain, at_least=1)
        require_whole_number("RandBiasFieldd: cells", cells, at_least=1, at_most=16)
        self.max_gain, self.cells = max_gain, cells
        self.no_signal: NoSignal = require_no_signal("RandBiasFieldd: no_signal", no_signal)

    def change(self, image: Tensor) -> Tensor:
        """Draw the gain of every control point, and multiply the signal by the field."""
        most = log(self.max_gain)
        gains = self.R.uniform(-most, most, (self.cells + 3,) * (image.ndim - 1))
        log_gains = torch.as_tensor(gains).to(image)
        floor = no_signal_level(image, self.no_signal)
        field = gain_field(log_gains, tuple(image.shape[1:]))
        return (image - floor).mul_(field).add_(floor)
