"""Postprocessing is chosen by evidence, and what it gains is estimated where it was not chosen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.inference.kept_parts import PartRule, keep_parts
from medseg.planning.crossvalidation.part_choice import choose_rule, judge_class, rule_words
from medseg.planning.crossvalidation.part_tables import ClassParts, class_parts


def parts(*sizes_and_hits, label=100, smallest_label=50.0):
    """A prediction: voxels and right voxels of each part."""
    sizes, hits = zip(*sizes_and_hits, strict=True) if sizes_and_hits else ((), ())
    return ClassParts(
        voxels=np.array(sizes, dtype=np.int64),
        hits=np.array(hits, dtype=np.int64),
        label_voxels=label,
        smallest_label=smallest_label,
        unit=1.0,
    )


# A structure found well, and a false part of 40 voxels beside it.
SPURIOUS = [parts((90, 90), (40 + n, 0)) for n in range(6)]
# Two true parts of equal use: without one of them half is lost.
TWO_TRUE = [parts((60, 55), (50 + n, 45)) for n in range(6)]


def test_dsc_of_a_rule_by_hand():
    # All: 2 * 90 / (130 + 100); the largest alone: 2 * 90 / (90 + 100).
    assert SPURIOUS[0].dsc(None) == pytest.approx(180 / 230)
    assert SPURIOUS[0].dsc(PartRule(keep="largest")) == pytest.approx(180 / 190)
    # Nothing predicted and nothing there counts as exact, as in all scores.
    assert parts(label=0).dsc(None) == 1
    assert parts((5, 0), label=0).dsc(PartRule(smallest=6)) == 1


def test_false_parts_beside_the_structure_are_removed():
    found = judge_class("tumour", {0: SPURIOUS[:3], 1: SPURIOUS[3:]})
    assert found.rule is not None
    assert found.held_out.gain > 0.1
    assert found.held_out.better == 6
    assert found.held_out.worse == 0


def test_true_parts_are_left_alone():
    found = judge_class("tumour", {0: TWO_TRUE[:3], 1: TWO_TRUE[3:]})
    assert found.rule is None
    assert found.chosen.gain == 0
    assert found.held_out.gain == 0


def test_the_mildest_of_rules_that_gain_as_much_is_chosen():
    # Each size from 5 to 50 removes the part of 2 voxels, and nothing else; so does `largest`.
    cases = [parts((90, 90), (2, 0), label=90) for _ in range(6)]
    chosen = choose_rule(cases)
    assert chosen.rule == PartRule(smallest=5)


def test_no_size_exceeds_the_smallest_part_of_a_reference():
    cases = [parts((90, 90), (30, 0), smallest_label=20.0) for _ in range(6)]
    chosen = choose_rule(cases)
    # 50 would do, and is larger than a real structure; the largest part is what remains to try.
    assert chosen.rule == PartRule(keep="largest")


def test_a_gain_in_two_cases_is_no_evidence():
    cases = [*SPURIOUS[:2], *([parts((90, 90))] * 8)]
    assert choose_rule(cases).rule is None


def test_a_gain_that_no_table_shows_is_none():
    cases = [parts((100_000, 100_000), (10, 0), label=100_000) for _ in range(10)]
    assert choose_rule(cases).rule is None


def test_what_helps_on_one_fold_alone_is_judged_by_the_other():
    # Chosen on fold 0, it would cost fold 1 more than it gains; chosen on fold 1, it is nothing.
    losing = [parts((60, 60), (30, 30), label=90) for _ in range(6)]
    found = judge_class("tumour", {0: SPURIOUS, 1: losing})
    assert found.by_fold[1] is not None
    assert found.by_fold[0] is None
    assert found.held_out.gain < 0
    assert found.rule is None


@given(data=st.data())
def test_the_table_of_parts_gives_the_dsc_of_the_label_without_them(data):
    draw = st.lists(st.booleans(), min_size=60, max_size=60)
    pred = np.array(data.draw(draw)).reshape(4, 5, 3)
    label = np.array(data.draw(draw)).reshape(4, 5, 3)
    rule = data.draw(
        st.builds(PartRule, keep=st.sampled_from(["all", "largest"]), smallest=st.floats(0, 30))
    )
    kept = keep_parts(pred.astype(np.uint8), {1: rule}, 0.5) == 1
    both = kept.sum() + label.sum()
    dsc = 2 * (kept & label).sum() / both if both else 1.0
    assert class_parts(pred, label, 0.5).dsc(rule) == pytest.approx(dsc)


def test_rules_in_words():
    assert rule_words(PartRule(smallest=0.5), "ml") == "each part from 0.5 ml"
    assert rule_words(PartRule(keep="largest"), "ml") == "the largest part"
