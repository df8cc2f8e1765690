"""Split of a data set: whose case is whose, which are for testing, and which fold each is in.

Patients and groups are named by the user: by a regular expression over names, or a table of cases.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from medseg.data.datasets.case_table import CaseTable, TableRow, read_case_table
from medseg.data.datasets.folds import deal_folds, deal_groups, shuffled_patients, spread_patients
from medseg.errors import UsageError

__all__ = ["Owner", "SplitPlan", "owner_words", "owners_of", "split_patients", "told_owners"]

MOST_FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class SplitPlan:
    """How the cases are split.

    Attributes:
        folds: Number of folds; None takes five, or as many as there are patients; a single patient
            is in no fold, so that all that there is of him is trained on.
        test_patients: Number of patients set aside as test cases before the folds are assigned.
        patient_regex: Searched in the case's name; its first group is the patient. None: every
            case is a patient of its own.
        group_regex: Searched in the image's path, as written in the manifest; its first group is
            the case's `group`. None: cases have no group.
        table: A table that has patients, groups or both, instead; the groups of a table are spread
            evenly over testing and folds.
        seed: Random seed for assigning patients to folds.

    Raises:
        UsageError: If patients or groups are named twice.
    """

    folds: int | None = 5
    test_patients: int = 0
    patient_regex: str | None = None
    group_regex: str | None = None
    table: CaseTable | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.table is None:
            return
        for what, pattern, column in (
            ("patient", self.patient_regex, self.table.patient_column),
            ("group", self.group_regex, self.table.group_column),
        ):
            if pattern is not None and column is not None:
                raise UsageError(f"--{what}-regex and --{what}-column: give one of them")


def owner_words(plan: SplitPlan) -> dict[str, str]:
    """How a plan says whose each case is, as words that `told_owners` reads."""
    table = plan.table
    words = {"patient_regex": plan.patient_regex, "group_regex": plan.group_regex}
    if table is not None:
        words |= {"table": str(table.path.absolute())}
        words |= {"patient_column": table.patient_column, "group_column": table.group_column}
    return {key: word for key, word in words.items() if word is not None}


def told_owners(plan: SplitPlan, words: Mapping[str, str]) -> SplitPlan:
    """The plan with what was said before of patients and groups, if it says nothing itself."""
    if owner_words(plan):
        return plan
    table = None
    if "table" in words:
        columns = words.get("patient_column"), words.get("group_column")
        table = CaseTable(
            path=Path(words["table"]), patient_column=columns[0], group_column=columns[1]
        )
    patterns = words.get("patient_regex"), words.get("group_regex")
    return replace(plan, patient_regex=patterns[0], group_regex=patterns[1], table=table)


@dataclass(frozen=True)
class Owner:
    """The patient and the group of a case."""

    patient: str
    group: str | None


def owners_of(images: Mapping[str, str], plan: SplitPlan) -> dict[str, Owner]:
    """Whose each case is.

    Args:
        images: The path of each case's first file, as in the manifest, by the case's name.
        plan: How that is found.

    Raises:
        UsageError: If a pattern finds nothing, or is none.
        DataError: If the table does not fit the cases.
    """
    rows = {} if plan.table is None else read_case_table(plan.table, images)
    return {case: _owner(case, image, rows.get(case), plan) for case, image in images.items()}


def _owner(case: str, image: str, row: TableRow | None, plan: SplitPlan) -> Owner:
    patient, group = (None, None) if row is None else (row.patient, row.group)
    if plan.patient_regex:
        patient = _found("patient", plan.patient_regex, f"case {case!r}", case)
    if plan.group_regex:
        group = _found("group", plan.group_regex, f"image {image!r}", image)
    return Owner(patient or case, group)


def _found(what: str, pattern: str, where: str, text: str) -> str:
    """The first group of a regular expression's match."""
    try:
        match = re.search(pattern, text)
    except re.error as error:
        raise UsageError(f"--{what}-regex {pattern}: {error}; correct the pattern") from error
    if match is None or not match.groups() or not match[1]:
        raise UsageError(
            f"--{what}-regex {pattern}: finds no {what} in {where}; "
            f"put the part that names the {what} in parentheses"
        )
    return match[1]


def split_patients(
    owners: Sequence[Owner], plan: SplitPlan
) -> tuple[frozenset[str], dict[str, int]]:
    """Patients for testing, and the fold of each of the others.

    Args:
        owners: Of the cases that have a label.
        plan: How many there are of both.

    Raises:
        UsageError: If there are fewer patients than folds.
    """
    order = shuffled_patients((one.patient for one in owners), seed=plan.seed)
    spread = plan.table is not None and plan.table.group_column is not None
    groups = _groups(owners)
    if spread:
        order = spread_patients(order, groups)
    tested, others = order[: plan.test_patients], order[plan.test_patients :]
    if plan.folds is None and len(others) == 1:
        return frozenset(tested), {}
    wanted = min(MOST_FOLDS, len(others)) if plan.folds is None else plan.folds
    if not spread:
        return frozenset(tested), deal_folds(others, wanted, seed=plan.seed)
    return frozenset(tested), deal_groups(others, groups, wanted)


def _groups(owners: Sequence[Owner]) -> dict[str, str]:
    """The group of each patient: that of most of his cases."""
    counts: dict[str, Counter[str]] = {}
    for one in owners:
        counts.setdefault(one.patient, Counter())[one.group or ""] += 1
    return {
        patient: min(groups, key=lambda group: (-groups[group], group))
        for patient, groups in counts.items()
    }
