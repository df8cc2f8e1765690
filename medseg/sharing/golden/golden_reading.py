"""Reading of a golden image: a picture, or a volume whose fourth axis holds several channels."""

from pathlib import Path

from medseg.data.images.channels import read_channels
from medseg.data.images.picture import Picture, is_raster, read_picture
from medseg.data.images.volume import Volume

__all__ = ["read_golden_image"]


def read_golden_image(path: Path, channels: int) -> Volume | Picture:
    """Read the image of a golden case.

    Args:
        path: The file.
        channels: Of the bundle's images; three of a picture are its colours.

    Raises:
        InputError: If it cannot be read, or has other channels.
    """
    if is_raster(path):
        return read_picture(path, "rgb" if channels == 3 else "grey")
    return read_channels([path] * channels)
