"""Splits: whose case is whose, and groups that are spread over testing and folds."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.data.datasets.case_table import CaseTable
from medseg.data.datasets.folds import spread_patients
from medseg.data.datasets.split import (
    Owner,
    SplitPlan,
    owner_words,
    owners_of,
    split_patients,
    told_owners,
)
from medseg.errors import UsageError


def table(folder, text="id,mosaic,group\nc1,m,fluo\nc2,m,fluo\nc3,n,pink\n"):
    path = folder / "groups.csv"
    path.write_text(text, encoding="utf-8")
    return CaseTable(path=path, patient_column="mosaic", group_column="group")


def test_a_table_says_whose_each_case_is(tmp_path):
    images = {"c1": "image/c1.png", "c3": "image/c3.png"}
    owners = owners_of(images, SplitPlan(table=table(tmp_path)))
    assert owners == {"c1": Owner("m", "fluo"), "c3": Owner("n", "pink")}


def test_a_pattern_and_a_column_for_the_same_thing_are_refused(tmp_path):
    for what in ("patient", "group"):
        with pytest.raises(UsageError, match=f"--{what}-regex and --{what}-column"):
            SplitPlan(table=table(tmp_path), **{f"{what}_regex": "^(c)"})


def test_a_tenth_of_each_group_is_tested_and_a_fifth_of_the_rest_is_in_each_fold(tmp_path):
    # Twenty patients of one group and ten of another, two pictures each.
    sizes = {"common": 20, "rare": 10}
    owners = [
        Owner(f"{group}{number}", group)
        for group, count in sizes.items()
        for number, _ in product(range(count), range(2))
    ]
    plan = SplitPlan(table=table(tmp_path), test_patients=3, folds=3)
    tested, folds = split_patients(owners, plan)
    assert Counter(name.rstrip("0123456789") for name in tested) == {"common": 2, "rare": 1}
    assert set(folds) | tested == {one.patient for one in owners}
    for fold in range(3):
        inside = Counter(p.rstrip("0123456789") for p, other in folds.items() if other == fold)
        assert inside == {"common": 6, "rare": 3}


@given(names=st.lists(st.sampled_from("abc"), min_size=1, max_size=40), part=st.integers(0, 40))
def test_the_first_patients_have_their_share_of_each_group(names, part):
    order = [f"{group}{number}" for number, group in enumerate(names)]
    spread = spread_patients(order, {patient: patient[0] for patient in order})
    assert sorted(spread) == sorted(order)
    first = Counter(patient[0] for patient in spread[:part])
    for group, count in Counter(names).items():
        share = count * min(part, len(names)) / len(names)
        assert abs(first[group] - share) < len(set(names))


def test_what_was_said_once_is_said_again_unless_something_else_is(tmp_path):
    said = SplitPlan(table=table(tmp_path), test_patients=2)
    assert told_owners(SplitPlan(test_patients=2), owner_words(said)) == said
    patterns = SplitPlan(patient_regex="^(p)", group_regex="^(g)")
    assert told_owners(SplitPlan(), owner_words(patterns)) == patterns
    assert told_owners(patterns, owner_words(said)) == patterns
    assert told_owners(SplitPlan(), {}) == SplitPlan()
