"""Averages by class and group: macro, pooled and micro."""

import pytest

from medseg.studies.statistics.averages import GROUP_MEAN, averages, score_by_class
from tests.studies.statistics.studies import case, run


def counted(name, class_name, tp, fp, fn, group=None):
    dsc = 2 * tp / (2 * tp + fp + fn)
    return case(name, dsc, class_name=class_name, group=group, tp=tp, fp=fp, fn=fn, tn=100)


def value(found, name, group="", metric="dsc"):
    (one,) = (a for a in found if (a.name, a.group) == (name, group))
    return one.values[metric]


# Class x: DSC 1 in a of 10 voxels, 0.5 in b (2 * 10 / 40); class y: 0.8 (80 / 100) and 0 (0 / 10).
CASES = (
    counted("a", "x", 10, 0, 0),
    counted("a", "y", 40, 10, 10),
    counted("b", "x", 10, 10, 10),
    counted("b", "y", 0, 5, 5),
)


def test_macro_weighs_each_case_and_class_the_same():
    found = averages([run("row", 0, 0, CASES)])
    assert value(found, "x") == pytest.approx(0.75)
    assert value(found, "y") == pytest.approx(0.4)
    assert value(found, "macro") == pytest.approx(0.575)


def test_pooled_adds_counts_within_a_class_and_micro_over_all():
    found = averages([run("row", 0, 0, CASES)])
    # Class x has 20 hits and 20 errors: 40 / 60; class y 40 hits and 30 errors: 80 / 110.
    assert value(found, "pooled") == pytest.approx((2 / 3 + 8 / 11) / 2)
    # Together they have 60 hits and 50 errors, 25 of them false alarms.
    assert value(found, "micro") == pytest.approx(120 / 170)
    assert value(found, "micro", metric="precision") == pytest.approx(60 / 85)


def test_of_several_metrics_each_has_its_averages_and_counts_are_none():
    found = averages([run("row", 0, 0, [case("a", 0.5, hd95_mm=3.0), case("b", 0.7, hd95_mm=5.0)])])
    assert value(found, "macro", metric="hd95_mm") == 4
    assert {name for one in averages([run("row", 0, 0, CASES)]) for name in one.values}.isdisjoint(
        {"tp", "fp", "fn", "tn"}
    )


def test_without_counts_there_is_nothing_to_pool():
    found = averages([run("row", 0, 0, [case("a", 0.5)])])
    assert [one.name for one in found] == ["tumour", "macro"]


def test_groups_stand_apart_and_their_mean_weighs_each_the_same():
    cases = [
        case("a", 0.9, group="polyp"),
        case("b", 0.7, group="polyp"),
        case("c", 0.2, group="normal"),
    ]
    found = averages([run("row", 0, 0, cases)])
    assert value(found, "macro", "polyp") == pytest.approx(0.8)
    assert value(found, "macro", "normal") == pytest.approx(0.2)
    assert value(found, "macro", GROUP_MEAN) == pytest.approx(0.5)
    assert value(found, "macro") == pytest.approx(0.6)
    assert [(a.group, a.cases) for a in found if a.name == "macro"] == [
        ("", 3),
        ("polyp", 2),
        ("normal", 1),
        (GROUP_MEAN, 3),
    ]


def test_folds_of_a_seed_are_one_table_and_seeds_are_averaged():
    runs = [
        run("row", 0, 0, [counted("a", "x", 30, 0, 0)]),
        run("row", 0, 1, [counted("b", "x", 10, 20, 20)]),
        run("row", 1, 0, [counted("a", "x", 30, 0, 0)]),
        run("row", 1, 1, [counted("b", "x", 30, 0, 0)]),
    ]
    # seed 0: 2 * 40 / (80 + 40) = 2 / 3; seed 1: 1
    assert value(averages(runs), "micro") == pytest.approx(5 / 6)
    assert averages(runs)[0].cases == 2


def test_scores_of_the_whole_case_stand_beside_the_classes_and_out_of_their_mean():
    cases = [case("a", 0.8), case("a", class_name="all", seg=0.6)]
    found = averages([run("row", 0, 0, cases)])
    assert value(found, "all", metric="seg") == 0.6
    assert value(found, "macro") == 0.8
    assert score_by_class(found, "dsc") == {"tumour": 0.8, "macro": 0.8}


def test_without_runs_there_is_no_average():
    assert averages([]) == ()
