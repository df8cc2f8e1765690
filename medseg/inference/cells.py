"""Cell instances from a foreground probability, by a seeded watershed.

A network that separates cells from background leaves touching cells connected. Each pixel gets a
height, its distance to the background times its probability: cells are hills, and where two touch,
a waist of the outline or a gap of lower probability forms a saddle between them. The maxima are
seeds, and the watershed assigns every pixel to one of them.

References:
    Meyer, Topographic distance and watershed lines, Signal Processing 1994 (the flooding).
    https://doi.org/10.1016/0165-1684(94)90060-4
    Soille, Morphological Image Analysis, 2nd edition 2004, section 6.3 (h-maxima).
"""

from collections.abc import Hashable, Mapping
from typing import Any, cast

import numpy as np
from monai.config.type_definitions import KeysCollection
from monai.transforms.transform import MapTransform
from monai.utils.type_conversion import convert_to_dst_type
from numpy.typing import NDArray
from scipy import ndimage
from skimage import morphology, segmentation

from medseg._checks import require_number, require_positive, require_whole_number
from medseg.errors import DataError

__all__ = ["NumberCellsd", "number_cells"]

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Cells = NDArray[np.uint16]
MOST_CELLS = 65535
# scikit-image and MONAI have no complete annotations.
_morphology = cast("Any", morphology)
_segmentation = cast("Any", segmentation)
_to_dst_type = cast("Any", convert_to_dst_type)


def number_cells(
    probability: NDArray[Any],
    *,
    threshold: float = 0.5,
    waist_px: float = 4.0,
    least_px: int = 1,
    largest_hole_px: int = 0,
) -> Cells:
    """Number the cells of a probability map.

    Connectivity is over faces, so that a diagonal line of background separates cells. The frame's
    edge is not background: the height of a cell that it cuts is greatest there.

    Args:
        probability: `(*spatial)`, probability of cell, in [0, 1]; or a label of 0 and 1.
        threshold: Pixels above it are cell; in [0, 1).
        waist_px: Two maxima are two cells if the saddle between them is at least this much lower
            than the lower one; above 0. For a label, whose height is the distance to the
            background, the waist is narrower by this much on either side.
        least_px: Cells of fewer pixels become background.
        largest_hole_px: Holes up to this size, enclosed by cell, become cell.

    Returns:
        `(*spatial)`, 0 = background, 1 to n the cells. With a `least_px` of 1, every pixel above
        the threshold has a number.

    Raises:
        UsageError: If an argument is out of its range.
        DataError: If there are more than 65535 cells, or the map holds NaN.
    """
    _check(threshold, waist_px, least_px, largest_hole_px)
    if np.isnan(probability).any():
        raise DataError("the probability of cell holds NaN; check the weights and the image")
    mask = _without_holes(probability > threshold, largest_hole_px)
    height = np.where(mask, _depth(mask) * np.maximum(probability, threshold), 0.0)
    cells = _segmentation.watershed(-height, _seeds(height, mask, waist_px), mask=mask)
    return _numbered(cells, least_px)


def _depth(mask: Mask) -> Floats:
    """Distance of cell pixels to the background; 1 if there is no background."""
    return np.ones(mask.shape) if mask.all() else ndimage.distance_transform_edt(mask)


def _without_holes(mask: Mask, largest_px: int) -> Mask:
    if largest_px == 0:
        return mask
    parts, _ = ndimage.label(~mask)
    small = np.bincount(parts.ravel()) <= largest_px
    # Components at the edge of the frame continue beyond it; component 0 is the cells.
    for axis in range(mask.ndim):
        small[np.unique(parts.take([0, -1], axis=axis))] = False
    small[0] = False
    return mask | small[parts]


def _seeds(height: Floats, mask: Mask, waist_px: float) -> NDArray[np.int32]:
    """Numbered seeds: h-maxima; a hill lower than the waist is a seed as a whole."""
    lowered = np.maximum(height - waist_px, 0.0)
    # Morphological reconstruction (h-maxima): maxima without a lower saddle in between merge.
    plain: Floats = _morphology.reconstruction(lowered, height, footprint=_faces(height.ndim))
    summits: Mask = _morphology.local_maxima(plain, connectivity=1) & (plain > 0)
    hills, count = ndimage.label(mask)
    has_summit = np.zeros(count + 1, dtype=bool)
    has_summit[hills[summits]] = True
    seeds, _ = ndimage.label(summits | (mask & ~has_summit[hills]))
    return seeds


def _faces(axes: int) -> Mask:
    return ndimage.generate_binary_structure(axes, 1)


def _numbered(cells: NDArray[np.int32], least_px: int) -> Cells:
    pixels = np.bincount(cells.ravel())
    kept = pixels >= least_px
    kept[0] = False
    count = int(np.count_nonzero(kept))
    if count > MOST_CELLS:
        raise DataError(f"holds {count} cells, more than 16 bits can number; increase least_px")
    numbers = np.where(kept, np.cumsum(kept), 0).astype(np.uint16)
    return numbers[cells]


def _check(threshold: float, waist_px: float, least_px: int, largest_hole_px: int) -> None:
    require_number("number_cells: threshold", threshold, at_least=0, below=1)
    require_positive("number_cells: waist_px", waist_px)
    require_whole_number("number_cells: least_px", least_px, at_least=1)
    require_whole_number("number_cells: largest_hole_px", largest_hole_px, at_least=0)


class NumberCellsd(MapTransform):
    """Turn the probability of cell, or a label of 0 and 1, into an instance label.

    The arguments are those of `number_cells`. In a bundle, put it in `postprocessing`, before
    `SaveLabeld`. Pixels are those of the image if the inferer returns probabilities in the image's
    own grid, as `SlidingWindowLabels` does.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        threshold: float = 0.5,
        waist_px: float = 4.0,
        least_px: int = 1,
        largest_hole_px: int = 0,
    ) -> None:
        super().__init__(keys)
        _check(threshold, waist_px, least_px, largest_hole_px)
        self.threshold = threshold
        self.waist_px = waist_px
        self.least_px = least_px
        self.largest_hole_px = largest_hole_px

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the sample with numbered cells, `(1, *spatial)`, uint16, type as before.

        Raises:
            DataError: If an entry has several channels, or see `number_cells`.
        """
        sample = dict(data)
        for key in self.keys:
            values = np.asarray(sample[key].cpu() if hasattr(sample[key], "cpu") else sample[key])
            if values.shape[0] != 1:
                raise DataError(f"{key}: must be (1, *spatial), got shape {values.shape}")
            cells = number_cells(
                values[0],
                threshold=self.threshold,
                waist_px=self.waist_px,
                least_px=self.least_px,
                largest_hole_px=self.largest_hole_px,
            )
            sample[key] = _to_dst_type(cells[None], sample[key], dtype=np.uint16)[0]
        return sample
