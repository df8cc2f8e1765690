"""Mean over runs and cases, with its 95 % interval and its test against zero.

Two things make a mean uncertain, other runs and other cases, and each alone has an exact
interval by Student's t. Their half-widths are added in squares (MOVER), and the interval is never
shorter than either alone:

    half^2 = max(t_run^2 MS_run, t_case^2 MS_case,
                 t_run^2 (MS_run - MS_rest) + t_case^2 MS_case) / n

for `n` cells of which none is missing. With three seeds this keeps what it promises where one
variance with Satterthwaite's degrees of freedom does not, nor the percentile bootstrap: see
benchmarks/RESULTS.md and docs/decisions/0037. The p-value is the level at which the interval
touches zero.

Reference:
    Zou and Donner, Construction of confidence limits about effect measures: a general approach,
    Stat. Med. 2008. https://doi.org/10.1002/sim.3095
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from scipy.special import stdtrit

from medseg.studies.statistics.cells import Cells, Table, table
from medseg.studies.statistics.variance import (
    COMPONENTS,
    Component,
    Forms,
    components,
    forms_of,
    repeated,
)

__all__ = ["Mean", "Part", "expected_error", "mean_of", "mean_of_table"]

Interval = tuple[float, float]
# Of a p-value: below, only rounding is left.
_SMALLEST_P = 1e-15


@dataclass(frozen=True, kw_only=True)
class Part:
    """Part of a mean's variance.

    Attributes:
        variance: Its estimate, not below zero.
        freedom: Degrees of freedom of the estimate.
    """

    variance: float
    freedom: float


@dataclass(frozen=True, kw_only=True)
class Mean:
    """Mean over cells, and what makes it uncertain.

    Attributes:
        value: The mean.
        errors: The parts of its variance, as sums of which the largest counts; none if nothing is
            repeated.
        of: What they account for: other runs, other cases or both.
    """

    value: float
    errors: tuple[tuple[Part, ...], ...]
    of: tuple[Component, ...]

    @property
    def ci95(self) -> Interval | None:
        """95 % interval; None if nothing is repeated."""
        half = self.half_width(0.975)
        return (self.value - half, self.value + half) if self.errors else None

    @property
    def p_value(self) -> float:
        """Two-sided test of the mean being zero; 1 if nothing is repeated."""
        if not self.errors or self.value == 0:
            return 1.0
        low, high = math.log(_SMALLEST_P), 0.0
        while high - low > 1e-9:
            middle = (low + high) / 2
            if self.half_width(1 - math.exp(middle) / 2) > abs(self.value):
                low = middle
            else:
                high = middle
        return math.exp(high)

    @property
    def smallest_seen(self) -> float:
        """Difference that the test finds at 5 % with a probability of 80 %, by this error."""
        return self.half_width(0.975) + self.half_width(0.8)

    def half_width(self, quantile: float) -> float:
        """Distance of the mean to the end of an interval, such as 0.975 for one of 95 %."""
        sums = [
            sum(float(stdtrit(part.freedom, quantile)) ** 2 * part.variance for part in parts)
            for parts in self.errors
        ]
        return math.sqrt(max(sums, default=math.inf))

    def plus(self, part: Part) -> "Mean":
        """The same with another part in its variance."""
        return replace(self, errors=tuple((*parts, part) for parts in self.errors))


def mean_of(cells: Cells) -> Mean:
    """Mean over all cells, at least one."""
    return mean_of_table(table(cells))


def mean_of_table(cells: Table) -> Mean:
    """Mean over all cells, at least one."""
    forms = forms_of(cells)
    return _with_errors(float(cells.values.mean()), forms, components(forms))


def expected_error(design: Table, variances: Mapping[Component, float]) -> Mean:
    """A mean of zero over the cells of a design, if the components' variances are known."""
    return _with_errors(0.0, forms_of(design), variances)


def _with_errors(value: float, forms: Forms, variances: Mapping[Component, float]) -> Mean:
    held = repeated(forms)
    by_name = zip(COMPONENTS, forms.in_mean.tolist(), strict=True)
    shares = {name: share * variances[name] for name, share in by_name}
    run, case, _ = forms.freedom.tolist()
    runs = Part(variance=max(shares["run"], 0.0), freedom=run)
    only_runs = Part(variance=max(shares["run"] + shares["rest"], 0.0), freedom=run)
    only_cases = Part(variance=max(shares["case"] + shares["rest"], 0.0), freedom=case)
    if held["run"] and held["case"]:
        errors = ((only_runs,), (only_cases,), (runs, only_cases))
    elif held["run"] or held["case"]:
        errors = ((only_runs if held["run"] else only_cases,),)
    else:
        errors = ()
    return Mean(
        value=value, errors=errors, of=tuple(name for name in ("run", "case") if held[name])
    )
