"""Remarks of a plan: what its user should look at, and what ends it."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from medseg._checks import first_few
from medseg.data.manifest import Manifest
from medseg.data.problems import Problem, warning_lines
from medseg.errors import DataError
from medseg.planning.fingerprint.case_facts import CaseFacts
from medseg.planning.fingerprint.cohort import Cohort
from medseg.planning.fingerprint.set_facts import SetFacts, at

__all__ = ["remarks_of", "require_plannable"]

SHOWN = 3
# Of the cases: so many unusable ones are no accident.
MOST_UNUSABLE = 0.2
FAR_SPACING, FAR_SHAPE = 2.0, 4.0


def require_plannable(manifest: Manifest, cohort: Cohort) -> None:
    """Refuse a data set of which too much cannot be used, or that lacks a class.

    Raises:
        DataError: With the first problem and its remedy.
    """
    errors = [
        (report.case, problem)
        for report in cohort.reports
        for problem in report.problems
        if problem.severity == "error"
    ]
    bad = len({case for case, _ in errors})
    if errors and (not cohort.facts or bad > MOST_UNUSABLE * len(cohort.reports)):
        case, problem = errors[0]
        raise DataError(
            f"{bad} of {len(cohort.reports)} cases cannot be used, e.g. {case}: {problem.where}: "
            f"{problem.what}; {problem.remedy}"
        )
    for index, label in enumerate(manifest.labels[1:]):
        if cohort.facts and not any(case.classes[index].voxels for case in cohort.facts):
            names = [other.name for other in manifest.labels if other is not label]
            raise DataError(
                f"{label.name}: no case has a voxel of {label.value}; check the labels' "
                "values, or leave "
                f"the class out: --label-names {','.join(names)}"
            )


def remarks_of(manifest: Manifest, cohort: Cohort, facts: SetFacts) -> list[str]:
    """What to look at, a line each: unusable cases, outliers, empty labels, duplicates, leaks."""
    return [
        *_unusable(cohort),
        *_folds_without_a_class(manifest, cohort),
        *warning_lines({report.case: _warnings(report.problems) for report in cohort.reports}),
        *(
            f"{problem.what}; {problem.remedy}"
            for problem in cohort.problems
            if "manifest does not list" not in problem.what
        ),
        *_outliers(cohort.facts, facts),
        *_small_parts(facts),
    ]


def _warnings(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(one for one in problems if one.severity == "warning")


def _unusable(cohort: Cohort) -> Iterator[str]:
    for report in cohort.reports:
        for problem in report.problems:
            if problem.severity == "error":
                yield f"{report.case}: left out: {problem.where}: {problem.what}; {problem.remedy}"
                break


def _folds_without_a_class(manifest: Manifest, cohort: Cohort) -> Iterator[str]:
    facts = {case.case: case for case in cohort.facts}
    folds = sorted({case.fold for case in manifest.training if case.fold is not None})
    for index, label in enumerate(manifest.labels[1:]):
        there = {
            case.fold
            for case in manifest.training
            if case.case in facts and facts[case.case].classes[index].voxels
        }
        if len(there) == 1 and len(folds) > 1:
            yield (
                f"{label.name} occurs in fold {there.pop()} alone, so that the training of "
                "that fold never sees it; "
                "add cases that have it"
            )


def _outliers(cases: Sequence[CaseFacts], facts: SetFacts) -> Iterator[str]:
    yield from _far("voxels", cases, [case.spacing for case in cases], facts.spacing, FAR_SPACING)
    yield from _far("shape", cases, [case.shape for case in cases], facts.shape, FAR_SHAPE)
    yield from _odd_orientation(cases)
    yield from _odd_intensities(cases, facts)
    empty = [case.case for case in cases if not case.inside]
    if empty:
        yield (
            f"{first_few(empty, SHOWN)}: nothing is labelled; right where there is nothing to be "
            "found"
        )


def _far(
    what: str,
    cases: Sequence[CaseFacts],
    values: Sequence[Sequence[float]],
    median: Sequence[float],
    factor: float,
) -> Iterator[str]:
    far = [
        (case.case, "x".join(f"{one:.3g}" for one in value))
        for case, value in zip(cases, values, strict=True)
        if any(
            not 1 / factor <= one / mid <= factor for one, mid in zip(value, median, strict=True)
        )
    ]
    if far:
        usual = "x".join(f"{one:.3g}" for one in median)
        names = first_few((f"{case} ({value})" for case, value in far), SHOWN)
        yield f"{what} unlike the others' ({usual}): {names}, {len(far)} of {len(cases)} cases"


def _odd_orientation(cases: Sequence[CaseFacts]) -> Iterator[str]:
    counts = Counter(case.orientation for case in cases)
    usual, _ = counts.most_common(1)[0]
    odd = [case.case for case in cases if case.orientation != usual]
    if odd and len(odd) <= 0.2 * len(cases):
        yield (
            f"stored in another orientation than {usual}: {first_few(odd, SHOWN)}; check that "
            "left is left"
        )


def _odd_intensities(cases: Sequence[CaseFacts], facts: SetFacts) -> Iterator[str]:
    if facts.modality not in ("CT", "PT"):
        return
    middles = {case.case: at(case.inside, 50.0) for case in cases if case.inside}
    values = np.asarray(list(middles.values()))
    if len(values) < 5:
        return
    middle = float(np.median(values))
    spread = max(1.4826 * float(np.median(np.abs(values - middle))), 1e-6)
    odd = [
        f"{case} ({value:.3g})"
        for case, value in middles.items()
        if abs(value - middle) > 6 * spread
    ]
    if odd:
        yield (
            f"labelled intensities far from the others' ({middle:.3g} {facts.unit}): "
            f"{first_few(odd, SHOWN)}"
        )


def _small_parts(facts: SetFacts) -> Iterator[str]:
    for one in facts.classes:
        if (
            facts.label_kind != "instances"
            and one.sizes
            and one.parts >= 2
            and at(one.sizes, 10.0) < 8
        ):
            yield (
                f"{one.name}: one part in ten has fewer than 8 voxels; specks of the drawing "
                "tool are learnt as "
                "well: medseg data check --fix"
            )
