"""Random splits: 80 % and 20 % within groups, no patient in both."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from medseg.data import Case, load_manifest
from medseg.studies.running.splits import HELD_OUT, random_split
from tests.glands import write_glands


def manifest(tmp_path_factory, cases):
    folder = tmp_path_factory.mktemp("glands")
    write_glands(folder)
    return load_manifest(folder / "manifest.json").model_copy(
        update={"training": tuple(cases), "test": ()}
    )


def case(number, patient, group):
    return Case(case=f"c{number}", patient=patient, image=f"{number}.png", group=group, fold=0)


def test_a_fifth_of_each_group_is_held_out_and_test_cases_take_part(tmp_path_factory):
    cases = [case(n, f"p{n}", "rare" if n < 10 else "common") for n in range(50)]
    whole = manifest(tmp_path_factory, cases[:30]).model_copy(update={"test": tuple(cases[30:])})
    split = random_split(whole, seed=3)
    held_out = [one for one in split.training if one.fold == HELD_OUT]
    assert Counter(one.group for one in held_out) == {"rare": 2, "common": 8}
    assert len(split.training) == 50
    assert split.test == ()


@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from("ab")), min_size=2, max_size=20),
    st.integers(0, 99),
)
def test_a_patient_is_whole_and_the_seed_decides(tmp_path_factory, rows, seed):
    cases = [case(n, f"p{patient}{group}", group) for n, (patient, group) in enumerate(rows)]
    whole = manifest(tmp_path_factory, cases)
    split = random_split(whole, seed)
    folds = {}
    for one in split.training:
        folds.setdefault(one.patient, set()).add(one.fold)
    assert all(len(of_patient) == 1 for of_patient in folds.values())
    assert split == random_split(whole, seed)


def test_seeds_split_differently(tmp_path_factory):
    whole = manifest(tmp_path_factory, [case(n, f"p{n}", "one") for n in range(30)])
    splits = {tuple(c.fold for c in random_split(whole, seed).training) for seed in range(5)}
    assert len(splits) == 5
