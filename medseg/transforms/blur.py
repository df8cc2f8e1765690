"""Gaussian blur: a softer reconstruction kernel, a wider slice profile, a lens out of focus.

Separable, computed as a sum of shifted copies, each a pass over memory that fits the
processor's cache: for kernels of a few voxels this is faster than any single-channel convolution
in torch.
"""

from collections.abc import Sequence

import numpy as np
import torch
from monai.config.type_definitions import KeysCollection
from torch import Tensor

from medseg._checks import require_spacing, require_span
from medseg.errors import UsageError
from medseg.transforms.intensity import (
    RandIntensity,
    check_axes,
    draw_uniform,
)

__all__ = ["RandBlurd", "gaussian_blur"]

# Where the kernel ends, in standard deviations, as in SciPy.
_REACH = 4.0


def gaussian_blur(image: Tensor, sigma_voxels: Sequence[float]) -> Tensor:
    """Convolve each channel with a Gaussian, with reflection padding.

    Args:
        image: `(C, *spatial)` float32.
        sigma_voxels: One an axis; 0 leaves the axis as it is.

    Returns:
        `(C, *spatial)`; `image` itself where all sigmas are close to 0.
    """
    for axis, sigma in enumerate(sigma_voxels, start=1):
        weights = _kernel(sigma)
        # A reflected axis of one voxel is constant, which no blur changes.
        if len(weights) > 1 and image.shape[axis] > 1:
            image = _convolve(image, axis, weights)
    return image


def _kernel(sigma: float) -> list[float]:
    """One half of the normalised kernel, from the centre outwards."""
    radius = int(_REACH * sigma + 0.5)
    half = np.exp(-0.5 * (np.arange(radius + 1) / max(sigma, 1e-6)) ** 2)
    return list(half / (half.sum() + half[1:].sum()))


def _convolve(image: Tensor, axis: int, weights: list[float]) -> Tensor:
    size, radius = image.shape[axis], len(weights) - 1
    padded = _reflect(image, axis, radius)
    blurred = padded.narrow(axis, radius, size) * weights[0]
    for step, weight in enumerate(weights[1:], start=1):
        blurred.add_(padded.narrow(axis, radius - step, size), alpha=weight)
        blurred.add_(padded.narrow(axis, radius + step, size), alpha=weight)
    return blurred


def _reflect(image: Tensor, axis: int, radius: int) -> Tensor:
    """Pad by `radius` voxels at both ends: c b a | a b c | c b a, repeated if needed."""
    size = image.shape[axis]
    outside = torch.arange(1, radius + 1, device=image.device)
    before = (outside.flip(0) - 1) % (2 * size)
    after = (outside - 1 + size) % (2 * size)
    ends = [torch.minimum(index, 2 * size - 1 - index) for index in (before, after)]
    left, right = (image.index_select(axis, index) for index in ends)
    return torch.cat([left, image, right], axis)


class RandBlurd(RandIntensity):
    """Blur with a Gaussian of a random width, given in millimetres.

    Args:
        keys: Images `(C, *spatial)`.
        sigma_mm_range: `[low, high]`, at least 0, from which one standard deviation is
            drawn uniformly for all axes; or one such pair per axis, drawn independently.
        spacing_mm: Size of a voxel along each axis; 1 for images without a scale, where
            millimetres then mean pixels. Across thick slices few voxels mix.
        prob: Probability of changing a patch, in [0, 1].

    Raises:
        UsageError: If an argument is out of its range.
    """

    def __init__(
        self,
        keys: KeysCollection,
        sigma_mm_range: Sequence[float] | Sequence[Sequence[float]],
        spacing_mm: Sequence[float],
        prob: float = 0.1,
    ) -> None:
        super().__init__(keys, prob)
        self.spacing_mm = require_spacing("RandBlurd: spacing_mm", spacing_mm)
        apart = len(sigma_mm_range) > 0 and isinstance(sigma_mm_range[0], Sequence)
        given: Sequence[Sequence[float]] = sigma_mm_range if apart else [sigma_mm_range]  # pyright: ignore[reportAssignmentType]
        name = "RandBlurd: sigma_mm_range"
        self.spans = tuple(require_span(name, span, at_least=0) for span in given)
        if apart and len(self.spans) != len(self.spacing_mm):
            raise UsageError(
                f"{name} must be one [low, high] or {len(self.spacing_mm)}, one an axis, "
                f"got {len(self.spans)}"
            )

    def change(self, image: Tensor) -> Tensor:
        """Draw one standard deviation, or one per axis, and blur."""
        check_axes(image, self.spacing_mm)
        drawn = [draw_uniform(self.R, span) for span in self.spans]
        sigmas = np.broadcast_to(drawn, len(self.spacing_mm)) / self.spacing_mm
        return gaussian_blur(image, sigmas.tolist())
