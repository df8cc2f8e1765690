"""Numbers of rows in a plot stand near their points and not on one another."""

import dataclasses
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.studies.pages.contents import Contents, Repeats
from medseg.studies.pages.cost_plot import cost_figure, named_rows, spread
from tests.studies.pages.example import STUDY, SUMMARY, results

heights = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(heights)
def test_numbers_keep_their_order_and_their_distance(wanted):
    places = spread(wanted, 0.1)
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    gaps = [places[b] - places[a] for a, b in pairwise(order)]
    assert all(gap >= 0.1 - 1e-9 for gap in gaps)


@given(heights)
def test_numbers_are_moved_about_their_middle(wanted):
    assert sum(spread(wanted, 0.1)) == pytest.approx(sum(wanted))


def test_numbers_that_are_apart_stay():
    assert spread([0.5, 0.1, 0.9], 0.1) == pytest.approx([0.5, 0.1, 0.9])


def test_each_scored_row_has_a_point_in_both_panels(tmp_path):
    contents = Contents(study=STUDY, results=results(tmp_path), summary=SUMMARY, repeats=Repeats())
    time, size, names = cost_figure(contents).axes
    points = [line.get_xydata()[0] for line in size.lines if len(line.get_xdata()) == 1]
    assert [x for x, _ in points] == [1_940_000, 7_760_000, 1_940_000]
    assert [y for _, y in points] == [0.865, 0.925, 0.765]
    assert [text.get_text() for text in time.texts] == ["0", "1", "2"]
    assert names.texts[0].get_text().splitlines() == [
        "0  baseline",
        "1  width=64",
        "2  loss=jaccard",
    ]


def test_of_many_rows_those_are_named_that_no_other_beats():
    baseline, *_ = SUMMARY.rows

    def row(name, mean, finding="no evidence"):
        score = dataclasses.replace(baseline.score, mean=mean)
        return dataclasses.replace(baseline, row=name, score=score, finding=finding)

    rows = [row("baseline", 0.8), row("best", 0.9), row("cheap", 0.7), row("bad", 0.5, "worse")]
    rows += [row(f"between {n}", 0.75) for n in range(30)]
    costs = [10.0, 10.0, 1.0, 20.0, *[15.0] * 30]
    assert named_rows(rows, costs, "dsc") == [0, 1, 2, 3]
    # Of a distance, less is better: the cheap row beats the best, and nothing the cheapest but it.
    assert named_rows(rows, costs, "hd95_mm") == [0, 2, 3]
    assert named_rows(rows[:5], costs[:5], "dsc") == [0, 1, 2, 3, 4]
