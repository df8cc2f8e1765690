"""Panels of a page: one slice with its label, its sides, a scale and numbers.

Pillow instead of matplotlib: pixels are placed and coloured exactly, and neither a display nor a
font cache is needed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from medseg.data.colours import PALETTE, class_colour
from medseg.reports.lettering import drawable, font, width_of

__all__ = ["LabelAs", "Mark", "Panel", "draw_panel"]

Mask = NDArray[np.bool_]
LabelAs = Literal["filled", "outlined", "framed"]

_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_TALLEST = 1.3
_FILL, _SHADE, _FINE = 0.15, 0.35, 0.35
_BRIGHT = 150
_LINE = 2
_SMALL, _NUMBER = 17, 14
# Letters keep this distance from the edge, their dark rim included.
_INSET = 9
# With more values than this, outlines follow the pixels: a smooth one of each takes too long.
_SMOOTH = 40
# The bar of the scale is at most this share of the panel.
_LONGEST_BAR = 0.3


@dataclass(frozen=True)
class Mark:
    """A short text at a place of a panel, in shares of its width and height."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """One slice, `rows` downwards and `columns` to the right.

    Attributes:
        grey: `(rows, columns)`, 8 bit; or, in colour, `(rows, columns, 3)`.
        label: `(rows, columns)`, class indices.
        reference: `(rows, columns)`, class indices, drawn as a white line; or None.
        size_mm: Width and height.
        caption: Position of the slice.
        label_as: A light fill with its outline, or the outline alone; `framed` is an outline along
            the picture's edge as well, for pictures that show all there is.
        sides: Names of the left and the right of the picture, if any.
        ends: Names of its top and its bottom, if any.
        unit: Unit of `size_mm` for a bar of scale, `mm` or `px`; None draws none.
        marks: Numbers of objects.
        lines: Function from the panel's width and height in pixels to a mask of fine lines,
            `(height, width)`; or None.
    """

    grey: NDArray[np.uint8]
    label: NDArray[Any]
    reference: NDArray[Any] | None
    size_mm: tuple[float, float]
    caption: str
    label_as: LabelAs = "filled"
    sides: tuple[str, str] | None = ("R", "L")
    ends: tuple[str, str] | None = None
    unit: Literal["mm", "px"] | None = None
    marks: Sequence[Mark] = ()
    lines: Callable[[tuple[int, int]], Mask] | None = None


def draw_panel(panel: Panel, width: int) -> Image.Image:
    """Draw a panel at most `width` pixels wide, and not much higher."""
    width_mm, height_mm = panel.size_mm
    scale = min(width / width_mm, _TALLEST * width / height_mm)
    size = (max(1, round(width_mm * scale)), max(1, round(height_mm * scale)))
    picture = Image.fromarray(panel.grey).convert("RGB").resize(size, Image.Resampling.BICUBIC)
    pixels = np.asarray(picture, dtype=np.float32).copy()
    if panel.lines is not None:
        line = panel.lines(size)
        # Light lines on dark pixels, dark lines on light ones.
        bright = pixels[line].mean(axis=-1, keepdims=True) > _BRIGHT
        pixels[line] += _FINE * (np.where(bright, 0, 255) - pixels[line])
    values = _values(panel.label)
    if len(values) > _SMOOTH:
        _paint_many(pixels, panel, size)
    else:
        for value in values:
            _paint(pixels, _enlarged(panel.label == value, size), value, panel.label_as)
    if panel.reference is not None:
        line = _reference_line(panel.reference, size)
        # Darken around the line: white alone is invisible on bone.
        pixels[_outer(line)] *= _SHADE
        pixels[line] = _WHITE
    cell = Image.fromarray(pixels.round().astype(np.uint8))
    _letter(cell, panel)
    return cell


def _paint(pixels: NDArray[np.float32], inside: Mask, value: int, label_as: LabelAs) -> None:
    """Draw one class: its outline, and a fill or a dark rim."""
    colour = np.array(class_colour(value), dtype=np.float32)
    # A label of all of the picture has no outline but its frame.
    line = _outline(inside, _LINE, beyond=label_as != "framed")
    if label_as == "filled":
        # A factor of 0 outside is ten times as fast as picking the pixels inside.
        pixels += (np.float32(_FILL) * inside)[..., None] * (colour - pixels)
    else:
        # Darken around the line: the picture may have a similar colour.
        pixels[_outline(_outer(inside), 1)] *= _SHADE
    pixels[line] = colour


def _paint_many(pixels: NDArray[np.float32], panel: Panel, size: tuple[int, int]) -> None:
    """Draw many objects at once, each in one of the colours."""
    label = _nearest(panel.label, size)
    colours = np.array([(0, 0, 0), *PALETTE], dtype=np.float32)
    of_pixel = colours[np.where(label > 0, (label - 1) % len(PALETTE) + 1, 0)]
    inside, line = label > 0, _borders(label) & (label > 0)
    if panel.label_as == "filled":
        pixels += (np.float32(_FILL) * inside)[..., None] * (of_pixel - pixels)
    pixels[line] = of_pixel[line]


def _reference_line(reference: NDArray[Any], size: tuple[int, int]) -> Mask:
    values = _values(reference)
    if len(values) > _SMOOTH:
        label = _nearest(reference, size)
        return _borders(label) & (label > 0)
    lines = [_outline(_enlarged(reference == value, size), 1) for value in values]
    return np.logical_or.reduce([np.zeros(size[::-1], dtype=bool), *lines])


def _nearest(label: NDArray[Any], size: tuple[int, int]) -> NDArray[np.int64]:
    columns, rows = (
        np.minimum((np.arange(n) + 0.5) * have / n, have - 1).astype(int)
        for n, have in zip(size, label.shape[::-1], strict=True)
    )
    return label[np.ix_(rows, columns)].astype(np.int64)


def _borders(label: NDArray[np.int64]) -> Mask:
    """Pixels beside one of another value."""
    line = np.zeros(label.shape, dtype=bool)
    across, down = label[:, 1:] != label[:, :-1], label[1:] != label[:-1]
    line[:, 1:] |= across
    line[:, :-1] |= across
    line[1:] |= down
    line[:-1] |= down
    return line


def _values(label: NDArray[Any]) -> list[int]:
    return [int(value) for value in np.unique(label) if value > 0]


def _enlarged(mask: Mask, size: tuple[int, int]) -> Mask:
    # A smooth contour halfway between voxel centres, not in voxel steps.
    share = Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(share) > 127


def _outer(mask: Mask) -> Mask:
    return ndimage.binary_dilation(mask, iterations=1)


def _outline(mask: Mask, width: int, *, beyond: bool = True) -> Mask:
    """The outermost pixels; `beyond`: whether the mask is taken to go on beyond the picture."""
    inner: Mask = ndimage.binary_erosion(mask, iterations=width, border_value=int(beyond))
    return mask & ~inner


def _letter(cell: Image.Image, panel: Panel) -> None:
    pen = ImageDraw.Draw(cell)
    right, bottom = cell.width - _INSET, cell.height - _INSET
    left_name, right_name = panel.sides or ("", "")
    top_name, bottom_name = panel.ends or ("", "")
    # Below the caption, if that reaches to the middle.
    is_long = (
        2 * (_INSET + width_of(panel.caption.split("\n")[0], _SMALL)) > cell.width - 2 * _SMALL
    )
    top = _INSET + (1.3 * _SMALL if is_long else 0)
    for mark in panel.marks:
        at = (mark.x * cell.width, mark.y * cell.height)
        _text(pen, at, mark.text, "mm", _NUMBER)
    for at, text, anchor in (
        ((_INSET, cell.height / 2), left_name, "lm"),
        ((right, cell.height / 2), right_name, "rm"),
        ((cell.width / 2, top), top_name, "ma"),
        ((cell.width / 2, bottom), bottom_name, "md"),
        ((_INSET, 5), panel.caption, "la"),
    ):
        _text(pen, at, text, anchor, _SMALL)
    if panel.unit is not None:
        _draw_scale(pen, panel, cell.size)


def _draw_scale(pen: ImageDraw.ImageDraw, panel: Panel, size: tuple[int, int]) -> None:
    """A bar of a round length at the bottom right, if the panel has room for it."""
    width, height = size
    per_mm = width / panel.size_mm[0]
    length = _round_length(_LONGEST_BAR * panel.size_mm[0])
    if height < 5 * _SMALL or width < 8 * _SMALL:
        return
    left, top = width - _INSET - length * per_mm, height - _INSET - 3
    pen.rectangle((left - 2, top - 2, width - _INSET + 2, top + 5), fill=_BLACK)
    pen.rectangle((left, top, width - _INSET, top + 3), fill=_WHITE)
    _text(pen, (width - _INSET, top - 4), f"{length:g} {panel.unit}", "rd", _SMALL)


def _round_length(most: float) -> float:
    """The largest of 1, 2, 5, 10, 20, ... that is not above `most`."""
    power = 10.0 ** floor(log10(most))
    return next(step * power for step in (5, 2, 1) if step * power <= most * (1 + 1e-9))


def _text(
    pen: ImageDraw.ImageDraw, at: tuple[float, float], text: str, anchor: str, size: int
) -> None:
    lines = "\n".join(map(drawable, text.split("\n")))
    style: dict[str, Any] = {"font": font(size), "stroke_width": 2, "stroke_fill": _BLACK}
    pen.text(at, lines, _WHITE, anchor=anchor, **style)
