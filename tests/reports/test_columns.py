"""What the columns of scores promise."""

import pytest

from medseg.errors import UsageError
from medseg.metrics import METRICS, Criteria
from medseg.reports.columns import DEFAULT_METRICS, cell, chosen_metrics, heading, keys_in_unit


def test_columns_come_in_one_order_whatever_was_typed():
    assert chosen_metrics(" nsd,dsc , accuracy") == ("dsc", "accuracy", "nsd")
    assert chosen_metrics("all") == METRICS
    assert set(DEFAULT_METRICS) < set(METRICS)


@pytest.mark.parametrize(
    ("names", "what"), [("dsc,hausdorff", "unknown metric 'hausdorff'"), (" , ", "no metric named")]
)
def test_an_unknown_metric_is_refused_with_a_list_of_all(names, what):
    with pytest.raises(UsageError, match=f"{what}; there are all, dsc, iou, .*lesion_f1"):
        chosen_metrics(names)


def test_a_heading_names_unit_and_tolerance():
    criteria = Criteria(tolerance_mm=0.5)
    headings = [heading(metric, criteria) for metric in ("hd95_mm", "nsd", "recall")]
    assert headings == ["HD95 mm", "NSD 0.5 mm", "recall"]


def test_a_cell_is_rounded_according_to_its_unit():
    assert cell("dsc", 0.12345) == "0.123"
    assert cell("hd95_mm", 3.14159, (1, 5.55)) == "3.1 [1.0, 5.5]"


def test_a_picture_has_pixels_where_a_volume_has_millimetres():
    assert heading("hd95_mm", Criteria(), "px") == "HD95 px"
    assert heading("nsd", Criteria(tolerance_mm=3), "px") == "NSD 3 px"
    assert heading("pred_ml", Criteria(), "px") == "pred kpx"
    assert heading("pred_ml", Criteria()) == "pred ml"
    content = {"hd95_mm": 1, "cases": [{"pred_ml": 2, "dsc": 3}]}
    assert keys_in_unit(content, "px") == {"hd95_px": 1, "cases": [{"pred_kpx": 2, "dsc": 3}]}
    assert keys_in_unit(content, "mm") == content
