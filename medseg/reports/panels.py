"""Drawing of slices with label overlays, a title and a legend.

Pillow instead of matplotlib: pixels are placed and coloured exactly, the font is included, and
neither a display nor a font cache is needed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

__all__ = ["COMPRESSION", "Entry", "Panel", "class_colour", "compose"]

# Compression of a page as PNG: half the time of zlib's default, for a tenth more bytes.
COMPRESSION = 4

Colour = tuple[int, int, int]
Mask = NDArray[np.bool_]


# Okabe and Ito's palette (https://jfly.uni-koeln.de/color/), which colour-blind readers can
# distinguish, ordered by contrast with grey; without black, which is the background.
_PALETTE: tuple[Colour, ...] = (
    (86, 180, 233),
    (230, 120, 0),
    (240, 228, 66),
    (0, 178, 130),
    (204, 121, 167),
    (40, 130, 200),
    (213, 70, 20),
)
_WHITE, _BLACK, _DIM = (255, 255, 255), (0, 0, 0), (170, 170, 170)
_CELL, _GAP, _EDGE = 440, 8, 24
_TALLEST = 1.3
_FILL, _SHADE, _FINE = 0.28, 0.35, 0.35
_BRIGHT = 150
_LINE = 2
_TITLE, _TEXT, _SMALL = 30, 20, 17


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """One slice, `rows` downwards and `columns` to the right.

    Attributes:
        grey: `(rows, columns)`, 8 bit; or, in colour, `(rows, columns, 3)`.
        label: `(rows, columns)`, class indices.
        reference: `(rows, columns)`, class indices, drawn as a white line; or None.
        size_mm: Width and height.
        caption: Position of the slice.
        label_as: A fill with its outline, or the outline alone.
        sides: Names of the left and the right of the picture, if any.
        lines: Function from the panel's width and height in pixels to a mask of fine lines,
            `(height, width)`; or None.
    """

    grey: NDArray[np.uint8]
    label: NDArray[Any]
    reference: NDArray[Any] | None
    size_mm: tuple[float, float]
    caption: str
    label_as: Literal["filled", "outlined"] = "filled"
    sides: tuple[str, str] | None = ("R", "L")
    lines: Callable[[tuple[int, int]], Mask] | None = None


@dataclass(frozen=True)
class Entry:
    """Legend entry: a class with its colour, or, without a colour, the white line."""

    text: str
    colour: Colour | None


def class_colour(value: int) -> Colour:
    """Colour of a label value, from 1; the seven colours repeat."""
    return _PALETTE[(value - 1) % len(_PALETTE)]


def compose(
    title: str, rows: Sequence[Sequence[Panel]], legend: Sequence[Entry], note: str
) -> Image.Image:
    """Compose a page: title, rows of panels, legend, a note in small type."""
    drawn = [[_draw(panel) for panel in row] for row in rows]
    heights = [max(cell.height for cell in row) for row in drawn]
    columns = max(len(row) for row in drawn)
    width = 2 * _EDGE + columns * (_CELL + _GAP) - _GAP
    lines = _flow(legend, width - 2 * _EDGE)
    top = 2 * _EDGE + _TITLE
    below = top + sum(heights) + _GAP * len(heights) + _EDGE // 2
    height = below + (len(lines) + 1) * 2 * _TEXT
    page = Image.new("RGB", (width, height), _BLACK)
    pen = ImageDraw.Draw(page)
    pen.text((_EDGE, _EDGE), title, _WHITE, _font(_TITLE))
    for row, row_height in zip(drawn, heights, strict=True):
        for column, cell in enumerate(row):
            left = _EDGE + column * (_CELL + _GAP)
            page.paste(cell, (left + (_CELL - cell.width) // 2, top))
        top += row_height + _GAP
    for i, line in enumerate(lines):
        _write_line(pen, line, below + i * 2 * _TEXT)
    pen.text((_EDGE, below + len(lines) * 2 * _TEXT), note, _DIM, _font(_SMALL))
    return page


def _draw(panel: Panel) -> Image.Image:
    width_mm, height_mm = panel.size_mm
    scale = min(_CELL / width_mm, _TALLEST * _CELL / height_mm)
    size = (max(1, round(width_mm * scale)), max(1, round(height_mm * scale)))
    picture = Image.fromarray(panel.grey).convert("RGB").resize(size, Image.Resampling.BICUBIC)
    pixels = np.asarray(picture, dtype=np.float32).copy()
    if panel.lines is not None:
        line = panel.lines(size)
        # Light lines on dark pixels, dark lines on light ones.
        bright = pixels[line].mean(axis=-1, keepdims=True) > _BRIGHT
        pixels[line] += _FINE * (np.where(bright, 0, 255) - pixels[line])
    for value in _values(panel.label):
        inside = _enlarged(panel.label == value, size)
        line = _outline(inside, _LINE)
        if panel.label_as == "filled":
            pixels[inside] += _FILL * (np.array(class_colour(value)) - pixels[inside])
        else:
            # Without a fill, darken around the line: the picture may have a similar colour.
            pixels[_outline(_outer(inside), 1)] *= _SHADE
        pixels[line] = class_colour(value)
    if panel.reference is not None:
        lines = [
            _outline(_enlarged(panel.reference == v, size), 1) for v in _values(panel.reference)
        ]
        line = np.logical_or.reduce([np.zeros(size[::-1], dtype=bool), *lines])
        # Darken around the line: white alone is invisible on bone.
        pixels[_outer(line)] *= _SHADE
        pixels[line] = _WHITE
    cell = Image.fromarray(pixels.round().astype(np.uint8))
    _mark(cell, panel)
    return cell


def _values(label: NDArray[Any]) -> list[int]:
    return [int(value) for value in np.unique(label) if value > 0]


def _enlarged(mask: Mask, size: tuple[int, int]) -> Mask:
    # A smooth contour halfway between voxel centres, not in voxel steps.
    share = Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(share) > 127


def _outer(mask: Mask) -> Mask:
    return ndimage.binary_dilation(mask, iterations=1)


def _outline(mask: Mask, width: int) -> Mask:
    inner: Mask = ndimage.binary_erosion(mask, iterations=width, border_value=1)
    return mask & ~inner


def _mark(cell: Image.Image, panel: Panel) -> None:
    pen = ImageDraw.Draw(cell)
    middle = cell.height / 2
    left, right = panel.sides or ("", "")
    for x, text, anchor in ((6, left, "lm"), (cell.width - 6, right, "rm")):
        _text(pen, (x, middle), text, anchor)
    _text(pen, (6, 5), panel.caption, "la")


def _text(pen: ImageDraw.ImageDraw, at: tuple[float, float], text: str, anchor: str) -> None:
    pen.text(at, text, _WHITE, _font(_SMALL), anchor=anchor, stroke_width=2, stroke_fill=_BLACK)


def _flow(legend: Sequence[Entry], width: int) -> list[list[tuple[float, Entry]]]:
    lines: list[list[tuple[float, Entry]]] = []
    x = float(width)
    for entry in legend:
        needed = 2 * _TEXT + _font(_TEXT).getlength(entry.text) + _EDGE
        if x + needed > width:
            lines.append([])
            x = 0.0
        lines[-1].append((x, entry))
        x += needed
    return lines


def _write_line(pen: ImageDraw.ImageDraw, line: list[tuple[float, Entry]], top: int) -> None:
    for x, entry in line:
        left = _EDGE + x
        box = (left, top, left + _TEXT, top + _TEXT)
        pen.rectangle(box, fill=entry.colour, outline=entry.colour or _WHITE)
        pen.text((left + 1.5 * _TEXT, top - 2), entry.text, _WHITE, _font(_TEXT))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
