"""Tables of cases: whose patient and group each case is, by a CSV or TSV file."""

from pathlib import Path

import pytest

from medseg.data.datasets.case_table import CaseTable, TableRow, read_case_table, table_of
from medseg.errors import DataError, UsageError

CASES = ("a1", "a2", "b1")
ROWS = "id,mosaic,group\na1,a,fluo\na2,a,fluo\nb1,b,purple\n"
EXPECTED = {
    "a1": TableRow("a", "fluo"),
    "a2": TableRow("a", "fluo"),
    "b1": TableRow("b", "purple"),
}


def written(folder, text, encoding="utf-8"):
    path = folder / "groups.csv"
    path.write_text(text, encoding=encoding)
    return path


def read(folder, text, patient="mosaic", group="group", cases=CASES, encoding="utf-8"):
    path = written(folder, text, encoding)
    return read_case_table(CaseTable(path=path, patient_column=patient, group_column=group), cases)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_patient_and_group_are_read_however_a_spreadsheet_writes(tmp_path, delimiter, encoding):
    assert read(tmp_path, ROWS.replace(",", delimiter), encoding=encoding) == EXPECTED


def test_the_column_of_the_cases_is_found_wherever_it_is_and_rows_of_others_do_no_harm(tmp_path):
    text = "group,mosaic,picture\nfluo,a,a1.png\nother,z,z9.png\nfluo,a,a2.png\n\npurple,b,b1.png\n"
    assert read(tmp_path, text) == EXPECTED


def test_a_column_that_is_not_asked_for_says_nothing(tmp_path):
    assert read(tmp_path, ROWS, group=None)["a1"] == TableRow("a", None)


@pytest.mark.parametrize(
    ("text", "columns", "says"),
    [
        (ROWS, ("mosiac", "group"), r"--patient-column mosiac: .* did you mean mosaic\?"),
        (ROWS, ("mosaic", "stain"), r"--group-column stain: .* it has id, mosaic, group"),
        (ROWS.replace("b1,b,purple\n", ""), ("mosaic", "group"), "no row for b1, 1 of 3 cases"),
        (ROWS + "a1,b,purple\n", ("mosaic", "group"), "case a1 is in lines 2 and 5"),
        (ROWS.replace("a2,a,", "a2,,"), ("mosaic", "group"), "line 3: mosaic of case a2 is empty"),
        (ROWS.replace("group", "mosaic"), ("mosaic", None), "two columns are called mosaic"),
        ("id,mosaic\nx,a\n", ("mosaic", None), "no column has names of cases, such as a1"),
        ("", ("mosaic", None), "is empty"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_in_a_line(tmp_path, text, columns, says):
    with pytest.raises((DataError, UsageError), match=says) as caught:
        read(tmp_path, text, *columns)
    assert "\n" not in str(caught.value)


def test_a_table_that_is_no_text_or_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="not UTF-8"):
        read(tmp_path, "id,mosaic\nä,b\n", encoding="latin-1")
    with pytest.raises(DataError, match="cannot be read"):
        read_case_table(CaseTable(path=tmp_path / "none.csv", patient_column="mosaic"), CASES)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((None, "mosaic", None), "--patient-column needs a table"),
        ((None, None, "group"), "--group-column needs a table"),
        ((Path("t.csv"), None, None), "--table t.csv: which column is meant"),
    ],
)
def test_half_of_the_options_is_refused(options, says):
    with pytest.raises(UsageError, match=says):
        table_of(*options)


def test_no_option_is_no_table():
    assert table_of(None, None, None) is None
