"""An image in the form in which MONAI's `LoadImaged` hands it to a recipe."""

from typing import Any

import numpy as np
import torch
from monai.data.meta_tensor import MetaTensor
from monai.utils.enums import MetaKeys, SpaceKeys
from numpy.typing import DTypeLike

from medseg.data.images.channels import on_first_grid
from medseg.data.images.geometry import at_right_angles
from medseg.data.images.picture import Picture
from medseg.data.images.reader_common import narrow
from medseg.data.images.volume import Volume

__all__ = ["as_loaded"]


def as_loaded(source: Volume | Picture, dtype: DTypeLike) -> MetaTensor:
    """The output of `LoadImaged` with that `dtype`, channel first."""
    straight = at_right_angles(source.affine, source.shape)
    affine = torch.as_tensor(straight, dtype=torch.float64)
    array = on_first_grid(source)
    meta: dict[str, Any] = {
        MetaKeys.ORIGINAL_AFFINE: affine.clone(),
        MetaKeys.SPATIAL_SHAPE: np.asarray(array.shape[1:]),
        MetaKeys.SPACE: SpaceKeys.RAS,
        MetaKeys.ORIGINAL_CHANNEL_DIM: 0,
    }
    # A copy, since steps may work in place.
    copy = np.array(narrow(array), dtype, order="C")
    return MetaTensor(torch.as_tensor(copy), affine=affine, meta=meta)
