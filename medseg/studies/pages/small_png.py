"""Small PNG files, for pages in a repository of text: fewer colours and pixels if need be."""

import io

from PIL import Image

__all__ = ["small_png"]

_MOST_BYTES = 140_000
_FACTOR = 0.85
_COLOURS = 256


def small_png(image: Image.Image, most_bytes: int = _MOST_BYTES) -> bytes:
    """A picture as PNG that is small enough: as it is, with a palette, or scaled down too."""
    image = image.convert("RGB")
    content = _png(image)
    while len(content) > most_bytes and min(image.size) > 1:
        content = _png(image.quantize(_COLOURS))
        width, height = (max(1, int(length * _FACTOR)) for length in image.size)
        image = image.resize((width, height))
    return content


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
