"""Cost against score: each row by the time of a case, and by the parameters of its network."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from matplotlib.figure import Figure

from medseg.studies.pages.averages import scored_runs
from medseg.studies.pages.contents import Contents
from medseg.studies.pages.figures import score_name
from medseg.studies.pages.findings import effect_of
from medseg.studies.pages.plot_style import COLOURS, DIM, DPI, INK, THIN, tidy
from medseg.studies.results import BASELINE, Cost
from medseg.studies.statistics_types import Comparison

__all__ = ["cost_figure"]

_LONGEST_NAME = 36
_PANELS: tuple[tuple[str, Callable[[Cost], float]], ...] = (
    ("milliseconds a case", lambda cost: cost.case_ms),
    ("parameters", lambda cost: cost.parameters),
)


def cost_figure(contents: Contents) -> Figure | None:
    """Draw two panels, the score upwards with its interval; None if no row has a cost.

    Points are named by their rows' numbers, which are listed at the right.
    """
    rows = [one for one in contents.summary.rows if one.score and _costs(contents, one.row)]
    if not rows:
        return None
    height = max(4.0, 0.4 + 0.2 * len(rows))
    figure = Figure(figsize=(11, height), dpi=DPI, layout="constrained")
    panels: Any = figure.subplots(1, 3, width_ratios=[1, 1, 0.7])
    for axes, (name, cost_of) in zip(panels, _PANELS, strict=False):
        _draw(axes, contents, rows, cost_of)
        axes.set_xlabel(name)
    panels[0].set_ylabel(f"{score_name(contents.score)}, mean over runs, 95 % interval")
    panels[1].sharey(panels[0])
    _write_names(panels[2], contents, rows)
    return figure


def _costs(contents: Contents, row: str) -> list[Cost]:
    return [run.cost for run in scored_runs(contents.results, row) if run.cost]


def _draw(
    axes: Any, contents: Contents, rows: Sequence[Comparison], cost_of: Callable[[Cost], float]
) -> None:
    costs = [median(map(cost_of, _costs(contents, one.row))) for one in rows]
    for one, cost in zip(rows, costs, strict=True):
        if one.score is None:
            continue
        colour = INK if one.row == BASELINE else COLOURS[effect_of(one, contents.score)]
        axes.plot([cost, cost], one.score.ci95, color=THIN, linewidth=1, zorder=1)
        axes.plot([cost], [one.score.mean], "o", color=colour, markersize=4)
        place = str(contents.results.rows.index(one.row))
        axes.annotate(
            place, (cost, one.score.mean), (4, 2), textcoords="offset points", fontsize=7, color=DIM
        )
    # Costs of networks differ by factors; a single cost needs no scale of factors.
    if min(costs) > 0 and max(costs) > 3 * min(costs):
        axes.set_xscale("log")
    tidy(axes, grid="both")


def _write_names(axes: Any, contents: Contents, rows: Sequence[Comparison]) -> None:
    axes.set_axis_off()
    lines = [f"{contents.results.rows.index(one.row)}  {one.row}" for one in rows]
    short = [
        one if len(one) <= _LONGEST_NAME else f"{one[: _LONGEST_NAME - 3]}..." for one in lines
    ]
    axes.text(0, 1, "\n".join(short), transform=axes.transAxes, va="top", fontsize=7.5, color=INK)
