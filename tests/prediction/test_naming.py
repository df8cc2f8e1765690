"""Names of outputs that a person can tell apart, and the key file that says whose they are."""

import csv
import multiprocessing
import re
import stat
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg._text import safe_name
from medseg.data.dicom.find import find_dicom_series
from medseg.data.dicom.person import Person, read_person
from medseg.data.source import Source
from medseg.errors import DataError, UsageError
from medseg.prediction.cases import CohortCase
from medseg.prediction.key_file import check_key_file, write_key_file
from medseg.prediction.naming import identifying_line, read_name_words, series_name
from medseg.prediction.search import Search, find_cases
from tests.data.dicom.builders import hounsfield, save, slices, uid

DIGITS = "[0-9a-f]{8}"


@pytest.fixture
def series(tmp_path):
    made = slices(hounsfield())
    for ds in made:
        ds.SpecificCharacterSet = "ISO_IR 100"
        ds.PatientName, ds.PatientID = "Müller^Änne", "P/001: a"
        ds.StudyDate, ds.AccessionNumber = "20210304", "A7"
        ds.SeriesDescription, ds.SeriesNumber = "=Thorax  1,5 B31f", 4
    return save(made, tmp_path / "Bett 3")


@pytest.fixture(scope="module")
def one_series(tmp_path_factory):
    (found,) = find_dicom_series(save(slices(hounsfield()), tmp_path_factory.mktemp("one")))
    return found


def name_of(folder, *words):
    (case,) = find_cases([Source(folder)], Search(name_by=read_name_words(words))).cases
    return case.name


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("short",), f"CT_{DIGITS}"),
        (("patient-id",), f"P-001-a_{DIGITS}"),
        (("patient-id", "study-date"), f"P-001-a_20210304_{DIGITS}"),
        (("study-date", "patient-id"), f"20210304_P-001-a_{DIGITS}"),
        (("description", "series-number"), f"Thorax-1-5-B31f_4_{DIGITS}"),
        (("accession",), f"A7_{DIGITS}"),
        (("folder",), f"Bett-3_{DIGITS}"),
    ],
)
def test_a_name_consists_of_what_was_asked_for(series, words, expected):
    assert re.fullmatch(expected, name_of(series, *words))


def test_without_a_word_the_name_is_the_uid_and_nobody_is_read(series):
    (case,) = find_cases([Source(series)]).cases
    assert case.name == name_of(series, "uid") == uid("a")
    assert case.person is None


def test_names_that_may_identify_patients_are_said_aloud():
    for word in ("patient-id", "study-date", "accession", "description", "folder"):
        assert identifying_line((word,)).startswith(f"--name-by {word}: names of files")
    assert identifying_line(("uid",)) is identifying_line(("short",)) is None
    assert identifying_line(("series-number",)) is None


def test_there_is_no_word_for_the_patients_name():
    with pytest.raises(UsageError, match=r"takes uid, short, patient-id, .* got 'patient-name'"):
        read_name_words(("patient-name",))


def test_uid_and_short_stand_alone():
    with pytest.raises(UsageError, match="stand alone"):
        read_name_words(("short", "patient-id"))


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_value_gives_a_name_that_every_system_takes(one_series, text):
    person = Person(text, text, text, text, text, text, text)
    name = series_name(one_series, ("patient-id", "description", "folder"), person)
    assert safe_name(name) == name
    assert len(f"{name}_probabilities.nii.gz".encode()) <= 255
    assert "." not in name


def test_two_series_of_a_patient_have_two_names(tmp_path):
    for name in "ab":
        save(slices(hounsfield(), series=name), tmp_path / name)
    search = Search(which="all", name_by=("patient-id",))
    names = [case.name for case in find_cases([Source(tmp_path)], search).cases]
    assert len({name.lower() for name in names}) == 2


@pytest.mark.parametrize("charset", ["ISO_IR 192", "ISO_IR 100", "ISO 2022 IR 87", ""])
def test_texts_are_decoded_by_their_character_set(tmp_path, charset):
    name = {"ISO 2022 IR 87": "Yamada^Tarou=山田^太郎", "": "Mueller^A"}.get(charset, "Müller^Ä")
    made = slices(hounsfield((5, 4, 3)))
    for ds in made:
        ds.SpecificCharacterSet = ["", charset] if "2022" in charset else charset
        ds.PatientName = name
    (series,) = find_dicom_series(save(made, tmp_path))
    assert read_person(series).patient_name == name


