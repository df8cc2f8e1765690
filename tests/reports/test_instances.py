"""What the tables of numbered objects promise."""

import io

import pytest
from rich.console import Console

from medseg.metrics import InstanceScores
from medseg.reports.instances import (
    instance_rows,
    instances_content,
    instances_csv,
    print_instances,
)

# SEG 1.5 / 2 and 0 / 1; SQ 1.5 / 2 and 0; RQ 2 * 2 / 5 and 0.
SCORES = {
    "t1": InstanceScores(label_objects=2, pred_objects=3, matched=2, matched_iou=1.5, seg_iou=1.5),
    "t2": InstanceScores(label_objects=1, pred_objects=0, matched=0, matched_iou=0.0, seg_iou=0.0),
}


def test_cases_weigh_alike_in_the_mean_and_objects_in_what_is_pooled():
    head, first, second, mean, pooled = instance_rows(SCORES)
    assert head == ["case", "label", "pred", "matched", "SEG", "SQ", "RQ", "PQ"]
    assert first == ["t1", "2", "3", "2", "0.750", "0.750", "0.800", "0.600"]
    assert second == ["t2", "1", "0", "0", "0.000", "0.000", "0.000", "0.000"]
    assert mean == ["mean", "", "", "", "0.375", "0.375", "0.400", "0.300"]
    # SEG 1.5 / 3, SQ 1.5 / 2, RQ 2 * 2 / 6.
    assert pooled == ["pooled", "3", "3", "2", "0.500", "0.750", "0.667", "0.500"]


def test_one_case_has_no_mean():
    assert len(instance_rows({"t1": SCORES["t1"]})) == 2


def test_every_case_is_printed():
    console = Console(file=io.StringIO(), width=100, color_system=None)
    print_instances(SCORES, console)
    words = [line.split() for line in console.file.getvalue().splitlines() if line.strip()]
    assert ["t1", "2", "3", "2", "0.750", "0.750", "0.800", "0.600"] in words
    assert words[-1][0] == "pooled"


def test_files_hold_what_pooled_scores_are_made_of():
    head, first, _ = instances_csv(SCORES).splitlines()
    assert head == "case,label_objects,pred_objects,matched,matched_iou,seg_iou,seg,sq,rq,pq"
    assert first.startswith("t1,2,3,2,1.5,1.5,0.75,0.75,0.8,")
    content = instances_content(SCORES)
    assert content["cases"]["t2"]["seg"] == 0
    assert content["pooled"]["seg"] == pytest.approx(0.5)
