"""Mean over runs and cases, with its 95 % interval and its t-test against zero."""

import math
from dataclasses import dataclass

from scipy.special import stdtr, stdtrit

from medseg.studies.statistics.cells import Cells, Table, table
from medseg.studies.statistics.variance import Component, variance_of_mean

__all__ = ["Mean", "mean_of", "mean_of_table", "smallest_seen"]

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Mean:
    """Mean over cells.

    Attributes:
        value: The mean.
        error: Its standard error; NaN if nothing is repeated.
        freedom: Degrees of freedom of the error.
        of: What the error accounts for: other runs, other cases or both.
    """

    value: float
    error: float
    freedom: float
    of: tuple[Component, ...]

    @property
    def ci95(self) -> Interval:
        """95 % interval by Student's t; without repetition, all numbers."""
        if not self.of:
            return -math.inf, math.inf
        half = float(stdtrit(self.freedom, 0.975)) * self.error
        return self.value - half, self.value + half

    @property
    def p_value(self) -> float:
        """Two-sided t-test of the mean being zero; 1 without repetition."""
        if not self.of or self.value == 0:
            return 1.0
        if self.error == 0:
            return 0.0
        return float(2 * stdtr(self.freedom, -abs(self.value) / self.error))


def mean_of(cells: Cells) -> Mean:
    """Mean over all cells, at least one."""
    return mean_of_table(table(cells))


def mean_of_table(cells: Table) -> Mean:
    """Mean over all cells, at least one."""
    variance = variance_of_mean(cells)
    value = float(cells.values.mean())
    if variance is None:
        return Mean(value=value, error=math.nan, freedom=math.nan, of=())
    error = math.sqrt(variance.value)
    return Mean(value=value, error=error, freedom=variance.freedom, of=variance.of)


def smallest_seen(error: float, freedom: float) -> float:
    """Difference that a t-test at 5 % finds with a probability of 80 %, given its standard error.

    The two quantiles are added, which is within 2 % of the noncentral t from 4 degrees of freedom.
    """
    return error * float(stdtrit(freedom, 0.975) + stdtrit(freedom, 0.8))
