"""PNG, JPEG and BMP files, read with pillow."""

from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import jpeg_factory
from PIL.PngImagePlugin import PngImageFile

from medseg.data.images.damage import damage_as_value_error
from medseg.data.images.samples import (
    Content,
    Samples,
    loss_doubt,
    pages_refusal,
    palette_doubt,
    picture_refusal,
    turn_doubt,
    without_opaque,
)
from medseg.data.limits import require_voxels
from medseg.data.problems import Where

__all__ = ["plain_samples", "read_pillow"]

# Opened by content, and no other format: some run programs (EPS), some hold films.
_OPENERS: dict[bytes, Any] = {
    b"\x89PNG\r\n\x1a\n": PngImageFile,
    b"\xff\xd8\xff": jpeg_factory,
    b"BM": BmpImageFile,
}
# Bytes that a compressed byte can become: 1032 in PNG, about as many in JPEG.
_MOST = 2000
_DEEP = ("I;16", "I;16B", "I;16L", "I;16N")
_COLOUR = ("RGB", "RGBA", "RGBX", "LA", "P", "PA")
# EXIF's tag of how a picture is to be turned.
_ORIENTATION = 0x0112
# Pillow spreads grey values of 2 and 4 bits over 0 to 255.
_SPREAD = {"L;2": 85, "L;4": 17}


def read_pillow(path: Path, content: Content, *, where: Where) -> Samples:
    """Read a PNG, JPEG or BMP file.

    Raises:
        InputError: If it holds several pages, transparency, or colours that pillow would change.
        OSError, ValueError: If it is damaged, or of another format.
    """
    with damage_as_value_error(), path.open("rb") as file:
        head = file.read(8)
        file.seek(0)
        opener = next((one for magic, one in _OPENERS.items() if head.startswith(magic)), None)
        if opener is None:
            raise ValueError("its content is none of PNG, TIFF, JPEG, BMP")
        image: Image.Image = opener(file)
        # Phones put previews and depth maps behind the picture (MPO).
        pages = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
        if pages > 1:
            raise pages_refusal(path, where, pages)
        size = (*image.size, len(image.getbands()))
        if np.prod(size, dtype=float) > _MOST * path.stat().st_size:
            raise ValueError(f"its header states {image.width} x {image.height} pixels")
        require_voxels(path, size, where=where)
        return plain_samples(path, image, content, where)


def plain_samples(path: Path, image: Image.Image, content: Content, where: Where) -> Samples:
    """Decode an opened image: grey, RGB, or the indices of a palette.

    Raises:
        InputError: If it has transparency, or colours that pillow would change.
    """
    # Pillow has no types for tiles; the last entry of one is the raw mode of its bytes.
    raw_mode = str(cast("Any", image).tile[-1][-1]) if cast("Any", image).tile else ""
    if image.mode in _COLOUR and ";16" in raw_mode:
        what = "has 16-bit colours, of which only 8 bit could be read"
        raise picture_refusal(path, where, what, "save it with 8 bit a channel, or as TIFF")
    if image.mode not in (*_DEEP, *_COLOUR, "1", "L", "F"):
        what = f"has colour mode {image.mode}"
        raise picture_refusal(path, where, what, "save it as RGB or grey")
    # Pillow takes the tag off a TIFF when it turns it.
    orientation = int(image.getexif().get(_ORIENTATION, 1))
    upright = image if orientation == 1 else ImageOps.exif_transpose(image)
    samples = _samples(path, upright, raw_mode, content, where)
    doubts = (*samples.doubts, *turn_doubt(orientation, where))
    if content == "label" and "jpeg" in (str(image.format).lower(), image.info.get("compression")):
        doubts = (*doubts, *loss_doubt(where))
    return samples._replace(doubts=doubts)


def _samples(
    path: Path, picture: Image.Image, raw_mode: str, content: Content, where: Where
) -> Samples:
    if picture.mode == "1":
        # Pillow's booleans are bytes of 0 and 255.
        return Samples(np.asarray(picture.convert("L"))[None] // 255, "bool", 1)
    if picture.mode in _DEEP:
        array = np.asarray(picture)
        return Samples(array.astype(np.uint16)[None], "uint16", 65535)
    if picture.mode == "F":
        return Samples(np.asarray(picture)[None], "float32", None)
    if content == "label" and picture.mode == "P":
        indices = np.asarray(picture)
        colours = np.reshape(picture.getpalette() or [], (-1, 3))
        return Samples(indices[None], "uint8", 255, palette_doubt(indices, colours, where))
    array = _colours(path, picture, where)
    if content == "label" and raw_mode in _SPREAD:
        return Samples(array // _SPREAD[raw_mode], "uint8", 255 // _SPREAD[raw_mode])
    return Samples(array, "uint8", 255)


def _colours(path: Path, picture: Image.Image, where: Where) -> NDArray[np.uint8]:
    """`(C, I, J)` without an alpha channel, which has to be opaque."""
    grey = picture.mode in ("L", "LA")
    if picture.mode in ("L", "RGB", "RGBX") and "transparency" not in picture.info:
        array = np.asarray(picture.convert("RGB") if picture.mode == "RGBX" else picture)
        return array[None] if grey else np.moveaxis(array, -1, 0)
    full = np.moveaxis(np.asarray(picture.convert("RGBA")), -1, 0)
    return without_opaque(path, full[:1] if grey else full[:3], full[3], 255, where)
