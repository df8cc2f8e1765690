"""Evidence of a study: all rows compared with the baseline, corrected for their number."""

from collections.abc import Mapping

from medseg.studies.statistics.cells import Cells
from medseg.studies.statistics.comparison import Difference, difference_of
from medseg.studies.statistics.noise import run_noise
from medseg.studies.statistics.rank_test import holm
from medseg.studies.statistics.verdict import Evidence
from medseg.studies.statistics_types import Noise

__all__ = ["weigh"]


def weigh(
    pairs: Mapping[str, Cells], baseline: Cells, noise: Noise | None, score: str
) -> dict[str, tuple[Difference, Evidence]]:
    """Compare each row with the baseline; rows without a pair are left out.

    Args:
        pairs: Paired differences by row.
        baseline: Its scores.
        noise: Of the baseline.
        score: The metric.
    """
    between = run_noise(baseline)
    found = {row: difference_of(cells, score, between) for row, cells in pairs.items() if cells}
    of_ranks = holm([one.p_rank for one in found.values()])
    of_means = holm([one.mean.p_value for one in found.values()])
    return {
        row: (
            one,
            Evidence(
                difference=one.mean.value,
                ci95=one.mean.ci95,
                of=one.mean.of,
                p_rank=p_rank,
                p_mean=p_mean,
                cases=one.cases,
                rows=len(found),
                smallest=_smallest(one, noise),
            ),
        )
        for (row, one), p_rank, p_mean in zip(found.items(), of_ranks, of_means, strict=True)
    }


def _smallest(one: Difference, noise: Noise | None) -> float | None:
    """What the study would see: by the row's own spread, and not less than by the baseline's."""
    if not one.mean.errors:
        return None
    own = one.mean.smallest_seen
    return own if noise is None else max(own, noise.smallest_difference)
