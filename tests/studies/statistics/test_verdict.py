"""Verdicts in words, and what they make of a published finding."""

import pytest

from medseg.studies.statistics.verdict import Evidence, finding_of, in_words, reproduction

BOTH = ("run", "case")


def evidence(
    difference, low, high, *, p=0.01, smallest=0.03, cases=20, rows=3, p_rank=None, of=BOTH
):
    return Evidence(
        difference=difference,
        ci95=(low, high),
        of=of,
        p_rank=p if p_rank is None else p_rank,
        p_mean=p,
        cases=cases,
        rows=rows,
        smallest=smallest,
    )


def verdict(found, score="dsc"):
    return in_words(found, finding_of(found, score))


def test_a_difference_that_interval_and_tests_agree_on_is_told_with_its_size():
    assert verdict(evidence(0.012, 0.004, 0.020)) == "better by 0.012 (0.004 to 0.020)"
    assert verdict(evidence(-0.012, -0.020, -0.004)) == "worse by 0.012 (0.004 to 0.020)"


def test_less_of_a_distance_is_better():
    assert verdict(evidence(-0.5, -0.9, -0.1), "hd95_mm") == "better by 0.500 (0.100 to 0.900)"
    assert verdict(evidence(-0.5, -0.9, -0.1), "dsc") == "worse by 0.500 (0.100 to 0.900)"


def test_without_evidence_the_verdict_says_what_the_study_would_see():
    words = verdict(evidence(0.002, -0.010, 0.014, p=0.7, smallest=0.02))
    assert words == (
        "no evidence of a difference: +0.002 (-0.010 to +0.014); the study would see 0.020"
    )


def test_an_interval_beside_zero_is_not_enough_if_many_rows_were_tried():
    words = verdict(evidence(0.012, 0.001, 0.023, p=0.12))
    assert words.startswith("no evidence of a difference after correction for the number of rows")


def test_the_rank_test_must_agree():
    assert finding_of(evidence(0.012, 0.004, 0.020, p_rank=0.2), "dsc") == "no evidence"


def test_the_rank_test_has_no_say_where_it_cannot_reach_five_per_cent():
    # Four cases: 2 of 16 outcomes, 0.125 at best.
    assert finding_of(evidence(0.012, 0.004, 0.020, p_rank=0.375, cases=4), "dsc") == "better"


def test_one_seed_is_no_evidence_whatever_the_cases_say():
    found = evidence(0.012, 0.004, 0.020, of=("case",))
    assert verdict(found) == (
        "no evidence of a difference: +0.012 (+0.004 to +0.020) over cases,"
        " but one seed has no noise floor"
    )
    assert reproduction("better", found, "no evidence", "dsc") == "cannot be seen at this size"


def test_small_differences_get_the_decimals_that_show_them():
    assert verdict(evidence(0.0003, 0.0001, 0.0005)) == "better by 0.0003 (0.0001 to 0.0005)"


@pytest.mark.parametrize(
    ("published", "found", "expected"),
    [
        ("better", evidence(0.03, 0.01, 0.05), "reproduced"),
        ("better", evidence(-0.03, -0.05, -0.01), "not reproduced"),
        ("better", evidence(0.00, -0.01, 0.01, p=0.9), "not reproduced"),
        ("better", evidence(-0.03, -0.07, 0.01, p=0.1), "not reproduced"),
        ("better", evidence(0.02, -0.02, 0.06, p=0.3), "cannot be seen at this size"),
        ("worse", evidence(-0.03, -0.05, -0.01), "reproduced"),
        ("worse", evidence(0.00, -0.01, 0.01, p=0.9), "not reproduced"),
        ("worse", evidence(0.00, -0.03, 0.03, p=0.9), "cannot be seen at this size"),
        ("same", evidence(0.00, -0.01, 0.01, p=0.9), "reproduced"),
        ("same", evidence(0.01, 0.005, 0.015), "reproduced"),
        ("same", evidence(0.00, -0.03, 0.03, p=0.9), "cannot be seen at this size"),
        ("same", evidence(0.05, 0.03, 0.07), "not reproduced"),
    ],
)
def test_a_published_finding_is_held_against_differences_from_two_hundredths(
    published, found, expected
):
    assert reproduction(published, found, finding_of(found, "dsc"), "dsc") == expected


def test_of_distances_the_smallest_that_the_study_sees_is_what_matters():
    found = evidence(0.1, -0.4, 0.6, p=0.6, smallest=0.7)
    assert reproduction("same", found, "no evidence", "hd95_mm") == "reproduced"
    assert reproduction("worse", found, "no evidence", "hd95_mm") == "not reproduced"
    wide = evidence(0.1, -0.9, 1.1, p=0.6, smallest=0.7)
    assert reproduction("worse", wide, "no evidence", "hd95_mm") == "cannot be seen at this size"
