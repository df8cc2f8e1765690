"""What the drawing of a page promises."""

import numpy as np
import pytest

from medseg.reports.panels import Entry, Panel, class_colour, compose


def panel(rows=8, columns=8, size_mm=(8.0, 8.0)):
    grey = np.zeros((rows, columns), dtype=np.uint8)
    return Panel(grey=grey, label=grey, reference=None, size_mm=size_mm, caption="S 1 mm")


def test_seven_classes_have_seven_colours_that_differ_in_brightness_or_hue():
    colours = np.array([class_colour(value) for value in range(1, 8)], dtype=int)
    apart = np.abs(colours[:, None] - colours[None]).sum(axis=-1)
    assert apart[~np.eye(7, dtype=bool)].min() > 60
    assert class_colour(8) == class_colour(1)


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
