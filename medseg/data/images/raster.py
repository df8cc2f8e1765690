"""PNG, TIFF, JPEG and BMP files: 2-D images, grey or RGB, without spacing.

The libraries that decode these formats change some of them silently: 16-bit colours become 8 bit, a
stack its first page, a palette numbers where colours were meant, white black. Here each is
requested explicitly or refused. The format is seen in the content, not in the name. Spacing is
unknown: the resolution in such files is that of a screen or a printer.

An image is brightness from 0 to 255, whatever its bits: of 16 bits, 65535 becomes 255. A label is
the numbers as stored.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from medseg.data.images.damage import one_line_errors
from medseg.data.images.pillow_file import read_pillow
from medseg.data.images.samples import Content, Samples
from medseg.data.images.tiff import is_tiff, read_tiff
from medseg.data.limits import require_regular_file
from medseg.data.problems import Problem, Where, refusal

__all__ = ["Content", "Pixels", "read_pixels", "read_raster"]

_WHITE = 255
# Of an image whose values use less of their type's range than this, the range is not that of light.
_LITTLE = 1 / 8


class Pixels(NamedTuple):
    """Content of a picture.

    Attributes:
        array: `(C, I, J)`; see `read_raster`.
        dtype: Type of the stored values.
        doubts: Warnings about ambiguities of the file.
    """

    array: NDArray[Any]
    dtype: str
    doubts: tuple[Problem, ...]


def read_raster(
    path: str | Path, content: Content = "any", *, where: Where = "image"
) -> NDArray[Any]:
    """Read one image.

    Args:
        path: The file.
        content: Expected content. `grey` is one channel, which may be stored as RGB with equal
            channels; `rgb` is three channels, in this order; `any` is one or three as stored.
            `label` is `grey`, and the numbers as stored: the indices, not the colours, of a
            palette.
        where: Whether errors mention an image or a label.

    Returns:
        `(C, I, J)`, C = 1 or 3, I = row from the top, J = column from the left, as in a viewer.
        An image has brightness from 0 to 255: uint8, or float32 where it has more bits. Grey
        values of a type without a value of white (floats, signed, of 32 bits) stay as they are.

    Raises:
        InputError: If the file is missing or damaged, has several pages, transparency, colours
            that cannot be read in full, a colour space other than RGB, or colours where grey values
            are expected.
    """
    return read_pixels(path, content, where=where).array


def read_pixels(path: str | Path, content: Content = "any", *, where: Where = "image") -> Pixels:
    """Read one image with its type and what is doubtful; see `read_raster`."""
    path = Path(path)
    require_regular_file(path, where=where)
    with one_line_errors(path, where, "an image"):
        read = read_tiff if is_tiff(path) else read_pillow
        samples = read(path, content, where=where)
    samples = _as_expected(path, samples, content, where)
    if content == "label":
        return Pixels(samples.array, samples.dtype, samples.doubts)
    doubts = (*samples.doubts, *filter(None, [_range_doubt(samples, where)]))
    return Pixels(_brightness(path, samples, content, where), samples.dtype, doubts)


def _as_expected(path: Path, samples: Samples, content: Content, where: Where) -> Samples:
    channels = samples.array
    if content == "rgb" and len(channels) == 1:
        return samples._replace(array=np.repeat(channels, 3, axis=0))
    if content in ("grey", "label") and len(channels) == 3:
        if (channels != channels[:1]).any():
            what = "holds colours where grey values are expected"
            remedy = "save the class numbers as grey values" if content == "label" else "convert it"
            raise refusal(path, Problem("error", where, what, remedy))
        return samples._replace(array=channels[:1])
    return samples


def _brightness(path: Path, samples: Samples, content: Content, where: Where) -> NDArray[Any]:
    """Brightness from 0 to 255, or grey values without a range as they are."""
    if samples.white is None:
        if content == "rgb" or len(samples.array) == 3:
            what = f"holds colours of type {samples.dtype}, which has no agreed value of white"
            remedy = "save it with 8 or 16 bits a channel"
            raise refusal(path, Problem("error", where, what, remedy))
        return samples.array
    if _WHITE % samples.white == 0:
        return samples.array.astype(np.uint8, copy=False) * np.uint8(_WHITE // samples.white)
    return samples.array.astype(np.float32) * np.float32(_WHITE / samples.white)


def _range_doubt(samples: Samples, where: Where) -> Problem | None:
    if samples.white is None:
        what = f"holds grey values of type {samples.dtype}, which has no agreed value of white"
        remedy = "fine for recipes that scale by the image's own values; else save it with 16 bits"
    elif samples.white <= _WHITE:
        return None
    elif samples.array.max(initial=0) < _LITTLE * samples.white:
        what = (
            f"uses less than an eighth of the range of {samples.dtype}, so that it is dark once "
            f"{samples.white} is brought to {_WHITE}"
        )
        remedy = "scale its values so that white is the type's largest"
    else:
        what = f"holds {samples.dtype}, brought to 0 to {_WHITE} by the type's range"
        remedy = f"fine if white is {samples.white}; else scale its values"
    return Problem("warning", where, what, remedy)
