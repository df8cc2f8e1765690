"""Figures in words: scores, intervals, probabilities, sizes, rounded as the tables show them."""

import math
from collections.abc import Callable

from medseg.metrics.criteria import Criteria
from medseg.metrics.summary import METRICS
from medseg.reports.columns import heading

__all__ = [
    "NOTHING",
    "interval",
    "large",
    "p_value",
    "percent",
    "plain",
    "score_name",
    "signed",
    "signed_interval",
]

# What an empty cell shows.
NOTHING = "-"
_DIGITS = 4
_NAMES: dict[str, str] = {metric: heading(metric, Criteria()) for metric in METRICS}
_THOUSANDS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def score_name(metric: str) -> str:
    """Heading of a metric: `DSC` for `dsc`; names that are not known stay."""
    return _NAMES.get(metric, metric)


def plain(value: float | None, digits: int = _DIGITS) -> str:
    """A number, or a dash if there is none."""
    if value is None or math.isnan(value):
        return NOTHING
    return f"{value:.{digits}f}"


def signed(value: float | None, digits: int = _DIGITS) -> str:
    """A difference, always with its sign; what rounds to zero has none."""
    if value is None or math.isnan(value):
        return NOTHING
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text


def interval(ends: tuple[float, float] | None) -> str:
    """An interval in brackets."""
    return _in_brackets(ends, plain)


def signed_interval(ends: tuple[float, float] | None) -> str:
    """An interval of a difference in brackets."""
    return _in_brackets(ends, signed)


def p_value(p: float | None) -> str:
    """A p value; three digits, and never zero."""
    if p is None or math.isnan(p):
        return NOTHING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def percent(share: float | None) -> str:
    """A probability or share in whole percent."""
    if share is None or math.isnan(share):
        return NOTHING
    return f"{100 * share:.0f} %"


def large(count: float) -> str:
    """A large count with three digits: `1.94 M`."""
    for size, letter in _THOUSANDS:
        if count >= size:
            return f"{_three_digits(count / size)} {letter}"
    return _three_digits(count)


def _three_digits(value: float) -> str:
    # From 999.5 on, the three digits would be written as a power of ten.
    return f"{value:.3g}" if value < 999.5 else f"{value:.0f}"


def _in_brackets(ends: tuple[float, float] | None, written: Callable[[float], str]) -> str:
    if ends is None or any(math.isnan(end) for end in ends):
        return NOTHING
    return f"[{written(ends[0])}, {written(ends[1])}]"
