"""What is measured of an image and a label, by hand."""

import numpy as np
import pytest

from medseg.data.datasets.facts import CaseReport, DatasetReport, image_facts, label_facts
from medseg.data.datasets.label_values import count_values
from medseg.data.images.volume import Volume
from medseg.data.manifest import Label
from medseg.data.problems import Problem
from tests.data.builders import AFFINE, NAMES, a_label

LABELS = [Label(value=value, name=name) for value, name in enumerate(NAMES)]


def volume(array):
    return Volume(array=array, affine=AFFINE, spacing_mm=(2.0, 2.0, 2.5), dtype=array.dtype.name)


def test_percentiles_by_hand():
    # 201 values 0, 1, ... 200: the 0.5th percentile is the value at 0.005 * 200 = 1.
    facts = image_facts(volume(np.arange(201, dtype=np.int16).reshape(1, 1, 201)))
    assert facts.intensity == (0, 1, 199, 200)
    assert (facts.shape, facts.orientation, facts.dtype) == ((1, 1, 201), "RAS", "int16")


def test_intensities_leave_out_what_is_not_finite():
    array = np.array([np.nan, 3, np.inf, 3]).reshape(1, 2, 2)
    assert image_facts(volume(array)).intensity == (3, 3, 3, 3)


def test_an_image_without_any_finite_voxel_has_no_intensity():
    assert image_facts(volume(np.full((1, 1, 2), np.nan))).intensity is None


def test_volumes_by_hand():
    # A voxel is 2 * 2 * 2.5 = 10 mm3 = 0.01 ml.
    facts = label_facts(count_values(a_label()), LABELS, (2.0, 2.0, 2.5))
    assert [fact.name for fact in facts] == ["background", "lung", "infection"]
    assert [fact.voxels for fact in facts] == [117, 2, 1]
    assert [fact.volume_ml for fact in facts] == pytest.approx([1.17, 0.02, 0.01])


def test_a_named_value_without_voxels_has_a_volume_of_zero():
    facts = label_facts({0: 8}, LABELS, (1.0, 1.0, 1.0))
    assert [(fact.value, fact.voxels) for fact in facts] == [(0, 8), (1, 0), (2, 0)]


def test_a_report_counts_the_problems_of_cases_and_whole():
    error = Problem("error", "image", "not there", "look")
    warning = Problem("warning", "label", "is all background", "look")
    case = CaseReport(
        case="a", patient="a", place="test", image=None, labels=(), problems=(error, warning)
    )
    report = DatasetReport(name="toy", cases=(case, case), problems=(warning,))
    assert (report.count("error"), report.count("warning")) == (2, 3)
