"""Watershed of the gradient, from markers within Otsu's groups.

Voxels well within a group are markers, those near its border are not: they go to the marker from
which they are reached over the lowest gradient.

Reference:
    Beucher and Meyer, The morphological approach to segmentation: the watershed
    transformation, 1993.
"""

from typing import Any, cast

import numpy as np
from scipy import ndimage
from skimage import segmentation

from medseg.studies.baselines.brightness import Floats, IndexMap, by_brightness
from medseg.studies.baselines.otsu import otsu
from medseg.studies.baselines.sobel import gradient

__all__ = ["watershed"]

# Steps by which a group is narrowed to its markers.
_MARGIN = 2
_ndimage, _segmentation = cast("Any", ndimage), cast("Any", segmentation)


def watershed(image: Floats, levels: int) -> IndexMap:
    """Flood the gradient from markers of `levels` groups.

    Args:
        image: `(*spatial, C)`.
        levels: Number of groups, 2 to 5.

    Returns:
        `(*spatial)`, from 0, the darkest group.

    Raises:
        DataError: If the image has fewer values than groups.
    """
    groups = otsu(image, levels)
    markers = np.zeros(groups.shape, np.int32)
    for level in range(levels):
        group = groups == level
        core = _ndimage.binary_erosion(group, iterations=_MARGIN, border_value=1)
        # A group too thin for markers would be lost.
        markers[core if core.any() else group] = level + 1
    flooded = _segmentation.watershed(gradient(image), markers)
    return by_brightness(flooded - 1, image, levels)
