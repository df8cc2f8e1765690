"""Several channels in the form that MONAI's `LoadImaged` takes from a reader."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from medseg.data.dicom.allowances import Gaps, Tilt
from medseg.data.images.channels import on_first_grid, read_channels
from medseg.data.images.geometry import at_right_angles
from medseg.data.images.reader_common import narrow, place_of
from medseg.data.source import parse_source

__all__ = ["channels_as_read"]


def channels_as_read(
    paths: Sequence[str], *, tilt: Tilt = "refuse", gaps: Gaps = "refuse"
) -> tuple[NDArray[Any], dict[str, Any]]:
    """Read the channels of one image.

    Args:
        paths: One for each channel, see `read_channels`; `PATH#UID` for a series of several.
        tilt: See `read_volume`.
        gaps: Likewise.

    Returns:
        `(C, I, J, K)` in the grid of the first, see `narrow`, and its place.

    Raises:
        InputError: See `read_channels`.
    """
    image = read_channels(list(map(parse_source, paths)), tilt=tilt, gaps=gaps)
    array = narrow(on_first_grid(image))
    affine = at_right_angles(image.affine, image.shape)
    return array, place_of(affine, array.shape[1:], channel_dim=0)
