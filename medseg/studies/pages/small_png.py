"""Small PNG files: a palette, and fewer pixels if need be, for pages in a repository of text."""

import io

from PIL import Image

__all__ = ["small_png"]

_MOST_BYTES = 140_000
_FACTOR = 0.85
_COLOURS = 128


def small_png(image: Image.Image, most_bytes: int = _MOST_BYTES) -> bytes:
    """A picture as PNG with a palette, scaled down until it is small enough."""
    image = image.convert("RGB")
    while True:
        out = io.BytesIO()
        image.quantize(_COLOURS).save(out, "PNG", optimize=True)
        width, height = image.size
        if out.tell() <= most_bytes or min(width, height) < 2:
            return out.getvalue()
        image = image.resize((max(1, int(width * _FACTOR)), max(1, int(height * _FACTOR))))
