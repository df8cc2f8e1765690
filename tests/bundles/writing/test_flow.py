"""One-line YAML: read back it is what was written."""

import yaml
from hypothesis import given
from hypothesis import strategies as st

from medseg.bundles.writing.flow import flow

words = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]), max_size=20)
# Numbers of a config have no more than ten digits.
numbers = st.floats(-1e9, 1e9).map(lambda value: float(f"{value:.6g}"))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | numbers | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner),
)


@given(value=values)
def test_a_value_is_read_back_as_it_was(value):
    assert yaml.safe_load(f"key: {flow(value)}") == {"key": value}


@given(value=values)
def test_it_is_one_line(value):
    assert "\n" not in flow(value)


def test_values_look_as_in_the_shipped_configs():
    assert flow([1, 2.0, 0.00001]) == "[1, 2.0, 1.0e-05]"
    assert flow({"_target_": "medseg.losses.Loss", "on": None}) == (
        "{_target_: medseg.losses.Loss, on: null}"
    )
    # Words that YAML would read as something else are quoted, and references.
    assert flow(["@keys", "no", "1x"]) == '["@keys", "no", "1x"]'
