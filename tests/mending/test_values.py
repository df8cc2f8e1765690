"""Which values become which, and when nobody can know it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.mending.values import value_map

values = st.sets(st.integers(0, 9), max_size=6)


@pytest.mark.parametrize(
    ("found", "names", "becomes"),
    [
        # A mask of one class, under whatever number.
        ([{0, 255}, {0, 255}], 2, {255: 1}),
        ([{0, 255}, {0, 1}], 2, {255: 1}),
        ([{0, 2}, {0}], 2, {2: 1}),
        # As many values as names, in their order.
        ([{0, 4}, {0, 5}], 3, {4: 1, 5: 2}),
        ([{0, 1, 3}], 3, {3: 2}),
        # All have their names already.
        ([{0, 2}], 3, {}),
        ([{0, 1}, {0}], 2, {}),
        ([], 2, {}),
        # Class 1 may be absent; 2 is named already; 1 and 2 may be two classes; too many.
        ([{0, 3}], 3, {}),
        ([{0, 2, 4}], 3, {}),
        ([{0, 2}, {0, 5}], 3, {}),
        ([{0, 1}, {0, 2}], 2, {}),
        ([{0, 1, 255}], 2, {}),
        ([{0, 1, 2, 3}], 3, {}),
    ],
)
def test_values_are_renumbered_only_if_there_is_one_way(found, names, becomes):
    assert value_map(found, names).values == becomes


@given(st.lists(values, max_size=4), st.integers(2, 6))
def test_no_value_changes_its_name_and_no_two_become_one(found, names):
    becomes = value_map(found, names).values
    assert all(value >= names for value in becomes)
    marked = {value for one in found for value in one if value}
    after = [becomes.get(value, value) for value in marked]
    assert len(set(after)) == len(marked)
    if becomes:
        assert sorted(after) == list(range(1, names))
        assert sorted(marked, key=lambda value: becomes.get(value, value)) == sorted(marked)
