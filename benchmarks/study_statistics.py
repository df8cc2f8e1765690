"""Whether the statistics of studies keep their word: intervals, false alarms and power.

    python -m benchmarks.study_statistics {coverage,means,alarms,power} [--studies 2000] [--seed 0]

Draws studies whose truth is known (`_study_models`) and prints a Markdown table: how often the 95 %
interval of a difference holds the truth, beside two other methods; how often that of a row's own
mean score does; how often a study without any effect calls some row better or worse; or how often
a difference is seen that is as small as a study is said to see. Of 2000 studies, a share of 5 %
has a standard error of 0.5 %.
"""

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import stdtrit

from benchmarks._study_models import (
    ALIKE,
    BY_CASE,
    MODELS,
    SKEWED,
    Design,
    Model,
    cells,
    draw,
    table_of,
    true_difference,
    true_mean,
)
from benchmarks._timing import on_one_thread, versions
from medseg.metrics.bootstrap import draw_cases, interval95
from medseg.studies.statistics.evidence import weigh
from medseg.studies.statistics.mean import expected_error, mean_of_table
from medseg.studies.statistics.variance import Component
from medseg.studies.statistics.verdict import finding_of

Floats = NDArray[np.float64]
Interval = tuple[float, float]

COVERED = tuple(
    Design(seeds=seeds, folds=folds, cases=cases)
    for seeds, folds, cases in (
        (1, 1, 8),
        (1, 5, 8),
        (3, 1, 8),
        (3, 1, 60),
        (3, 3, 8),
        (3, 5, 12),
        (5, 1, 40),
        (5, 5, 12),
    )
)
# Rows, further seeds of the baseline, and the design.
ALARMS = (
    (5, 0, Design(seeds=1, folds=1, cases=20)),
    (5, 4, Design(seeds=1, folds=1, cases=20)),
    (5, 0, Design(seeds=3, folds=1, cases=10)),
    (5, 0, Design(seeds=3, folds=3, cases=12)),
    (20, 2, Design(seeds=3, folds=1, cases=40)),
    (5, 0, Design(seeds=5, folds=1, cases=20)),
    (5, 0, Design(seeds=5, folds=5, cases=8)),
)


def main() -> None:
    """Print one table."""
    on_one_thread()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"{options.studies} studies each; {versions(['numpy', 'scipy'])}\n")
    rng = np.random.default_rng(options.seed)
    TABLES[options.table](options.studies, rng)


def print_coverage(studies: int, rng: np.random.Generator) -> None:
    """Share of studies whose interval holds the truth, a row a model and design."""
    print("| scores | seeds | folds | cases a fold | medseg | Satterthwaite | bootstrap |")
    print("|---|---|---|---|---|---|---|")
    for model in MODELS:
        for design in COVERED:
            shares = " | ".join(f"{100 * s:.1f}" for s in coverage(model, design, studies, rng))
            print(f"| {model.name} | {_size(design)} | {shares} |", flush=True)


def print_means(studies: int, rng: np.random.Generator) -> None:
    """Share of studies whose interval of a row's own mean score holds the truth."""
    print("| scores | seeds | folds | cases a fold | medseg |")
    print("|---|---|---|---|---|")
    for model in (BY_CASE, SKEWED):
        for design in COVERED:
            held = 0
            for _ in range(studies):
                scores, runs = draw(model, design, 1, rng)
                low, high = mean_of_table(table_of(scores[0])).ci95 or (0.0, 0.0)
                held += low <= true_mean(model, runs) <= high
            print(f"| {model.name} | {_size(design)} | {100 * held / studies:.1f} |", flush=True)


def print_alarms(studies: int, rng: np.random.Generator) -> None:
    """Share of studies without an effect in which some row is called better or worse."""
    columns = "rows | seeds | more of the baseline | folds | cases a fold | verdict | Wilcoxon"
    print(f"| scores | {columns} |")
    print("|---|---|---|---|---|---|---|---|")
    for model in (ALIKE, SKEWED):
        for rows, more, design in ALARMS:
            shares = false_alarms(model, design, (rows, more), studies, rng)
            told = " | ".join(f"{100 * share:.1f}" for share in shares)
            size = f"{design.seeds} | {more} | {design.folds} | {design.cases}"
            print(f"| {model.name} | {rows} | {size} | {told} |", flush=True)


def print_power(studies: int, rng: np.random.Generator) -> None:
    """Share of studies that see a difference of the size that they are said to see."""
    print("| scores | seeds | folds | cases a fold | seen |")
    print("|---|---|---|---|---|")
    for model in (ALIKE, BY_CASE):
        for design in (one for one in COVERED if one.seeds > 1):
            seen = power(model, design, studies, rng)
            print(f"| {model.name} | {_size(design)} | {100 * seen:.1f} |", flush=True)


def coverage(
    model: Model, design: Design, studies: int, rng: np.random.Generator
) -> tuple[float, ...]:
    """Share of the 95 % intervals that hold the truth: ours, Satterthwaite's, the bootstrap's."""
    held: list[list[bool]] = []
    for _ in range(studies):
        scores, runs = draw(model, design, 2, rng)
        truth = true_difference(model, runs)
        of_cells = scores[1] - scores[0]
        intervals = (
            mean_of_table(table_of(of_cells)).ci95,
            satterthwaite(of_cells),
            bootstrap(of_cells, int(rng.integers(1 << 31))),
        )
        held.append([low <= truth <= high for low, high in filter(None, intervals)])
    return tuple(np.mean(held, axis=0).tolist())


