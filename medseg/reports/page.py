"""Page of panels: a heading, rows of panels, a legend and a note, all within its width."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw

from medseg.data.colours import Colour
from medseg.reports.lettering import drawable, font, shortened, width_of, wrapped
from medseg.reports.panels import Panel, draw_panel

__all__ = ["CELL", "COMPRESSION", "Entry", "Heading", "compose"]

# Compression of a page as PNG: half the time of zlib's default, for a tenth more bytes.
COMPRESSION = 4
# Width of a panel.
CELL = 440

_WHITE, _BLACK, _DIM, _AMBER = (255, 255, 255), (0, 0, 0), (170, 170, 170), (255, 190, 70)
_GAP, _EDGE = 8, 24
_TITLE, _TEXT, _SMALL = 30, 20, 17
_LEADING = 1.3
_MOST_TITLE, _MOST_CAUTION, _MOST_NOTE = 2, 3, 4


@dataclass(frozen=True)
class Entry:
    """Legend entry: a class with its colour, or with several; without any, the white line."""

    text: str
    colour: Colour | None
    more: tuple[Colour, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What stands above the panels.

    Attributes:
        title: In large type.
        made_by: What made the label, in small type; may be empty.
        cautions: What a reader has to know, in amber.
    """

    title: str
    made_by: str = ""
    cautions: Sequence[str] = ()


@dataclass(frozen=True)
class _Line:
    text: str
    size: int
    colour: Colour


def compose(
    heading: Heading | str,
    rows: Sequence[Sequence[Panel]],
    legend: Sequence[Entry],
    note: str,
    *,
    cell: int = CELL,
) -> Image.Image:
    """Compose a page: heading, rows of panels, legend, a note in small type.

    Args:
        heading: With all its parts, or the title alone.
        rows: Panels, row by row.
        legend: Entries, in as many lines as they need.
        note: What holds for all panels.
        cell: Width of a panel in pixels.
    """
    drawn = [[draw_panel(panel, cell) for panel in row] for row in rows]
    heights = [max(one.height for one in row) for row in drawn]
    columns = max(len(row) for row in drawn)
    width = 2 * _EDGE + columns * (cell + _GAP) - _GAP
    inner = width - 2 * _EDGE
    above = _heading_lines(Heading(title=heading) if isinstance(heading, str) else heading, inner)
    lines, notes = _flow(legend, inner), _lines(note, _SMALL, _DIM, inner, _MOST_NOTE)
    top = 2 * _EDGE + _height(above)
    below = top + sum(heights) + _GAP * len(heights) + _EDGE // 2
    height = below + 2 * _TEXT * (len(lines) + 1) + max(0, _height(notes) - _SMALL)
    page = Image.new("RGB", (width, height), _BLACK)
    pen = ImageDraw.Draw(page)
    _write(pen, above, _EDGE)
    for row, row_height in zip(drawn, heights, strict=True):
        for column, one in enumerate(row):
            left = _EDGE + column * (cell + _GAP)
            page.paste(one, (left + (cell - one.width) // 2, top))
        top += row_height + _GAP
    for i, line in enumerate(lines):
        _write_entries(pen, line, below + i * 2 * _TEXT)
    _write(pen, notes, below + len(lines) * 2 * _TEXT)
    return page


def _heading_lines(heading: Heading, width: int) -> list[_Line]:
    title = drawable(heading.title)
    size = _TITLE if width_of(title, _TITLE) <= width else _TEXT
    lines = _lines(heading.title, size, _WHITE, width, _MOST_TITLE)
    lines += _lines(heading.made_by, _SMALL, _DIM, width, 1)
    for caution in heading.cautions:
        lines += _lines(caution, _TEXT, _AMBER, width, _MOST_CAUTION)
    return lines


def _lines(text: str, size: int, colour: Colour, width: int, most: int) -> list[_Line]:
    return [_Line(line, size, colour) for line in wrapped(drawable(text), size, width, most)]


def _height(lines: Sequence[_Line]) -> int:
    """From the top of the first line to the foot of the last."""
    return sum(round(_LEADING * line.size) for line in lines[:-1]) + sum(
        line.size for line in lines[-1:]
    )


def _write(pen: ImageDraw.ImageDraw, lines: Sequence[_Line], top: int) -> None:
    for line in lines:
        pen.text((_EDGE, top), line.text, line.colour, font(line.size))
        top += round(_LEADING * line.size)


def _flow(legend: Sequence[Entry], width: int) -> list[list[tuple[float, Entry]]]:
    """Entries in lines, each with its distance from the left."""
    lines: list[list[tuple[float, Entry]]] = []
    x = float(width)
    for entry in legend:
        text = shortened(drawable(entry.text), _TEXT, width - 2 * _TEXT)
        needed = 2 * _TEXT + width_of(text, _TEXT) + _EDGE
        if not lines or x + needed - _EDGE > width:
            lines.append([])
            x = 0.0
        lines[-1].append((x, replace(entry, text=text)))
        x += needed
    return lines


def _write_entries(pen: ImageDraw.ImageDraw, line: list[tuple[float, Entry]], top: int) -> None:
    for x, entry in line:
        left = _EDGE + x
        _draw_swatch(pen, entry, left, top)
        pen.text((left + 1.5 * _TEXT, top - 2), entry.text, _WHITE, font(_TEXT))


def _draw_swatch(pen: ImageDraw.ImageDraw, entry: Entry, left: float, top: int) -> None:
    if entry.colour is None:
        pen.rectangle((left, top, left + _TEXT, top + _TEXT), outline=_WHITE)
        return
    colours = (entry.colour, *entry.more)
    part = _TEXT / len(colours)
    for k, colour in enumerate(colours):
        pen.rectangle((left + k * part, top, left + (k + 1) * part, top + _TEXT), fill=colour)
