"""Studies made by hand, for tests of their statistics."""

from collections.abc import Mapping
from pathlib import Path

from hypothesis import strategies as st

from medseg.studies.results import CaseScore, RunResult, StudyResults

# Score of each case of each run: (seed, fold) -> case -> score.
Runs = Mapping[tuple[int, int], Mapping[str, float]]


def case(name, score=None, *, class_name="tumour", group=None, **values):
    found = values if score is None else {"dsc": score, **values}
    return CaseScore(case=name, class_name=class_name, group=group, values=found)


def run(row, seed, fold, cases=(), reason=""):
    return RunResult(
        row=row,
        seed=seed,
        fold=fold,
        digest=f"{row}-{seed}-{fold}",
        folder=Path(),
        reason=reason,
        cases=tuple(cases),
    )


def study(rows: Mapping[str, Runs], *, score="dsc", published=None, more=()):
    """A study of one class from the scores of its rows."""
    runs = [
        run(row, seed, fold, [case(name, **{score: value}) for name, value in cases.items()])
        for row, by_run in rows.items()
        for (seed, fold), cases in by_run.items()
    ]
    names = dict.fromkeys([*rows, *(one.row for one in more)])
    return StudyResults(
        title="A study",
        score=score,
        rows=tuple(names),
        overrides={},
        published=published or {},
        runs=(*runs, *more),
    )


def one_run(*scores, seed=0, fold=0):
    """Cases named a, b, c, ... of one run."""
    return {(seed, fold): dict(zip("abcdefghijklmnop", scores, strict=False))}


def grid(values):
    """Runs from nested lists, by fold, then seed, then case."""
    return {
        (s, f): {f"case{f}{c}": value for c, value in enumerate(cases)}
        for f, seeds in enumerate(values)
        for s, cases in enumerate(seeds)
    }


def grids(*, seeds=3, folds=2, cases=4):
    """Strategy for runs of a whole design."""
    score = st.integers(0, 100).map(lambda hundredths: hundredths / 100)
    of_run = st.lists(score, min_size=cases, max_size=cases)
    of_fold = st.lists(of_run, min_size=seeds, max_size=seeds)
    return st.lists(of_fold, min_size=folds, max_size=folds).map(grid)
