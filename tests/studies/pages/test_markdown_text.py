"""Text in a study's page reads as it was written, wherever it stands."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.studies.pages.markdown_text import code, code_block, escaped, file_link, table


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("loss=jaccard", "loss=jaccard"),
        ("a | b", r"a \| b"),
        ("<b> & *c*", r"\<b\> & \*c\*"),
        ("low_grade_in", "low_grade_in"),
        ("__init__", r"\_\_init\_\_"),
        ("$x$", r"\$x\$"),
        ("two\nlines", r"two\\nlines"),
    ],
)
def test_markup_is_escaped_and_words_are_left(text, written):
    assert escaped(text) == written


def test_a_table_has_words_to_the_left_and_numbers_to_the_right():
    assert table(["row", "score"], [["a", "0.5"]]).splitlines() == [
        "| row | score |",
        "| --- | ---: |",
        "| a | 0.5 |",
    ]


@given(st.lists(st.text(max_size=12), min_size=1, max_size=4))
def test_a_line_of_a_table_has_as_many_cells_as_columns(cells):
    line = table([""] * len(cells), [[escaped(cell) for cell in cells]]).split("\n")[-1]
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == len(cells) + 1


@pytest.mark.parametrize("text", ["x", "a `b` c", "``", "`"])
def test_code_may_hold_backticks(text):
    fence = re.match("`+", code(text))[0]
    assert fence not in text
    assert code(text).strip("`").strip() or "`" in text
    block = code_block(text).splitlines()
    assert block[0] == block[-1]
    assert block[0] not in text


def test_a_link_has_no_blanks_in_its_path():
    link = file_link("config.yaml", "rows/01_a (b)=c/config.yaml")
    assert link == "[config.yaml](rows/01_a%20%28b%29=c/config.yaml)"
