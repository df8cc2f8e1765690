"""PNG, TIFF, JPEG and BMP files: 2-D images, grey or RGB, without spacing.

Pillow decodes these formats but changes some of them silently: 16-bit colours become 8 bit, a stack
its first page, a palette numbers where colours were meant. Here each is requested explicitly or
refused. Spacing is unknown: the resolution in such files is that of a screen or a printer.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from medseg.data.problems import InputError, Problem, Where, refusal

__all__ = ["Content", "read_raster"]

Content = Literal["any", "grey", "rgb", "label"]
GREY = ("1", "L", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")
COLOUR = ("RGB", "RGBA", "LA", "P", "PA", "RGBX")


def read_raster(
    path: str | Path, content: Content = "any", *, where: Where = "image"
) -> NDArray[Any]:
    """Read one image.

    Args:
        path: The file.
        content: Expected content. `grey` is one channel, which may be stored as RGB with equal
            channels; `rgb` is three channels, in this order; `any` is one or three as stored.
            `label` is `grey`, and the indices, not the colours, of a palette.
        where: Whether errors mention an image or a label.

    Returns:
        `(C, I, J)`, C = 1 or 3, I = row from the top, J = column from the left, as in a viewer;
        of the file's type.

    Raises:
        InputError: If the file is missing or damaged, has several pages, transparency, 16-bit
            colours, a colour space other than RGB, or colours where grey values are expected.
    """
    path = Path(path)
    with _one_line_errors(path, where), Image.open(path) as image:
        _refuse_what_pillow_changes(path, image, where)
        picture = ImageOps.exif_transpose(_plain(path, image, content, where))
        # Pillow's booleans of a bitmap are bytes of 0 and 255.
        array = (
            np.asarray(picture.convert("L")) // 255 if picture.mode == "1" else np.asarray(picture)
        )
    channels = array[None] if array.ndim == 2 else np.moveaxis(array, -1, 0)
    return _as_expected(path, channels, content, where)


@contextmanager
def _one_line_errors(path: Path, where: Where) -> Generator[None]:
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError as error:
        remedy = "check the path and its folder"
        raise refusal(path, Problem("error", where, "not there", remedy)) from error
    except Image.DecompressionBombError as error:
        what = "too large to be read at once"
        raise refusal(path, Problem("error", where, what, "cut it into tiles")) from error
    # TypeError: raised for a TIFF without dimensions.
    except (OSError, SyntaxError, ValueError, TypeError, UnidentifiedImageError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].removesuffix(
            f" {str(path)!r}"
        )
        what = f"cannot be read as an image ({reason})"
        raise refusal(path, Problem("error", where, what, "copy or export it again")) from error


def _refuse_what_pillow_changes(path: Path, image: Image.Image, where: Where) -> None:
    pages = getattr(image, "n_frames", 1)
    if pages > 1:
        remedy = "save each page as a file of its own, or a stack of slices as NIfTI"
        raise refusal(path, Problem("error", where, f"holds {pages} pages", remedy))
    if image.mode not in GREY + COLOUR:
        what = f"has colour mode {image.mode}"
        raise refusal(path, Problem("error", where, what, "save it as RGB or grey"))
    # Pillow has no types for tiles; the last entry of one is the raw mode of its bytes.
    if image.mode in COLOUR and ";16" in str(cast("Any", image).tile):
        what = "has 16-bit colours, of which only 8 bit could be read"
        raise refusal(path, Problem("error", where, what, "save it with 8 bit a channel"))


def _plain(path: Path, image: Image.Image, content: Content, where: Where) -> Image.Image:
    """The image as grey or RGB, or the indices of a palette."""
    if image.mode == "P" and content == "label":
        return image
    if image.mode in GREY or image.mode in ("RGB", "RGBX"):
        return image if image.mode in GREY else image.convert("RGB")
    opaque = image.convert("RGBA")
    if np.asarray(opaque)[..., 3].min() < 255:
        what = "has transparent pixels"
        raise refusal(path, Problem("error", where, what, "save it without transparency"))
    return image.convert("L" if image.mode == "LA" else "RGB")


def _as_expected(
    path: Path, channels: NDArray[Any], content: Content, where: Where
) -> NDArray[Any]:
    if content == "rgb" and len(channels) == 1:
        return np.repeat(channels, 3, axis=0)
    if content in ("grey", "label") and len(channels) == 3:
        if (channels != channels[:1]).any():
            what = "holds colours where grey values are expected"
            remedy = "save the class numbers as grey values" if content == "label" else "convert it"
            raise refusal(path, Problem("error", where, what, remedy))
        return channels[:1]
    return channels
