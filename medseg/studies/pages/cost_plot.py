"""Cost against score: each row by the time of a case, and by the parameters of its network."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from medseg.studies.pages.averages import scored_runs
from medseg.studies.pages.contents import Contents
from medseg.studies.pages.figures import large, score_name
from medseg.studies.pages.plot_style import COLOURS, DIM, DPI, INK, THIN, label, tidy
from medseg.studies.results import BASELINE, Cost
from medseg.studies.statistics.direction import sign
from medseg.studies.statistics_types import Comparison

__all__ = ["cost_figure", "named_rows", "spread"]

_LONGEST_NAME = 36
# A row that is off by more than this times the median row would press the others into a point.
_FAR = 6.0
# Between numbers of rows, in heights of a panel.
_GAP = 0.028
# Points nearer than this share of a panel's width have their numbers in one column.
_NEAR = 0.06
# With more rows, numbers would cover one another.
_MOST_NAMED = 20
_PANELS: tuple[tuple[str, Callable[[Cost], float]], ...] = (
    ("milliseconds a case", lambda cost: cost.case_ms),
    ("parameters", lambda cost: cost.parameters),
)


def cost_figure(contents: Contents) -> Figure | None:
    """Draw two panels, the score upwards with its interval; None if no row has a cost.

    Points are named by their rows' numbers, which are listed at the right; of many rows those that
    are better or worse, or that no other beats in both, cost and score. A row far below or
    above all others stands at the edge as an arrow.
    """
    rows = [one for one in contents.summary.rows if one.score and _costs(contents, one.row)]
    if not rows:
        return None
    figure = Figure(figsize=(11, max(4.0, 0.4 + 0.2 * len(rows))), dpi=DPI, layout="constrained")
    panels: Any = figure.subplots(1, 3, width_ratios=[1, 1, 0.7])
    for axes, (name, cost_of) in zip(panels, _PANELS, strict=False):
        costs = [median(map(cost_of, _costs(contents, one.row))) for one in rows]
        axes.set_ylim(_limits(rows))
        _scale(axes, costs)
        _draw(axes, contents, rows, costs)
        axes.set_xlabel(name)
    panels[0].set_ylabel(f"{score_name(contents.score)}, mean over runs, 95 % interval")
    _write_names(panels[2], contents, rows)
    return figure


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Places as near to the wanted ones as can be, in their order, at least `gap` apart.

    Neighbours that are too near are moved apart together, about their middle.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    blocks: list[tuple[float, list[int]]] = []
    for i in order:
        middle, members = wanted[i], [i]
        while blocks and middle - gap * len(members) / 2 < _end(blocks[-1], gap):
            _, before = blocks.pop()
            members = before + members
            middle = sum(wanted[j] for j in members) / len(members)
        blocks.append((middle, members))
    places = [0.0] * len(wanted)
    for middle, members in blocks:
        for n, i in enumerate(members):
            places[i] = middle + gap * (n - (len(members) - 1) / 2)
    return places


def _end(block: tuple[float, list[int]], gap: float) -> float:
    return block[0] + gap * len(block[1]) / 2


def _costs(contents: Contents, row: str) -> list[Cost]:
    return [run.cost for run in scored_runs(contents.results, row) if run.cost]


def _limits(rows: Sequence[Comparison]) -> tuple[float, float]:
    """Of the score: about the median row, as far as most rows reach."""
    scores = [one.score for one in rows if one.score]
    ends = [score.ci95 or (score.mean, score.mean) for score in scores]
    middle = median(score.mean for score in scores)
    far = _FAR * median(max(middle - low, high - middle) for low, high in ends)
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    low, high = max(low, middle - far), min(high, middle + far)
    margin = 0.06 * (high - low) or 0.01
    return low - margin, high + margin


def _scale(axes: Any, costs: Sequence[float]) -> None:
    low, high = min(costs), max(costs)
    # Costs of networks differ by factors; a single cost needs no scale of factors.
    if low > 0 and high > 2 * low:
        axes.set_xscale("log")
        axes.set_xlim(low / 1.2, high * 1.4 * (high / low) ** 0.08)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        margin = 0.1 * (high - low) or 0.1 * abs(high) or 1.0
        axes.set_xlim(low - margin, high + 2 * margin)
    axes.xaxis.set_major_formatter(FuncFormatter(_tick))


def _tick(value: float, _place: int) -> str:
    return large(value)


def _draw(
    axes: Any, contents: Contents, rows: Sequence[Comparison], costs: Sequence[float]
) -> None:
    tidy(axes, grid="both")
    low, high = axes.get_ylim()
    shown = [min(max(one.score.mean, low), high) if one.score else low for one in rows]
    for one, cost, y in zip(rows, costs, shown, strict=True):
        colour = INK if one.row == BASELINE else COLOURS[one.finding or "no evidence"]
        inside = "D" if one.row == BASELINE else "o"
        marker = inside if low < y < high else "v" if y == low else "^"
        if one.score and one.score.ci95:
            axes.plot([cost, cost], one.score.ci95, color=THIN, linewidth=1, zorder=1)
        axes.plot(
            [cost],
            [y],
            marker,
            color=colour,
            markersize=4,
            clip_on=False,
            zorder=3 + (one.row == BASELINE),
        )
    named = named_rows(rows, costs, contents.score)
    numbers = [str(contents.results.rows.index(rows[i].row)) for i in named]
    _write_numbers(axes, numbers, [(costs[i], shown[i]) for i in named])


def named_rows(rows: Sequence[Comparison], costs: Sequence[float], score: str) -> list[int]:
    """Points whose numbers are written: of many, those that a reader looks for.

    These are the baseline, rows that are better or worse, and those that no other row beats in
    both, cost and score.
    """
    if len(rows) <= _MOST_NAMED:
        return list(range(len(rows)))
    scores = [sign(score) * one.score.mean if one.score else 0.0 for one in rows]
    beaten = [
        any(c <= cost and s > score for c, s in zip(costs, scores, strict=True))
        for cost, score in zip(costs, scores, strict=True)
    ]
    return [
        i
        for i, one in enumerate(rows)
        if one.row == BASELINE or one.finding in ("better", "worse") or not beaten[i]
    ]


def _write_numbers(
    axes: Any, numbers: Sequence[str], points: Sequence[tuple[float, float]]
) -> None:
    """Write rows' numbers right of their points, those of one cost in a column."""
    # In shares of the panel, which the layout does not change.
    to_shares = axes.transScale + axes.transLimits
    places = [tuple(map(float, to_shares.transform(point))) for point in points]
    for column in _columns([x for x, _ in places]):
        right = max(places[i][0] for i in column) + 0.035
        heights = spread([places[i][1] for i in column], _GAP)
        for i, height in zip(column, heights, strict=True):
            axes.annotate(
                numbers[i],
                points[i],
                (right, height),
                textcoords="axes fraction",
                va="center",
                fontsize=7,
                color=INK,
                arrowprops={"arrowstyle": "-", "color": DIM, "linewidth": 0.4, "shrinkA": 1},
            )


def _columns(shares: Sequence[float]) -> list[list[int]]:
    """Points whose neighbours to the left or right are near, together."""
    columns: list[list[int]] = []
    for i in sorted(range(len(shares)), key=lambda i: shares[i]):
        if columns and shares[i] - shares[columns[-1][-1]] < _NEAR:
            columns[-1].append(i)
        else:
            columns.append([i])
    return columns


def _write_names(axes: Any, contents: Contents, rows: Sequence[Comparison]) -> None:
    axes.set_axis_off()
    places = [contents.results.rows.index(one.row) for one in rows]
    lines = [
        f"{place}  {label(one.row, _LONGEST_NAME)}" for place, one in zip(places, rows, strict=True)
    ]
    axes.text(0, 1, "\n".join(lines), transform=axes.transAxes, va="top", fontsize=7.5, color=INK)