def kept(folder, **words):
    return find_cases([Source(folder)], Search(persons="kept", **words)).cases


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_key_file_says_whose_each_output_is_and_only_its_owner_reads_it(series, tmp_path):
    path = tmp_path / "keys/key.csv"
    write_key_file(path, kept(series, name_by=("short",)))
    (row,) = rows(path)
    assert (row["patient_name"], row["patient_id"]) == ("Müller^Änne", "P/001: a")
    assert (row["study_date"], row["series_uid"]) == ("20210304", uid("a"))
    # A spreadsheet would take the text for a formula.
    assert row["series_description"] == "'=Thorax  1,5 B31f"
    assert row["case"] == name_of(series, "short")
    assert row["source"] == str(series)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("stated", "cell"),
    [
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("\uff1d1\uff0b1", "'\uff1d1\uff0b1"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("-17", "-17"),
        ("Müller, 山田", "Müller, 山田"),
    ],
)
def test_cells_of_a_key_file_are_no_formulas_also_after_a_second_run(tmp_path, stated, cell):
    made = slices(hounsfield((5, 4, 3)))
    for ds in made:
        ds.SpecificCharacterSet, ds.PatientID = "ISO_IR 192", stated
    folder = save(made, tmp_path / "a")
    other = save(slices(hounsfield(), series="b"), tmp_path / "b")
    path = tmp_path / "key.csv"
    for one in (folder, other):
        write_key_file(path, kept(one))
    assert {row["series_uid"]: row["patient_id"] for row in rows(path)}[uid("a")] == cell


def test_rows_of_earlier_parts_of_a_cohort_stay(series, tmp_path):
    other = save(slices(hounsfield(), series="b"), tmp_path / "b")
    path = tmp_path / "key.csv"
    write_key_file(path, kept(series))
    write_key_file(path, kept(other))
    write_key_file(path, kept(other))
    assert sorted(row["series_uid"] for row in rows(path)) == sorted([uid("a"), uid("b")])


def test_rows_of_names_that_a_spreadsheet_would_compute_are_renewed_not_repeated(tmp_path):
    (tmp_path / "=scan.nii.gz").write_bytes(b"")
    path = tmp_path / "key.csv"
    for _ in range(3):
        write_key_file(path, kept(tmp_path / "=scan.nii.gz"))
    assert [row["case"] for row in rows(path)] == ["'=scan"]


def _write_rows(path, start, names):
    start.wait()
    for name in names:
        case = CohortCase(name=name, source=Source(Path(name)), shown=name, recorded=name)
        write_key_file(path, [case])


def test_shares_that_write_one_key_file_at_once_lose_no_row(tmp_path):
    context = multiprocessing.get_context("spawn")
    start, path = context.Barrier(2), tmp_path / "key.csv"
    names = [[f"{part}{n}" for n in range(15)] for part in "ab"]
    writers = [context.Process(target=_write_rows, args=(path, start, one)) for one in names]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [row["case"] for row in rows(path)] == sorted(names[0] + names[1])
    assert [one.name for one in tmp_path.iterdir()] == ["key.csv"]


def test_a_key_file_among_the_outputs_is_refused_by_any_path(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "link").symlink_to(out)
    for path in (out / "key.csv", out / "deep/key.csv", tmp_path / "link/key.csv"):
        with pytest.raises(UsageError, match="must not lie in the output folder"):
            check_key_file(path, out)
    check_key_file(tmp_path / "out_key.csv", out)


@pytest.mark.parametrize("content", [b"my,notes\n1,2\n", b"\xff\xfe\x00"])
def test_a_file_of_the_users_is_not_replaced_by_a_key_file(tmp_path, content):
    path = tmp_path / "key.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match="another file is there"):
        check_key_file(path, tmp_path / "out")
    assert path.read_bytes() == content


def test_a_patient_that_is_not_stated_is_left_empty(tmp_path):
    made = slices(hounsfield((5, 4, 3)))
    for ds in made:
        del ds.PatientName, ds.PatientID
    folder = save(made, tmp_path)
    assert pydicom.dcmread(folder / "000.dcm").get("PatientID") is None
    assert name_of(folder, "patient-id").startswith("none_")
