"""Ranking of rows, with its stability under the bootstrap of cases and seeds.

Rows are ranked by their mean difference to the baseline's scores of the same case, so that a
row that lacks a fold is not ranked by how hard the others are. Cases are resampled within folds,
the same for all rows; seeds are resampled for each row alone, as its trainings are its own.

Reference:
    Wiesenfarth et al., Methods and open-source toolkit for analyzing and visualizing challenge
    results, Sci. Rep. 2021. https://doi.org/10.1038/s41598-021-82017-6
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.metrics.bootstrap import draw_cases
from medseg.studies.results import BASELINE
from medseg.studies.statistics.cells import Cells
from medseg.studies.statistics_types import RankedRow

__all__ = ["RESAMPLES", "rank_rows"]

RESAMPLES = 1000
Floats = NDArray[np.float64]


def rank_rows(rows: Mapping[str, Cells], *, better: int, seed: int = 0) -> tuple[RankedRow, ...]:
    """Rank rows, best first; of equals the first comes first.

    Args:
        rows: Scores by row; those without any are left out.
        better: 1 if more is better, -1 if less is.
        seed: Of the bootstrap.
    """
    rows = _beside_baseline({name: cells for name, cells in rows.items() if cells})
    if not rows:
        return ()
    means = np.array([np.mean(list(cells.values())) for cells in rows.values()])
    # (resamples, rows): the rank of each row
    ranks = _ranks(better * _drawn_means(list(rows.values()), seed))
    low = np.percentile(ranks, 2.5, axis=0, method="lower").tolist()
    high = np.percentile(ranks, 97.5, axis=0, method="higher").tolist()
    first = (ranks == 1).mean(axis=0)
    places = _ranks(better * means[None])[0]
    ranked = [
        RankedRow(
            row=name,
            rank=int(places[i]),
            rank_ci95=(int(low[i]), int(high[i])),
            first_share=float(first[i]),
        )
        for i, name in enumerate(rows)
    ]
    return tuple(sorted(ranked, key=lambda one: one.rank))


def _beside_baseline(rows: Mapping[str, Cells]) -> dict[str, Cells]:
    """Scores minus the baseline's mean in the same case, where it has one; as they are without."""
    if not rows.get(BASELINE):
        return dict(rows)
    by_case: dict[tuple[int, str], list[float]] = defaultdict(list)
    for (_, fold, case), value in rows[BASELINE].items():
        by_case[fold, case].append(value)
    base = {key: float(np.mean(values)) for key, values in by_case.items()}
    centred = {
        name: {c: value - base[c[1:]] for c, value in sorted(cells.items()) if c[1:] in base}
        for name, cells in rows.items()
    }
    return {name: cells for name, cells in centred.items() if cells}


def _drawn_means(rows: list[Cells], seed: int) -> Floats:
    """Mean of each row over each resample, `(resamples, rows)`."""
    folds = sorted({fold for cells in rows for _, fold, _ in cells})
    sums = np.zeros((RESAMPLES, len(rows)))
    counts = np.zeros((RESAMPLES, len(rows)))
    for fold in folds:
        cases = sorted({case for cells in rows for _, f, case in cells if f == fold})
        of_cases = draw_cases(len(cases), seed=_stream(seed, fold, 0), resamples=RESAMPLES)
        for place, cells in enumerate(rows):
            values, held = _of_fold(cells, fold, cases)
            if not held.size:
                continue
            of_seeds = draw_cases(
                len(values), seed=_stream(seed, fold, place + 1), resamples=RESAMPLES
            )
            sums[:, place] += ((of_seeds @ values) * of_cases).sum(axis=1)
            counts[:, place] += ((of_seeds @ held) * of_cases).sum(axis=1)
    # A resample that draws none of a row's few cells says nothing of it: it is drawn as zero.
    return sums / np.maximum(counts, 1)


def _of_fold(cells: Cells, fold: int, cases: list[str]) -> tuple[Floats, Floats]:
    """Values of one fold, `(seeds, cases)`, 0 where there is none, and 1 where there is one."""
    seeds = sorted({seed for seed, f, _ in cells if f == fold})
    found = [[cells.get((seed, fold, case)) for case in cases] for seed in seeds]
    values = np.array([[0.0 if v is None else v for v in line] for line in found])
    return values, np.array([[0.0 if v is None else 1.0 for v in line] for line in found])


def _ranks(scores: NDArray[Any]) -> NDArray[np.int64]:
    """Ranks along the last axis, 1 for the largest; equals in their order."""
    return np.argsort(np.argsort(-scores, axis=-1, kind="stable"), axis=-1, kind="stable") + 1


def _stream(seed: int, fold: int, place: int) -> int:
    """A seed of its own for each fold and row."""
    return int(np.random.SeedSequence((seed, fold, place)).generate_state(1)[0])
