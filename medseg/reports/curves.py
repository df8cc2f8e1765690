"""Training curves: loss and validation scores over epochs, in one picture.

It reads the `metrics.csv` that a training writes, also during the training, so that no server is
needed to see whether a network learns.
"""

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from matplotlib.figure import Figure

from medseg._files import write_atomically
from medseg.errors import DataError

__all__ = ["curves_figure", "plot_curves"]

_MEAN = "val_mean_dice"
_CLASS = "val_dice_"
# Okabe and Ito's palette (https://jfly.uni-koeln.de/color/) without black, the colour of the mean,
# and without yellow, which is invisible on white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_STYLES = ("-", "--", ":", "-.")
_INK, _DIM, _THIN = "#222222", "#888888", "#CCCCCC"
_DPI = 150

# Epochs and values of one line.
Curve = tuple[list[float], list[float]]


@dataclass(frozen=True, kw_only=True)
class _Course:
    """Columns of the table as curves; empty cells are left out."""

    loss: Curve
    learning_rate: Curve
    mean: Curve
    classes: dict[str, Curve]


def plot_curves(metrics_csv: str | Path, png_path: str | Path) -> None:
    """Write the figure of `curves_figure` as PNG; an existing file is replaced.

    Raises:
        DataError: See `curves_figure`.
    """
    figure: Any = curves_figure(metrics_csv)
    # Without matplotlib's name and version, the same table gives the same file.
    write_atomically(
        png_path, lambda path: figure.savefig(path, format="png", metadata={"Software": None})
    )


def curves_figure(metrics_csv: str | Path) -> Figure:
    """Draw training loss and learning rate on the left, validation DSC on the right.

    The best epoch, that of the highest mean DSC, is marked; the first of equals.

    Args:
        metrics_csv: One row per epoch; columns `epoch`, `train_loss` and optionally
            `learning_rate`, `val_mean_dice` and `val_dice_<class>`, empty in epochs without
            validation.

    Raises:
        DataError: If the table is missing, has no row, no such column or no numbers.
    """
    course = _read(Path(metrics_csv))
    figure = Figure(figsize=(11, 4.2), dpi=_DPI, layout="constrained")
    left, right = cast("Any", figure).subplots(1, 2)
    _draw_loss(left, course)
    _draw_scores(right, course)
    for axes in (left, right):
        _tidy(axes, course.loss[0])
    return figure


def _read(path: Path) -> _Course:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise DataError(f"{path}: cannot read the metrics ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV file; use the metrics.csv of a training") from error
    if not rows:
        raise DataError(f"{path}: holds no epoch yet; wait for the first to end")
    for column in ("epoch", "train_loss"):
        if column not in rows[0]:
            raise DataError(f"{path}: no column {column!r}; use the metrics.csv of a training")
    return _Course(
        loss=_curve(path, rows, "train_loss"),
        learning_rate=_curve(path, rows, "learning_rate"),
        mean=_curve(path, rows, _MEAN),
        classes={
            column.removeprefix(_CLASS): _curve(path, rows, column)
            for column in rows[0]
            if column.startswith(_CLASS)
        },
    )


def _curve(path: Path, rows: list[dict[str, str]], column: str) -> Curve:
    filled = [(number, row) for number, row in enumerate(rows, start=2) if row.get(column)]
    epochs = [_number(path, number, row, "epoch") for number, row in filled]
    return epochs, [_number(path, number, row, column) for number, row in filled]


def _number(path: Path, line: int, row: dict[str, str], column: str) -> float:
    text = row[column] or ""
    try:
        return float(text)
    except ValueError as error:
        raise DataError(f"{path}: line {line}: {column} {text!r} is not a number") from error


def _draw_loss(axes: Any, course: _Course) -> None:
    axes.plot(*course.loss, color=_INK, linewidth=1.6, **_dots(course.loss))
    axes.set_title("Training loss", loc="left")
    if not course.learning_rate[0]:
        return
    rate = axes.twinx()
    rate.plot(*course.learning_rate, color=_DIM, linewidth=0.7, drawstyle="steps-mid")
    if min(course.learning_rate[1]) > 0:
        rate.set_yscale("log")
    rate.set_ylabel("learning rate (thin line)", color=_DIM)
    rate.tick_params(colors=_DIM, which="both")
    rate.spines[["top", "left"]].set_visible(False)
    rate.spines["right"].set_color(_THIN)


def _draw_scores(axes: Any, course: _Course) -> None:
    axes.set_title("Validation DSC", loc="left")
    axes.set_ylim(0, 1)
    for i, (name, curve) in enumerate(course.classes.items()):
        colour = _COLOURS[i % len(_COLOURS)]
        style = _STYLES[i // len(_COLOURS) % len(_STYLES)]
        axes.plot(*curve, style, color=colour, linewidth=1.4, label=name, **_dots(curve))
    if len(course.classes) != 1:
        axes.plot(*course.mean, color=_INK, linewidth=2, label="mean", **_dots(course.mean))
    if not any(curve[0] for curve in (course.mean, *course.classes.values())):
        axes.text(0.5, 0.5, "no validation yet", color=_DIM, ha="center", transform=axes.transAxes)
        return
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    _mark_best(axes, course.mean)


def _mark_best(axes: Any, mean: Curve) -> None:
    finite = [(epoch, value) for epoch, value in zip(*mean, strict=True) if math.isfinite(value)]
    if not finite:
        return
    epoch, score = max(finite, key=lambda point: point[1])
    axes.axvline(epoch, color=_DIM, linewidth=0.8, linestyle="--", zorder=0)
    axes.plot([epoch], [score], marker="o", markersize=7, color=_INK, markerfacecolor="white")
    axes.set_title(f"best mean {score:.3f}, epoch {epoch:.0f}", loc="right", fontsize=10)


def _dots(curve: Curve) -> dict[str, Any]:
    """Markers for short curves: a line needs two points, and few points should be visible."""
    return {"marker": "o", "markersize": 3} if len(curve[0]) < 12 else {}


def _tidy(axes: Any, epochs: list[float]) -> None:
    axes.set_xlabel("epoch")
    axes.xaxis.get_major_locator().set_params(integer=True)
    if epochs:
        margin = max(0.5, 0.02 * (epochs[-1] - epochs[0]))
        axes.set_xlim(epochs[0] - margin, epochs[-1] + margin)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=_THIN, linewidth=0.5)
    axes.set_axisbelow(True)
