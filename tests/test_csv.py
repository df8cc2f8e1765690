"""CSV: what Python's reader and a spreadsheet make of a table."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg._csv import csv_text

cells = st.text(st.characters(), max_size=20)


def read(text):
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1+1", "'+1+1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("-rf", "'-rf"),
        ("-1,5", "'-1,5"),
        ("\t=1", r"'\t=1"),
        ("-1.5", "-1.5"),
        ("+2e-3", "+2e-3"),
        ("-inf", "-inf"),
        ("nan", "nan"),
        (-0.5, "-0.5"),
        (None, ""),
        ("Müller, Hans", "Müller, Hans"),
        ("two\nlines", r"two\nlines"),
        (b"M\xfcller".decode(errors="surrogateescape"), r"M\xfcller"),
    ],
)
def test_a_cell_is_text_or_a_number_and_never_a_formula(cell, written):
    assert read(csv_text(["case"], [[cell]])) == [["case"], [written] if written else [""]]
    assert read(csv_text([cell], []))[0] == [written]


@given(st.lists(st.lists(cells, min_size=2, max_size=2), max_size=5))
def test_a_row_is_a_line_of_utf8_and_no_cell_begins_like_a_formula(rows):
    text = csv_text(["a", "b"], rows)
    text.encode()
    assert text.count("\n") == len(rows) + 1
    for row in read(text)[1:]:
        for cell in row:
            try:
                float(cell)
            except ValueError:
                assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r")
