"""The forest plot shows what the table says."""

import dataclasses

import pytest

from medseg.studies.pages.contents import Contents, Repeats
from medseg.studies.pages.forest_plot import forest_figure
from tests.studies.pages.example import STUDY, SUMMARY, comparison, results


@pytest.fixture
def contents(tmp_path):
    return Contents(study=STUDY, results=results(tmp_path), summary=SUMMARY, repeats=Repeats())


def drawn(axes):
    """Lines with two ends, each a row's interval, and points."""
    lines = [line.get_xydata().tolist() for line in axes.lines]
    return (
        [line for line in lines if len(line) == 2 and line[0][1] == line[1][1] and line[0][0]],
        [line[0] for line in lines if len(line) == 1],
    )


def test_a_row_is_its_difference_and_its_interval(contents):
    axes = forest_figure(contents).axes[0]
    intervals, points = drawn(axes)
    assert intervals == [[[0.05, 0], [0.07, 0]], [[-0.11, 1], [-0.09, 1]]]
    assert points == [[0.06, 0], [-0.1, 1]]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "1  width=64",
        "2  loss=jaccard",
    ]
    assert axes.texts[1].get_text() == "-0.1000 [-0.1100, -0.0900]   p 0.040   published: worse"


def test_the_band_is_what_cannot_be_seen(contents):
    (band,) = forest_figure(contents).axes[0].patches
    assert band.get_x() == pytest.approx(-0.0199)
    assert band.get_width() == pytest.approx(2 * 0.0199)


def test_a_row_far_off_does_not_press_the_others_together(contents):
    near = [comparison(f"near={n}", difference=0.01, difference_ci95=(0.0, 0.02)) for n in range(5)]
    far = comparison("far", difference=-0.6, difference_ci95=(-0.7, -0.5), finding="worse")
    summary = dataclasses.replace(SUMMARY, rows=(*near, far))
    names = tuple(one.row for one in summary.rows)
    many = dataclasses.replace(
        contents, summary=summary, results=dataclasses.replace(contents.results, rows=names)
    )
    axes = forest_figure(many).axes[0]
    assert axes.get_xlim()[0] > -0.2
    assert [axes.get_xlim()[0], 5] in drawn(axes)[1]


def test_without_a_compared_row_there_is_no_plot(contents):
    alone = dataclasses.replace(SUMMARY, rows=SUMMARY.rows[:1])
    assert forest_figure(dataclasses.replace(contents, summary=alone)) is None
