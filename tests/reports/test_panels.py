"""What the drawing of a page promises."""

import numpy as np
import pytest

from medseg.data.colours import class_colour
from medseg.reports.lettering import drawable, shortened, width_of, wrapped
from medseg.reports.page import Entry, Heading, compose
from medseg.reports.panels import Mark, Panel, draw_panel


def panel(rows=8, columns=8, size_mm=(8.0, 8.0)):
    grey = np.zeros((rows, columns), dtype=np.uint8)
    return Panel(grey=grey, label=grey, reference=None, size_mm=size_mm, caption="S 1 mm")


def test_seven_classes_have_seven_colours_that_differ_in_brightness_or_hue():
    colours = np.array([class_colour(value) for value in range(1, 8)], dtype=int)
    apart = np.abs(colours[:, None] - colours[None]).sum(axis=-1)
    assert apart[~np.eye(7, dtype=bool)].min() > 60
    assert class_colour(8) == class_colour(1)


WHITE, BLACK, AMBER = (255, 255, 255), (0, 0, 0), (255, 190, 70)


def coloured(page, colour):
    """Columns and rows of the pixels of one colour."""
    rows, columns = np.nonzero((np.asarray(page) == np.array(colour)).all(axis=-1))
    return columns, rows


def test_a_note_that_is_wider_than_the_page_goes_on_below_and_is_not_cut():
    note = "Patient's right on the left. Slices at mm from the scanner's origin. " * 3
    page = compose("c", [[panel()]], [], note)
    columns, rows = coloured(page, (170, 170, 170))
    assert columns.max() < page.width - 20
    assert rows.max() < page.height - 10
    assert page.height > compose("c", [[panel()]], [], "short").height


def test_a_long_title_is_whole_and_a_longer_one_loses_its_middle():
    uid = "1.2.826.0.1.3680043.2.1125.1.18085492126195434258212517481071422"
    page = compose(uid, [[panel()]], [], "")
    assert "".join(wrapped(uid, 20, page.width - 48, 2)) == uid
    very_long = "left_" * 60 + "end"
    short = shortened(very_long, 20, 400)
    assert width_of(short, 20) <= 400
    assert (short[:5], short[-3:]) == ("left_", "end")
    columns, _ = coloured(compose(very_long, [[panel()]], [], ""), WHITE)
    assert columns.max() < page.width - 20


def test_a_caution_stands_in_amber_above_the_panels():
    plain = compose(Heading(title="c"), [[panel()]], [], "")
    told = compose(Heading(title="c", cautions=["Research only"]), [[panel()]], [], "")
    assert told.height > plain.height
    _, rows = coloured(told, AMBER)
    assert 24 < rows.min() < rows.max() < 24 + told.height - plain.height + 54
    assert not coloured(plain, AMBER)[0].size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("left lung", "left lung"),
        (
            "M\u00fcller, \u0418\u0432\u0430\u043d\u043e\u0432",
            "M\u00fcller, \u0418\u0432\u0430\u043d\u043e\u0432",
        ),
        ("\u5f20", r"\u5f20"),
        ("a\x1b[31m", r"a\x1b[31m"),
    ],
)
def test_letters_that_the_font_lacks_are_written_as_their_code(text, expected):
    assert drawable(text) == expected


def test_letters_at_the_edges_are_whole():
    cell = np.asarray(draw_panel(panel(), 440)).astype(int)
    # The letters' dark rim on black leaves the outermost pixels dark.
    for edge in (cell[:, :3], cell[:, -3:]):
        assert not edge.any()
    assert (cell[200:240, -30:] == 255).all(axis=-1).any()


@pytest.mark.parametrize(
    ("width_mm", "pixels", "length"),
    [(300.0, 440, 50), (160.0, 440, 20), (35.0, 440, 10), (8.0, 440, 2), (700.0, 440, 200)],
)
def test_a_bar_has_a_round_length_of_the_scale(width_mm, pixels, length):
    grey = np.zeros((64, 64), np.uint8)
    drawn = Panel(
        grey=grey,
        label=grey,
        reference=None,
        size_mm=(width_mm, width_mm),
        caption="",
        sides=None,
        unit="mm",
    )
    cell = np.asarray(draw_panel(drawn, pixels))
    row = (cell[pixels - 11] == 255).all(axis=-1)
    assert row.sum() == pytest.approx(length * pixels / width_mm, abs=2)


def test_objects_have_their_numbers_at_their_places():
    grey = np.zeros((64, 64), np.uint8)
    options = {"grey": grey, "label": grey, "reference": None, "size_mm": (64.0, 64.0)}
    drawn = Panel(**options, caption="", sides=None, marks=[Mark(x=0.25, y=0.75, text="12")])
    columns, rows = coloured(draw_panel(drawn, 440), WHITE)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(110, abs=3)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(330, abs=3)


@pytest.mark.parametrize("objects", [9, 100])
def test_few_and_many_objects_are_drawn_in_the_same_places(objects):
    side = int(objects**0.5)
    tall = 110 // side
    label = np.zeros((110, 110), np.uint16)
    for k in range(objects):
        i, j = divmod(k, side)
        label[i * tall + 2 : (i + 1) * tall - 2, j * tall + 2 : (j + 1) * tall - 2] = k + 1
    grey = np.zeros(label.shape, np.uint8)
    cell = draw_panel(
        Panel(
            grey=grey, label=label, reference=None, size_mm=(110.0, 110.0), caption="", sides=None
        ),
        440,
    )
    shown = np.asarray(cell).any(axis=-1)
    expected = np.kron(label > 0, np.ones((4, 4), bool))
    assert (shown == expected).mean() > 0.97
    _, rows = coloured(cell, class_colour(2))
    # The second object is the second of the first row, between 2 and `tall - 2` pixels below it.
    assert rows.min() == pytest.approx(8, abs=3)


@pytest.mark.parametrize(("label_as", "visible"), [("outlined", False), ("framed", True)])
def test_a_label_of_all_of_a_picture_is_seen_if_it_is_framed(label_as, visible):
    grey = np.zeros((8, 8), np.uint8)
    drawn = Panel(
        grey=grey,
        label=grey + 1,
        reference=None,
        size_mm=(8.0, 8.0),
        caption="",
        label_as=label_as,
        sides=None,
    )
    assert bool(coloured(draw_panel(drawn, 440), class_colour(1))[0].size) == visible


def test_a_long_legend_goes_on_in_the_next_line():
    short = compose("c", [[panel()]], [Entry("lung", (1, 2, 3))], "")
    long = compose("c", [[panel()]], [Entry("a rather long name", (1, 2, 3))] * 4, "")
    # 440 pixels hold one such name beside its swatch, not two
    assert long.height == short.height + 3 * 40
    assert long.width == short.width


@pytest.mark.parametrize(
    ("size_mm", "height"),
    [((8.0, 4.0), 220), ((8.0, 8.0), 440), ((8.0, 80.0), 572)],  # at most 1.3 * 440
)
def test_a_row_is_as_high_as_its_panels_in_mm_and_never_much_more(size_mm, height):
    page = compose("c", [[panel(size_mm=size_mm)]], [], "")
    flat = compose("c", [[panel(size_mm=(8.0, 8 / 440))]], [], "")
    assert page.height - flat.height == height - 1
