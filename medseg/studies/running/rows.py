"""Rows of a study: what each overrides, from its factors and combinations."""

from collections.abc import Iterable, Mapping
from itertools import combinations, product
from typing import Any

from medseg.errors import UsageError
from medseg.studies.results import BASELINE, classical_row
from medseg.studies.study_file import Study

__all__ = ["study_rows"]

Overrides = Mapping[str, Any]


def study_rows(study: Study) -> dict[str, Overrides]:
    """Overrides by name of the row, the baseline's, which are none, first.

    Raises:
        UsageError: For two rows of one name; in a grid, for two factors that set one key; for a
            published finding on a row that is not there.
    """
    named: list[tuple[str, Overrides]] = [
        (BASELINE, {}),
        *_of_factors(study),
        *study.combinations.items(),
    ]
    rows: dict[str, Overrides] = {}
    for name, overrides in named:
        if name in rows:
            raise UsageError(f"two rows are named {name!r}; give each a name of its own")
        rows[name] = overrides
    if len(rows) == 1 and len(study.seeds) == 1:
        raise UsageError("factors: the study has no row but the baseline, and one seed; add some")
    names = [*rows, *map(classical_row, study.classical)]
    unknown = next((name for name in study.published if name not in names), None)
    if unknown is not None:
        raise UsageError(f"published: no row is named {unknown!r}; rows: {', '.join(names)}")
    return rows


def _of_factors(study: Study) -> Iterable[tuple[str, Overrides]]:
    if study.design == "one at a time":
        for factor, levels in study.factors.items():
            for level, overrides in levels.items():
                yield f"{factor}={level}", overrides
        return
    _refuse_shared_keys(study.factors)
    choices = [
        [None, *((f"{factor}={level}", keys) for level, keys in levels.items())]
        for factor, levels in study.factors.items()
    ]
    for chosen in product(*choices):
        levels = [one for one in chosen if one is not None]
        if levels:
            merged = {key: value for _, keys in levels for key, value in keys.items()}
            yield ", ".join(name for name, _ in levels), merged


def _refuse_shared_keys(factors: Mapping[str, Mapping[str, Overrides]]) -> None:
    keys = {
        factor: {_path(key) for level in levels.values() for key in level}
        for factor, levels in factors.items()
    }
    for first, second in combinations(factors, 2):
        for one, other in product(sorted(keys[first]), sorted(keys[second])):
            if one == other[: len(one)] or other == one[: len(other)]:
                raise UsageError(
                    f"factors: {first} and {second} both set {'#'.join(min(one, other))}, so a "
                    "grid of them is not defined; make them one factor"
                )


def _path(key: str) -> tuple[str, ...]:
    return tuple(key.replace("::", "#").split("#"))
