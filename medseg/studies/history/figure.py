"""Picture of a history: a panel for each metric, with segments to where it could have stopped.

Training and validation are lines of one panel. Segments lead from the axes to the first epoch
within the tolerance of the best; with several trainings their range is a band, and each has its own
mark.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
from matplotlib.figure import Figure

from medseg._files import write_atomically
from medseg.studies.history.history import History
from medseg.studies.history.labels import label_of
from medseg.studies.history.metric import Measured, measured_on, plain_name
from medseg.studies.history.stopping import Stop

__all__ = ["Words", "history_figure", "write_history_figure"]

# Okabe and Ito's blue and vermilion, told apart in grey and by the colour-blind.
_COLOURS: Mapping[Measured, str] = {"training": "#0072B2", "validation": "#D55E00"}
_INK, _DIM, _THIN = "#222222", "#777777", "#DDDDDD"
_PANEL = (4.6, 3.0)
_MOST_COLUMNS = 3
# Height of a line of small letters, as share of a panel's.
_LINE = 0.095
_DPI = 150

# Its types say Unknown where a caller needs to know.
_mpl = cast("Any", mpl)


@dataclass(frozen=True, kw_only=True)
class Words:
    """Words around the picture.

    Attributes:
        title: Above it, large.
        subtitle: Below the title.
        caption: At the bottom right.
        base_size: Size of the panels' letters, in points.
    """

    title: str = ""
    subtitle: str = ""
    caption: str = ""
    base_size: float = 12


def write_history_figure(history: History, words: Words, paths: Sequence[Path]) -> None:
    """Write the figure to files, `.png` or `.svg`; the same history gives the same bytes."""
    for path in paths:
        # Without the date and matplotlib's version, and with fixed names of an SVG's parts.
        empty = {"Date": None} if path.suffix == ".svg" else {"Software": None}
        with _mpl.rc_context({"svg.hashsalt": "medseg", "svg.fonttype": "path"}):
            figure: Any = history_figure(history, words)
            save = partial(figure.savefig, format=path.suffix[1:], metadata=empty)
            write_atomically(path, save)


def history_figure(history: History, words: Words) -> Figure:
    """Draw all metrics whose direction is known.

    Raises:
        ValueError: If there is none.
    """
    panels = list(dict.fromkeys(plain_name(one.metric) for one in history.metrics))
    if not panels:
        raise ValueError("history_figure needs a metric, got none")
    columns = min(_MOST_COLUMNS, math.ceil(math.sqrt(len(panels))))
    rows = math.ceil(len(panels) / columns)
    scale = words.base_size / 12
    size = (_PANEL[0] * columns * scale, (_PANEL[1] * rows + 0.9) * scale)
    with _mpl.rc_context({"font.size": words.base_size, "text.parse_math": False}):
        figure = Figure(figsize=size, dpi=_DPI, layout="constrained")
        all_axes: Any = cast("Any", figure).subplots(rows, columns, squeeze=False).ravel()
        for axes, panel in zip(all_axes, panels, strict=False):
            _draw_panel(axes, history, panel)
        for axes in all_axes[len(panels) :]:
            axes.set_visible(False)
        _write_words(figure, words, _measured(history))
    return figure


def _measured(history: History) -> list[Measured]:
    found = {one.measured for one in history.metrics}
    return [measured for measured in _COLOURS if measured in found]


def _draw_panel(axes: Any, history: History, panel: str) -> None:
    names = [one.metric for one in history.metrics if plain_name(one.metric) == panel]
    for name in names:
        _draw_metric(axes, history, name)
    axes.set_title(label_of(panel, history.labels), loc="left", fontsize="medium")
    axes.set_xlabel("epoch")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=_THIN, linewidth=0.6)
    axes.set_axisbelow(True)
    low, high = axes.get_ylim()
    first = min(log.epochs[0] for log in history.logs)
    axes.set_xlim(left=first - 0.02 * (axes.get_xlim()[1] - first))
    axes.set_ylim(low, high)
    stops = [[one for one in of_run if one.metric in names] for of_run in history.stops]
    for stop in (one for of_run in stops for one in of_run):
        _draw_stop(axes, stop, alone=len(history.logs) == 1)
    _name_epochs(axes, history, names)


def _draw_metric(axes: Any, history: History, name: str) -> None:
    colour = _COLOURS[measured_on(name)]
    curves = [_points(log.epochs, log.curves[name]) for log in history.logs if name in log.curves]
    if len(curves) == 1:
        dots = {"marker": "o", "markersize": 3} if len(curves[0]) < 12 else {}
        axes.plot(*zip(*curves[0], strict=True), color=colour, linewidth=1.6, **dots)
        return
    by_epoch: dict[int, list[float]] = {}
    for epoch, value in (point for curve in curves for point in curve):
        by_epoch.setdefault(epoch, []).append(value)
    epochs = sorted(by_epoch)
    values = [by_epoch[epoch] for epoch in epochs]
    axes.fill_between(
        epochs, [*map(min, values)], [*map(max, values)], color=colour, alpha=0.2, lw=0
    )
    axes.plot(epochs, [sum(v) / len(v) for v in values], color=colour, linewidth=1.6)


def _points(epochs: Sequence[int], curve: Sequence[float]) -> list[tuple[int, float]]:
    return [(e, v) for e, v in zip(epochs, curve, strict=True) if not math.isnan(v)]


def _draw_stop(axes: Any, stop: Stop, *, alone: bool) -> None:
    colour = _COLOURS[stop.measured]
    left, bottom = axes.get_xlim()[0], axes.get_ylim()[0]
    style = {"color": colour, "linewidth": 1 if alone else 0.6, "linestyle": (0, (4, 2))}
    axes.plot([stop.epoch, stop.epoch], [bottom, stop.value], **style)
    if alone:
        axes.plot([left, stop.epoch], [stop.value, stop.value], **style)
    axes.plot([stop.epoch], [stop.value], "o", markersize=5, color=colour, markerfacecolor="white")


def _name_epochs(axes: Any, history: History, names: Sequence[str]) -> None:
    """Write the epochs of the stops in the corner that no curve reaches, in the lines' colours."""
    there = [one for one in history.metrics if one.metric in names]
    # Panels grow with their letters, so that a line is always the same share of one.
    at_top = there[0].better == "low"
    for place, one in enumerate(there if at_top else reversed(there)):
        single = one.trainings == 1
        axes.text(
            0.99,
            0.98 - place * _LINE if at_top else 0.03 + place * _LINE,
            f"epoch {one.epoch.mean:.0f}" if single else f"mean epoch {one.epoch.mean:.1f}",
            color=_COLOURS[one.measured],
            fontsize="small",
            ha="right",
            va="top" if at_top else "bottom",
            transform=axes.transAxes,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )


def _write_words(figure: Any, words: Words, measured: Sequence[Measured]) -> None:
    """Title, subtitle, caption and the lines' colours, each in a strip of its own height."""
    size, height = words.base_size, figure.get_figheight() * 72
    title, subtitle = 1.4 * size, size
    top = 0.6 * size
    for text, points, colour in ((words.title, title, _INK), (words.subtitle, subtitle, _DIM)):
        if text:
            figure.text(0.01, 1 - top / height, text, fontsize=points, color=colour, va="top")
            top += 1.5 * points
    place = 0.01
    for one in measured:
        figure.text(place, 1 - top / height, one, fontsize=size, color=_COLOURS[one], va="top")
        place += 0.6 * size * (len(one) + 2) / (figure.get_figwidth() * 72)
    top += 1.6 * size
    bottom = 0.5 * size
    if words.caption:
        place = bottom / height
        figure.text(0.99, place, words.caption, fontsize=0.8 * size, color=_DIM, ha="right")
        bottom += 1.2 * size
    figure.get_layout_engine().set(rect=(0, bottom / height, 1, 1 - (top + bottom) / height))
