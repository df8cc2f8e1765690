"""Learning curves of a study: mean and range of the runs, epoch by epoch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.studies.pages.contents import Contents, Repeats
from medseg.studies.pages.learning_curves import band_of, curves_figure
from tests.studies.pages.example import STUDY, SUMMARY, results

curves = st.lists(
    st.dictionaries(st.integers(1, 20).map(float), st.floats(0, 1), min_size=1), min_size=1
)


def test_a_band_is_of_the_runs_that_got_that_far():
    band = band_of([{1: 0.2, 2: 0.6}, {1: 0.4}])
    assert (band.epochs, band.mean) == ((1, 2), pytest.approx((0.3, 0.6)))
    assert (band.low, band.high) == ((0.2, 0.6), (0.4, 0.6))


@given(curves)
def test_the_mean_lies_within_the_range(runs):
    band = band_of(runs)
    triples = zip(band.low, band.mean, band.high, strict=True)
    assert all(low <= mean + 1e-12 and mean <= high + 1e-12 for low, mean, high in triples)
    assert list(band.epochs) == sorted({epoch for run in runs for epoch in run})


def test_each_scored_row_has_a_panel_with_the_baseline_behind_it(tmp_path):
    contents = Contents(study=STUDY, results=results(tmp_path), summary=SUMMARY, repeats=Repeats())
    figure = curves_figure(contents, "val_mean_dice", "DSC")
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == ["width=64", "loss=jaccard"]
    # Levels 0.81 and 0.82 of the baseline's seeds, less 0.3 / epoch.
    baseline, row = panels[0].lines
    assert baseline.get_ydata() == pytest.approx([0.515, 0.665, 0.715])
    assert row.get_ydata() == pytest.approx([0.575, 0.725, 0.775])


def test_a_run_with_a_broken_table_is_left_out(tmp_path):
    found = results(tmp_path)
    for run in found.runs:
        (run.folder / "metrics.csv").unlink(missing_ok=True)
    contents = Contents(study=STUDY, results=found, summary=SUMMARY, repeats=Repeats())
    assert curves_figure(contents, "val_mean_dice", "DSC") is None
