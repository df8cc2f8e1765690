"""Otsu's thresholds: groups of brightness with the least variance within them.

References:
    Otsu, A threshold selection method from gray-level histograms, 1979.
    https://doi.org/10.1109/TSMC.1979.4310076
    Liao et al., A fast algorithm for multilevel thresholding, J. Inf. Sci. Eng. 2001.
"""

from typing import Any, cast

import numpy as np
from skimage import filters

from medseg.errors import DataError
from medseg.studies.baselines.brightness import Floats, IndexMap, luminance

__all__ = ["otsu", "otsu_thresholds"]

_BINS = 256
_filters = cast("Any", filters)


def otsu(image: Floats, levels: int) -> IndexMap:
    """Group voxels by `levels - 1` thresholds of their brightness.

    Args:
        image: `(*spatial, C)`.
        levels: Number of groups, 2 to 5: the time grows with the power of the thresholds.

    Returns:
        `(*spatial)`, from 0, the darkest group.

    Raises:
        DataError: If the image has fewer values than groups.
    """
    grey = luminance(image)
    return np.digitize(grey, otsu_thresholds(grey, levels), right=True).astype(np.uint8)


def otsu_thresholds(grey: Floats, levels: int) -> Floats:
    """The `levels - 1` thresholds of any values `(*spatial)`, increasing.

    A value at a threshold belongs to the group below it.

    Raises:
        DataError: If there are fewer values than groups.
    """
    low, high = float(grey.min()), float(grey.max())
    # scikit-image gives the middle of the last bin below, whose upper half would be above; and it
    # takes an axis of three for colours.
    half = (high - low) / _BINS / 2
    try:
        return _filters.threshold_multiotsu(grey.ravel(), classes=levels, nbins=_BINS) + half
    except ValueError as error:
        raise DataError(f"its voxels have fewer than {levels} values to separate") from error
