"""What DICOM cannot state of a label is refused before anything is written."""

import dataclasses

import numpy as np
import pytest

from medseg.data import Label
from medseg.data.dicom.label import DicomLabel
from medseg.errors import UsageError
from tests.data.dicom.output_builders import ALGORITHM, LABELS

SOUND = DicomLabel(
    array=np.zeros((3, 4, 5), np.uint8),
    affine=np.eye(4),
    reference="scan",
    labels=LABELS,
    algorithm=ALGORITHM,
)
BACKGROUND = LABELS[0]
WRONG = {
    "a float array": ({"array": np.zeros((3, 4, 5))}, "whole numbers"),
    "two axes": ({"array": np.zeros((3, 4), np.uint8)}, "whole numbers"),
    "no voxels": ({"array": np.zeros((3, 0, 5), np.uint8)}, "whole numbers"),
    "a value without a name": ({"array": np.full((3, 4, 5), 4)}, "holds 4, but labels name 0 to 3"),
    "a negative value": ({"array": np.full((3, 4, 5), -1)}, "holds -1"),
    "a flat affine": ({"affine": np.diag([1.0, 1, 0, 1])}, "invertible"),
    "a NaN": ({"affine": np.full((4, 4), np.nan)}, "invertible"),
    "no classes": ({"labels": [BACKGROUND]}, "count up from 0"),
    "a gap": ({"labels": [BACKGROUND, Label(value=2, name="lung")]}, "count up from 0"),
    "a long name": ({"labels": [BACKGROUND, Label(value=1, name="x" * 65)]}, "64 printable"),
    "a backslash": ({"labels": [BACKGROUND, Label(value=1, name="a\\b")]}, "backslash"),
    "a line's end": ({"labels": [BACKGROUND, Label(value=1, name="a\nb")]}, "printable"),
    "no SNOMED": ({"labels": [BACKGROUND, Label(value=1, name="a", snomed="T-D0050")]}, "digits"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_arguments_are_refused_in_one_line(wrong):
    changes, words = WRONG[wrong]
    with pytest.raises(UsageError, match=words) as caught:
        dataclasses.replace(SOUND, **changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("what", ["name", "version", "digest", "weights", "caution"])
@pytest.mark.parametrize("text", ["", " ", "x" * 65, "a\\b", "a\nb"])
def test_what_made_a_label_must_have_words_that_dicom_takes(what, text):
    with pytest.raises(UsageError, match=f"the algorithm's {what} must have"):
        dataclasses.replace(ALGORITHM, **{what: text})


def test_a_brief_caution_leaves_room_for_the_classes():
    with pytest.raises(UsageError, match="the algorithm's brief caution must have 1 to 32"):
        dataclasses.replace(ALGORITHM, brief="x" * 33)


def test_a_label_knows_when_it_was_made_and_its_segments():
    assert SOUND.created is not None
    assert [segment.value for segment in SOUND.segments] == [1, 2, 3]
