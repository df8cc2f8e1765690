"""Learning curves of a study: a panel for each row, its runs' mean and range, on the baseline's."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from matplotlib.figure import Figure

from medseg.studies.pages.averages import scored_runs
from medseg.studies.pages.contents import Contents
from medseg.studies.pages.plot_style import COLOURS, DIM, DPI, THIN, label, tidy
from medseg.studies.results import BASELINE

__all__ = ["Band", "band_of", "curves_figure"]

_METRICS = "metrics.csv"
_COLUMNS = 5
_LONGEST_NAME = 26


@dataclass(frozen=True, kw_only=True)
class Band:
    """Curves of several runs, at each epoch of which at least one has a value.

    Attributes:
        epochs: The epochs.
        mean: Over the runs that have a value there.
        low: Lowest of them.
        high: Highest of them.
    """

    epochs: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def curves_figure(contents: Contents, column: str, title: str) -> Figure | None:
    """Draw a column of the runs' `metrics.csv` over epochs.

    Args:
        contents: The study.
        column: Such as `train_loss` or `val_mean_dice`.
        title: What it is.

    Returns:
        None if no run has it.
    """
    bands = {row: _row_band(contents, row, column) for row in contents.results.rows}
    drawn = {row: band for row, band in bands.items() if band.epochs}
    if not drawn:
        return None
    panels = [row for row in drawn if row != BASELINE] or list(drawn)
    columns = min(_COLUMNS, len(panels))
    lines = math.ceil(len(panels) / columns)
    size = (max(4.0, 2.1 * columns), 0.9 + 1.6 * lines)
    figure: Any = Figure(figsize=size, dpi=DPI, layout="constrained")
    grid: Any = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place < len(panels):
            _draw(axes, drawn, panels[place])
            axes.set_xlim(*_epochs(drawn))
            # The lowest panel of its column, if not of the figure.
            axes.tick_params(labelbottom=place + columns >= len(panels))
        else:
            axes.set_visible(False)
    figure.suptitle(f"{title}: mean and range of the runs; grey: baseline", fontsize=9)
    figure.supxlabel("epoch", fontsize=9)
    return figure


def band_of(curves: Sequence[Mapping[float, float]]) -> Band:
    """Mean and range of curves, each by epoch."""
    epochs = sorted({epoch for curve in curves for epoch in curve})
    values = [[curve[epoch] for curve in curves if epoch in curve] for epoch in epochs]
    return Band(
        epochs=tuple(epochs),
        mean=tuple(fmean(of_epoch) for of_epoch in values),
        low=tuple(min(of_epoch) for of_epoch in values),
        high=tuple(max(of_epoch) for of_epoch in values),
    )


def _row_band(contents: Contents, row: str, column: str) -> Band:
    runs = scored_runs(contents.results, row)
    return band_of([_curve(run.folder / _METRICS, column) for run in runs])


def _curve(path: Path, column: str) -> dict[float, float]:
    """Values by epoch; none of a table that is missing or broken, which is no reason to fail."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        points = [(float(row["epoch"]), float(row[column])) for row in rows if row.get(column)]
    except (OSError, ValueError, KeyError, csv.Error):
        return {}
    return {epoch: value for epoch, value in points if math.isfinite(value)}


def _epochs(bands: Mapping[str, Band]) -> tuple[float, float]:
    """From before the first epoch to after the last, also of a single one."""
    first = min(band.epochs[0] for band in bands.values())
    last = max(band.epochs[-1] for band in bands.values())
    margin = max(0.5, 0.02 * (last - first))
    return first - margin, last + margin


def _draw(axes: Any, bands: Mapping[str, Band], row: str) -> None:
    for name, colour in ((BASELINE, DIM), (row, COLOURS["better"])):
        band = bands.get(name)
        if band and (name == row or row != BASELINE):
            axes.fill_between(band.epochs, band.low, band.high, color=colour, alpha=0.25, lw=0)
            dots = {"marker": "o", "markersize": 2.5} if len(band.epochs) < 6 else {}
            axes.plot(band.epochs, band.mean, color=colour, linewidth=1.3, **dots)
    axes.set_title(label(row, _LONGEST_NAME), fontsize=7, loc="left")
    axes.tick_params(labelsize=7, color=THIN)
    axes.xaxis.get_major_locator().set_params(integer=True)
    tidy(axes, grid="y")
