"""Style of the plots of studies: colours, bare axes, and files that are equal when drawn again."""

import io
from typing import Any, cast

import matplotlib as mpl
from PIL import Image

from medseg.reports.lettering import drawable
from medseg.studies.pages.small_png import small_png

__all__ = ["BAND", "COLOURS", "DIM", "DPI", "INK", "THIN", "label", "plot_files", "tidy"]

# Okabe and Ito's palette (https://jfly.uni-koeln.de/color/), told apart by the colour-blind.
COLOURS = {"better": "#0072B2", "worse": "#D55E00", "no evidence": "#666666"}
INK, DIM, THIN, BAND = "#222222", "#888888", "#CCCCCC", "#EEEEEE"
DPI = 150


def label(text: str, longest: int) -> str:
    """A name that leaves room for the plot, with letters that the font has and no formulas."""
    text = drawable(text if len(text) <= longest else f"{text[: longest - 3]}...")
    return text.replace("$", r"\$")


def plot_files(name: str, figure: Any) -> dict[str, bytes]:
    """The plot as `plots/NAME.png` and `plots/NAME.svg`.

    Without dates, versions and random names, the same study gives the same files.
    """
    png, svg = io.BytesIO(), io.BytesIO()
    figure.savefig(png, format="png", metadata={"Software": None})
    with cast("Any", mpl).rc_context({"svg.hashsalt": "medseg"}):
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    with Image.open(png) as image:
        small = small_png(image)
    return {f"plots/{name}.png": small, f"plots/{name}.svg": svg.getvalue()}


def tidy(axes: Any, *, grid: str) -> None:
    """Bare axes with thin lines across.

    Args:
        axes: Of matplotlib.
        grid: The axis whose ticks have lines, `x` or `y`.
    """
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, color=THIN, linewidth=0.5)
    axes.set_axisbelow(True)
