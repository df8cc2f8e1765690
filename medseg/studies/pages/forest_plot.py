"""Forest plot: each row's paired difference to the baseline with its interval, beside the noise."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from matplotlib.figure import Figure

from medseg.studies.pages.contents import Contents
from medseg.studies.pages.figures import p_value, score_name, signed, signed_interval
from medseg.studies.pages.plot_style import BAND, COLOURS, DIM, DPI, INK, label, tidy
from medseg.studies.statistics.direction import sign
from medseg.studies.statistics_types import Comparison

__all__ = ["forest_figure"]

# A row that is off by more than this times the median row would press the others into a line.
_FAR = 6.0
_LONGEST_NAME = 44
_LONGEST_TITLE = 90


def forest_figure(contents: Contents) -> Figure | None:
    """Draw a line for each compared row; None if there is none.

    The band is the smallest difference that the study can see. An interval that leaves the plot
    ends in an arrow; its numbers stand at the right.
    """
    rows = [one for one in contents.summary.rows if one.difference_ci95 is not None]
    if not rows:
        return None
    figure = Figure(figsize=(10, 1.6 + 0.27 * len(rows)), dpi=DPI, layout="constrained")
    axes: Any = figure.subplots()
    noise = contents.summary.noise
    limit = _limit(rows, noise.smallest_difference if noise else 0.0)
    if noise:
        floor = noise.smallest_difference
        told = f"cannot be seen: below {floor:.4f} (baseline, {noise.seeds} seeds)"
        axes.axvspan(-floor, floor, color=BAND, zorder=0, label=told)
    axes.axvline(0, color=INK, linewidth=0.8)
    for place, one in enumerate(rows):
        _draw_row(axes, place, one, limit, COLOURS[one.finding or "no evidence"])
    axes.set_xlim(-limit, limit)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    _write_rows(axes, contents, rows)
    _write_legend(axes, contents)
    tidy(axes, grid="x")
    axes.spines["left"].set_visible(False)
    return figure


def _limit(rows: Sequence[Comparison], floor: float) -> float:
    """Half the width of the plot, about zero."""
    reach = [max(map(abs, one.difference_ci95 or (0.0, 0.0))) for one in rows]
    most = max(floor, min(max(reach), _FAR * median(reach)))
    return 1.08 * most or 1.0


def _draw_row(axes: Any, place: int, one: Comparison, limit: float, colour: str) -> None:
    low, high = one.difference_ci95 or (0.0, 0.0)
    shown = max(low, -limit), min(high, limit)
    if shown[0] < shown[1]:
        axes.plot(shown, [place, place], color=colour, linewidth=1.6, solid_capstyle="butt")
    if abs(one.difference or 0.0) <= limit:
        axes.plot([one.difference], [place], "s", color=colour, markersize=5)
    for beyond, edge, arrow in ((low < -limit, -limit, 4), (high > limit, limit, 5)):
        if beyond:
            # Carets with their tip at the edge: 4 points left, 5 right.
            axes.plot([edge], [place], marker=arrow, color=colour, markersize=7, clip_on=False)


def _write_rows(axes: Any, contents: Contents, rows: Sequence[Comparison]) -> None:
    names = [
        f"{contents.results.rows.index(one.row)}  {label(one.row, _LONGEST_NAME)}" for one in rows
    ]
    axes.set_yticks(range(len(rows)), names)
    axes.tick_params(axis="y", length=0)
    for place, one in enumerate(rows):
        text = f"{signed(one.difference)} {signed_interval(one.difference_ci95)}"
        published = contents.results.published.get(one.row)
        text = f"{text}   p {p_value(one.p_holm)}"
        text += f"   published: {published[0]}" if published else ""
        at = axes.get_yaxis_transform()
        axes.text(1.02, place, text, transform=at, va="center", fontsize=8, color=INK)


def _write_legend(axes: Any, contents: Contents) -> None:
    for name in ("better", "worse", "no evidence"):
        told = "no evidence of a difference" if name == "no evidence" else name
        axes.plot([], [], "s-", color=COLOURS[name], markersize=5, label=told)
    axes.figure.legend(loc="outside lower center", frameon=False, ncols=4, fontsize=8)
    better = "right is better" if sign(contents.score) > 0 else "left is better"
    name = score_name(contents.score)
    axes.set_xlabel(f"difference in {name} to the baseline, 95 % interval ({better})")
    axes.set_title(
        label(contents.results.title, _LONGEST_TITLE), loc="left", fontsize=10, color=DIM
    )
