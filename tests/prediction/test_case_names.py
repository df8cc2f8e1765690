"""Files of one name in many folders are told apart by their folders."""

from pathlib import Path

from medseg.data.source import Source
from medseg.prediction.case_names import distinct_names
from medseg.prediction.cases import CohortCase


def names(*paths):
    cases = [
        CohortCase(
            name=Path(path).name.split(".")[0], source=Source(Path(path)), shown=path, recorded=path
        )
        for path in paths
    ]
    return [case.name for case in distinct_names(cases)]


def test_names_that_are_unique_stay():
    assert names("/d/a.nii.gz", "/d/x/b.nii.gz") == ["a", "b"]


def test_one_name_in_every_folder_takes_the_folders_name():
    found = names("/d/p02/CT.nii.gz", "/d/p01/CT.nii.gz", "/d/other.nii")
    assert found == ["p02_CT", "p01_CT", "other"]


def test_as_many_folders_are_named_as_tell_the_files_apart():
    found = names("/d/p1/day1/ct.nii", "/d/p1/day2/ct.nii", "/d/p2/day1/ct.nii")
    assert found == ["p1_day1_ct", "p1_day2_ct", "p2_day1_ct"]


def test_names_that_differ_in_case_alone_are_told_apart():
    assert names("/d/p1/CT.nii", "/d/p2/ct.nii") == ["p1_CT", "p2_ct"]


def test_what_folders_do_not_tell_apart_keeps_its_name():
    assert names("/d/a.png", "/d/a.tif") == ["a", "a"]
