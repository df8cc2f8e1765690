"""Lines of an inspection keep to their width, whatever letters they hold."""

from unicodedata import east_asian_width

from hypothesis import given
from hypothesis import strategies as st

from medseg.sharing.describing.inspection_lines import wrapped


@given(text=st.text(), columns=st.integers(20, 80))
def test_no_line_is_wider_than_it_may_be_and_nothing_is_lost(text, columns):
    lines = list(wrapped(text, columns))
    for line in lines:
        assert line.isprintable()
        assert sum(1 + (east_asian_width(letter) in "WF") for letter in line) <= columns
    seen = [letter for letter in text if letter.isprintable() and letter != " "]
    kept = [letter for letter in "".join(lines) if letter != " "]
    # What is left out of the kept letters are escapes alone, such as \n.
    remaining = iter(kept)
    assert all(letter in remaining for letter in seen)


def test_lines_break_at_spaces():
    assert list(wrapped("lung and infection in chest CT", 20)) == [
        "lung and infection",
        "in chest CT",
    ]


def test_wide_letters_take_two_columns():
    assert list(wrapped("\u809d" * 12, 20)) == ["\u809d" * 10, "\u809d" * 2]
