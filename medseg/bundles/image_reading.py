"""Reading of one image as a bundle takes it: colours, grey, or several channels."""

from collections.abc import Sequence
from pathlib import Path

from medseg.data.images.channels import read_channels
from medseg.data.images.naming import is_raster
from medseg.data.images.picture import Picture, read_picture
from medseg.data.images.volume import Volume

__all__ = ["read_bundle_image"]


def read_bundle_image(image: str | Path | Sequence[str | Path], channels: int) -> Volume | Picture:
    """Read an image for a bundle.

    Args:
        image: A file; or one for each channel.
        channels: Of the bundle's images; three of a picture are its colours, those of a volume lie
            along its fourth axis.

    Raises:
        InputError: If it cannot be read, or has other channels.
    """
    if not isinstance(image, str | Path):
        return read_channels(image)
    if is_raster(image):
        return read_picture(image, "rgb" if channels == 3 else "grey")
    return read_channels([image] * channels)
