"""RasterReader: PNG, TIFF, JPEG and BMP files for MONAI's `LoadImaged`.

MONAI's `PILReader` returns columns before rows, and accepts 16-bit colours, palettes and the first
page of a stack silently.
"""

from typing import Any, get_args

import numpy as np
from monai.data.image_reader import ImageReader
from numpy.typing import NDArray

from medseg._checks import require_choice
from medseg.data.images.naming import PICTURE_SUFFIXES
from medseg.data.images.raster import Content, read_raster
from medseg.data.images.reader_common import Paths, PendingRead, paths_of, place_of
from medseg.data.label_kind import near_whole
from medseg.data.problems import Problem, Where, refusal
from medseg.errors import UsageError

__all__ = ["RasterReader"]


class RasterReader(ImageReader):
    """Reads 2-D images; several files become the channels of one image.

    In a recipe: `{_target_: LoadImaged, keys: label, reader: medseg.data.RasterReader, content:
    label}`. The affine is the identity, 1 mm per pixel, as the spacing is unknown.

    Args:
        content: Expected content, see `read_raster`.

    Raises:
        UsageError: If the word is unknown.
    """

    def __init__(self, *, content: Content = "any") -> None:
        require_choice("RasterReader: content", content, get_args(Content))
        self.content: Content = content

    def verify_suffix(self, filename: Paths) -> bool:
        """Whether all paths have a picture's suffix."""
        return all(path.lower().endswith(PICTURE_SUFFIXES) for path in paths_of(filename))

    def read(self, data: Paths, **kwargs: object) -> PendingRead:
        """Store the paths for `get_data`.

        Raises:
            UsageError: If one is not a 2-D image, so that `LoadImaged` tries the next reader.
        """
        if not self.verify_suffix(data):
            raise UsageError(f"not a {' '.join(PICTURE_SUFFIXES)} file; use another reader")
        return PendingRead(paths_of(data))

    def get_data(self, img: PendingRead) -> tuple[NDArray[Any], dict[str, Any]]:
        """Read the image.

        Returns:
            The array `(C, I, J)`, rows before columns, and the metadata that MONAI's
            transforms use.

        Raises:
            InputError: See `read_raster`; or if several files differ in shape.
        """
        where: Where = "label" if self.content == "label" else "image"
        parts = [read_raster(path, self.content, where=where) for path in img.paths]
        for path, part in zip(img.paths, parts, strict=True):
            if part.shape[1:] != parts[0].shape[1:]:
                what = f"has shape {part.shape[1:]}, {img.paths[0]} has {parts[0].shape[1:]}"
                raise refusal(path, Problem("error", where, what, "give channels of one size"))
        array = np.concatenate(parts)
        array = near_whole(array) if where == "label" else array
        return array, place_of(np.eye(4), array.shape[1:], channel_dim=0)