def false_alarms(
    model: Model, design: Design, size: tuple[int, int], studies: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Share of studies with any: by the verdict, and by Wilcoxon's test with Holm's correction.

    Args:
        model: Without an effect.
        design: Of each row.
        size: Number of rows beside the baseline, and of further seeds of the baseline.
        studies: Number of studies.
        rng: Draws them.
    """
    rows, more = size
    larger = Design(seeds=design.seeds + more, folds=design.folds, cases=design.cases)
    alarms = 0
    of_cases: list[Floats] = []
    for _ in range(studies):
        scores, _ = draw(model, larger, rows + 1, rng)
        found = scores[1:, :, : design.seeds]
        alarms += _alarmed(scores[0], found)
        of_cases.append((found - scores[0, :, : design.seeds]).mean(axis=2).reshape(rows, -1))
    tested: Any = stats.wilcoxon(np.array(of_cases), axis=2)
    # Holm's method finds anything if the smallest p-value passes Bonferroni's.
    return alarms / studies, float(np.mean(tested.pvalue.min(axis=1) * rows <= 0.05))


def _alarmed(baseline: Floats, rows: Floats) -> bool:
    """Whether any row of a study is called better or worse."""
    differences = rows - baseline[:, : rows.shape[2]]
    quantile = 1 - 0.025 / len(rows)
    means = [mean_of_table(table_of(row)) for row in differences]
    # Without this the verdict cannot be one; it spares most of the time.
    if not any(abs(mean.value) >= mean.half_width(quantile) for mean in means):
        return False
    pairs = {str(i): cells(row) for i, row in enumerate(differences)}
    evidence = weigh(pairs, cells(baseline), None, "dsc").values()
    return any(finding_of(one, "dsc") != "no evidence" for _, one in evidence)


def power(model: Model, design: Design, studies: int, rng: np.random.Generator) -> float:
    """Share of studies that see the smallest difference that they should see."""
    zero = table_of(np.zeros((design.folds, design.seeds, design.cases)))
    twice: dict[Component, float] = {
        "run": 2 * model.run**2,
        "case": 2 * model.row_case**2,
        "rest": 2 * model.rest**2,
    }
    smallest = expected_error(zero, twice).smallest_seen
    seen = 0
    for _ in range(studies):
        scores, _ = draw(model, design, 2, rng)
        mean = mean_of_table(table_of(scores[1] - scores[0] + smallest))
        seen += abs(mean.value) > mean.half_width(0.975)
    return seen / studies


def satterthwaite(values: Floats) -> Interval:
    """Interval by one variance, (MS_run + MS_case - MS_rest) / n, and its degrees of freedom.

    Args:
        values: `(folds, seeds, cases)`.
    """
    seeds = values.shape[1]
    squares, freedom = np.array(list(_mean_squares(values))).T
    run, case, rest = squares
    if seeds == 1:
        variance, of = case, freedom[1]
    elif run > rest and case > rest:
        variance = run + case - rest
        of = variance**2 / float((squares**2 / freedom).sum())
    else:
        place = int(case > run)
        variance, of = (run, case)[place], freedom[place]
    half = float(stdtrit(of, 0.975)) * np.sqrt(variance / values.size)
    return float(values.mean() - half), float(values.mean() + half)


def bootstrap(values: Floats, seed: int) -> Interval:
    """Percentile interval, seeds and cases drawn anew within each fold.

    Args:
        values: `(folds, seeds, cases)`.
        seed: Of the draws.
    """
    means = [
        (
            (draw_cases(len(fold), seed=seed + 2 * i, resamples=200) @ fold)
            * draw_cases(fold.shape[1], seed=seed + 2 * i + 1, resamples=200)
        ).sum(axis=1)
        / fold.size
        for i, fold in enumerate(values)
    ]
    low, high = interval95(np.mean(means, axis=0)).tolist()
    return low, high


def _mean_squares(values: Floats) -> Iterator[tuple[float, float]]:
    """Mean squares of run, case and rest with their degrees of freedom, within folds."""
    folds, seeds, cases = values.shape
    values = values - values.mean(axis=(1, 2), keepdims=True)
    runs, of_cases = values.mean(axis=2, keepdims=True), values.mean(axis=1, keepdims=True)
    rest = values - runs - of_cases
    for sums, freedom in (
        (cases * (runs**2).sum(), folds * (seeds - 1)),
        (seeds * (of_cases**2).sum(), folds * (cases - 1)),
        ((rest**2).sum(), folds * (seeds - 1) * (cases - 1)),
    ):
        yield float(sums) / max(freedom, 1), float(freedom)


def _size(design: Design) -> str:
    return f"{design.seeds} | {design.folds} | {design.cases}"


TABLES = {
    "coverage": print_coverage,
    "means": print_means,
    "alarms": print_alarms,
    "power": print_power,
}

if __name__ == "__main__":
    main()
