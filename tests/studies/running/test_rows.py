"""Rows of a study: one factor at a time, a grid, combinations."""

import pytest

from medseg.errors import UsageError
from medseg.studies.running.rows import study_rows
from medseg.studies.study_file import Study

FACTORS = {
    "norm": {"none": {"network_def#norm": "none"}, "batch": {"network_def#norm_kind": "batch"}},
    "rate": {"low": {"learning_rate": 0.0001}},
}


def study(**keys):
    return Study.model_validate({"title": "A study", "seeds": (1,), "factors": FACTORS, **keys})


def test_each_level_of_each_factor_is_a_row_beside_the_baseline():
    rows = study_rows(study())
    assert list(rows) == ["baseline", "norm=none", "norm=batch", "rate=low"]
    assert rows["baseline"] == {}
    assert rows["rate=low"] == {"learning_rate": 0.0001}


def test_a_grid_crosses_the_factors_and_their_baselines():
    rows = study_rows(study(design="grid"))
    assert list(rows) == [
        "baseline", "rate=low", "norm=none", "norm=none, rate=low",
        "norm=batch", "norm=batch, rate=low",
    ]  # fmt: skip
    assert rows["norm=none, rate=low"] == {"network_def#norm": "none", "learning_rate": 0.0001}


def test_combinations_change_several_things_at_once():
    rows = study_rows(study(combinations={"both": {"epochs": 1, "batch_size": 1}}))
    assert rows["both"] == {"epochs": 1, "batch_size": 1}


@pytest.mark.parametrize("key", ["network_def#norm", "network_def", "network_def::norm"])
def test_two_factors_of_a_grid_do_not_set_one_key(key):
    factors = {**FACTORS, "other": {"one": {key: "none"}}}
    with pytest.raises(UsageError, match=r"norm and other both set network_def.*make them one"):
        study_rows(study(factors=factors, design="grid"))


def test_one_at_a_time_two_factors_may_set_one_key():
    factors = {**FACTORS, "other": {"one": {"learning_rate": 0.1}}}
    assert len(study_rows(study(factors=factors))) == 5


def test_a_published_finding_of_no_row_is_refused():
    with pytest.raises(UsageError, match=r"no row is named 'norm=nome'; rows: baseline, norm=none"):
        study_rows(study(published={"norm=nome": {"effect": "worse"}}))


def test_one_run_is_no_study():
    with pytest.raises(UsageError, match="no row but the baseline, and one seed"):
        study_rows(study(factors={}))


def test_a_row_is_named_once():
    with pytest.raises(UsageError, match="two rows are named 'rate=low'"):
        study_rows(study(combinations={"rate=low": {}}))
