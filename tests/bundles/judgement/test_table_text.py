"""Cells that a spreadsheet takes for formulas are found; numbers, signs and texts are none."""

import pytest

from medseg.bundles.judgement.files.table_text import table_findings

FORMULAS = [
    "=1+1",
    "a,=cmd|' /C calc'!A0",
    "+cmd|' /C calc'!A0",
    "-cmd|' /C calc'!A0",
    "@SUM(A1)",
    'a,"=1+1"',
    "a;=1",
    "a\t=1",
    "-2+3+cmd|' /C calc'!A0",
    " =1",
]
PLAIN = ["a,b", "-1.5,+2,-.5", "-inf,-nan,+inf", "a,-,b", "-", "a-b,c=d", "'=1", "1e-5,-1e-5", ""]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_found(text):
    assert [found.grade for found in table_findings(text)] == ["needs trust"]


@pytest.mark.parametrize("text", PLAIN)
def test_numbers_signs_and_texts_are_none(text):
    assert not list(table_findings(text))


def test_its_line_is_told():
    assert next(table_findings("a,b\n1,2\n3,=4\n")).line == 3
