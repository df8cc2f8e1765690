"""Sobel's gradient: the regions that edges enclose, and those that are smooth.

Reference:
    Sobel and Feldman, An isotropic 3x3 image gradient operator, 1968.
"""

from typing import Any, cast

import numpy as np
from scipy import ndimage
from skimage import filters

from medseg.studies.baselines.brightness import Floats, IndexMap, luminance
from medseg.studies.baselines.otsu import otsu_thresholds

__all__ = ["gradient", "smooth_regions", "sobel"]

# Steps by which edges are widened to close their gaps, and narrowed again.
_CLOSING = 2
_filters, _ndimage = cast("Any", filters), cast("Any", ndimage)


def sobel(image: Floats) -> IndexMap:
    """Find the regions within edges.

    Edges are where the gradient is above Otsu's threshold of all gradients. Gaps are closed, and
    what lies within is filled; in a volume, slice by slice along its last axis.

    Args:
        image: `(*spatial, C)`, 2 or 3 spatial axes.

    Returns:
        `(*spatial)`: 1 on an edge and within closed edges, else 0.

    Raises:
        DataError: If the gradient is the same everywhere.
    """
    steep = gradient(image)
    edges = steep > otsu_thresholds(steep, 2)[0]
    plane = _ndimage.generate_binary_structure(2, 1)
    within = plane if edges.ndim == 2 else plane[:, :, None]
    # Beyond its border an image has no edges, which closing would take for gaps.
    closed = _ndimage.binary_closing(np.pad(edges, _CLOSING), within, _CLOSING)
    filled = _ndimage.binary_fill_holes(closed, within)
    inner = tuple(slice(_CLOSING, -_CLOSING) for _ in range(edges.ndim))
    return filled[inner].astype(np.uint8)


def smooth_regions(image: Floats) -> IndexMap:
    """The smoother half of the image: 1 where the gradient is below its median, else 0."""
    steep = gradient(image)
    return (steep < np.median(steep)).astype(np.uint8)


def gradient(image: Floats) -> Floats:
    """Magnitude of Sobel's gradient of the brightness, `(*spatial)`, over all axes."""
    return _filters.sobel(luminance(image))
