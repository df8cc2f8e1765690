"""What a picture of a case says of it in words."""

import pytest

from medseg.data import read_volume
from medseg.data.problems import Problem
from medseg.data.source import Source
from medseg.prediction.case_words import (
    case_cautions,
    image_numbers,
    series_title,
    share_remarks,
)
from medseg.prediction.search import find_cases
from medseg.reports.volumes import StructureVolume
from tests.data.dicom.builders import enhanced, hounsfield, save, slices, uid


def case_of(path):
    (case,) = find_cases([Source(path)]).cases
    return case, read_volume(case.series)


def test_a_series_without_a_name_is_called_by_what_it_is_and_the_end_of_its_uid(tmp_path):
    case, volume = case_of(save(slices(hounsfield()), tmp_path / "source"))
    end = uid("series")[-8:] if case.name == uid("series") else case.name[-8:]
    assert series_title(case, volume) == f"CT series \u2026{end}, 10 slices of 7 x 6"


def test_slices_have_the_numbers_that_a_viewer_shows(tmp_path):
    made = slices(hounsfield())
    # From the foot: 10, 9, ... 1, as many scanners number.
    for k, ds in enumerate(made):
        ds.InstanceNumber = 10 - k
    _, volume = case_of(save(made, tmp_path / "source"))
    from_foot = [
        int(ds.InstanceNumber)
        for ds in sorted(made, key=lambda d: float(d.ImagePositionPatient[2]))
    ]
    assert image_numbers(volume) == from_foot
    _, whole = case_of(save([enhanced(hounsfield())], tmp_path / "enhanced"))
    assert image_numbers(whole) == list(range(1, 11))


def test_the_warnings_of_a_case_are_one_line_below_the_caution():
    warning = Problem("warning", "image", "spacing 0.001 mm", "check it")
    other = Problem("warning", "image", "an arm", "check it")
    assert case_cautions("research only: x", []) == ["Research only: x"]
    assert case_cautions("research only: x", [warning, other]) == [
        "Research only: x",
        "Warning about the image: spacing 0.001 mm; an arm",
    ]


@pytest.mark.parametrize(
    ("percent", "expected"), [(3.2654, {"b": "3.27 % of the whole left lung"}), (None, {})]
)
def test_a_share_is_told_in_words(percent, expected):
    lung = StructureVolume(name="left_lung", ml=1, parts=1)
    part = StructureVolume(name="b", ml=1, parts=1, parent="left_lung", percent=percent)
    assert share_remarks([lung, part]) == expected
