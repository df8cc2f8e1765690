"""What the tables of scores promise."""

import csv
import dataclasses
import io
import json

import pytest
from rich.console import Console

from medseg.metrics import absent_scores
from medseg.reports.tables import Evaluation, print_scores, scores_csv, scores_json


def scores(name, dsc, presence="both"):
    return dataclasses.replace(absent_scores(name), dsc=dsc, presence=presence)


@pytest.fixture
def evaluation():
    return Evaluation(
        name="set",
        scores={
            "a_case_with_a_long_name_001": [scores("lung", 0.9), scores("infection", 0, "missed")],
            "a_case_with_a_long_name_002": [scores("lung", 0.8), scores("infection", 1, "absent")],
        },
        failed={"p3": "p3: no prediction, no score"},
    )


def printed(evaluation, **options):
    console = Console(file=io.StringIO(), color_system=None, highlight=False, **options)
    print_scores(evaluation, console)
    return console.file.getvalue().splitlines()


def test_in_a_pipe_a_row_is_one_line_with_all_columns(evaluation):
    lines = printed(evaluation)
    (row,) = (line for line in lines if "name_001   infection" in line)
    dsc, iou, precision, recall = "0.000", "1.000", "1.000", "1.000"
    hd95, nsd, assd, volume_error, *ml = "0.0", "1.000", "0.00", "0.0", "0.0", "0.0"
    expected = ["infection", dsc, iou, precision, recall, hd95, nsd, assd, volume_error, *ml]
    assert row.split()[1:] == [*expected, "missed"]


def test_groups_are_reported_in_every_format_and_weigh_alike(evaluation, tmp_path):
    first, second = evaluation.scores
    groups = {first: "polyp", second: "adenoma", "p3": "polyp"}
    evaluation = dataclasses.replace(evaluation, groups=groups)
    lines = printed(evaluation)
    (row,) = (line.split() for line in lines if "of 1 polyp" in line and "lung" in line)
    assert row[:6] == ["mean", "of", "1", "polyp", "lung", "0.900"]
    (mean,) = (line.split() for line in lines if line.strip().startswith("mean of the groups"))
    # The mean of (0.9 + 0) / 2 and (0.8 + 1) / 2.
    assert mean[4] == "0.675"
    assert "; of the groups 0.675 [" in "".join(lines)
    (tmp_path / "scores.csv").write_text(scores_csv(evaluation))
    rows = list(csv.DictReader((tmp_path / "scores.csv").read_text().splitlines()))
    assert [row["group"] for row in rows] == ["polyp"] * 2 + ["adenoma"] * 2 + ["polyp"]
    told = json.loads(scores_json(evaluation))
    assert told["groups"] == groups
    assert told["by_group"]["macro"]["dsc"] == pytest.approx(0.675)


def test_without_groups_no_format_mentions_them(evaluation, tmp_path):
    (tmp_path / "scores.csv").write_text(scores_csv(evaluation))
    told = [*printed(evaluation), scores_json(evaluation), (tmp_path / "scores.csv").read_text()]
    assert "group" not in "".join(told)


@pytest.mark.parametrize("width", [80, 100, 120, 145, 160, 200])
def test_a_narrow_terminal_gets_fewer_columns_and_whole_numbers(evaluation, width):
    lines = printed(evaluation, force_terminal=True, width=width)
    assert not any("…" in line for line in lines)
    table = [line for line in lines if "a_case" in line and "lowest" not in line]
    assert all(len(line) <= width for line in table)
    assert ("IoU" in lines[1]) == (width >= 160)
    assert "DSC" in lines[1]


def test_columns_that_were_asked_for_stay_on_the_narrowest_terminal(evaluation):
    console = Console(file=io.StringIO(), force_terminal=True, width=60, color_system=None)
    print_scores(evaluation, console, ("dsc", "accuracy"))
    assert console.file.getvalue().splitlines()[1].split() == ["case", "class", "DSC", "accuracy"]


def test_means_are_followed_by_pooled_scores_where_there_are_any(evaluation):
    lines = printed(evaluation)
    (mean,) = (line for line in lines if line.split()[:3] == ["mean", "of", "the"])
    assert mean.split()[4] == "0.675"  # of 0.85 and 0.5
    (pooled,) = (line for line in lines if line.split()[:3] == ["pooled", "all", "classes"])
    assert len(pooled.split()) == 3 + 4  # DSC, IoU, precision, recall; distances have none


def test_the_mean_has_an_interval_if_there_are_two_cases(evaluation):
    (line,) = (line for line in printed(evaluation) if line.startswith("mean DSC"))
    assert line == (
        "mean DSC with its 95 % interval: lung 0.850 [0.800, 0.900], "
        "infection 0.500 [0.000, 1.000]; of the classes 0.675 [0.450, 0.900]"
    )
    first = dict(list(evaluation.scores.items())[:1])
    alone = dataclasses.replace(evaluation, scores=first)
    assert not any("interval" in line or "pooled" in line for line in printed(alone))


def test_the_worst_class_comes_first_and_failures_are_reported(evaluation):
    *_, lowest, failed, verdict = printed(evaluation)
    assert lowest == (
        "lowest DSC: infection 0.000 in a_case_with_a_long_name_001, "
        "lung 0.800 in a_case_with_a_long_name_002"
    )
    assert failed == "failed  p3: no prediction, no score"
    assert verdict == "set: 2 of 3 cases scored, 1 missed"


def test_a_spreadsheet_holds_a_row_a_class_and_one_a_failure(evaluation, tmp_path):
    (tmp_path / "scores.csv").write_text(scores_csv(evaluation))
    with (tmp_path / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["lung", "infection", "lung", "infection", ""]
    assert (float(rows[0]["dsc"]), rows[1]["presence"]) == (0.9, "missed")
    assert rows[4]["error"] == "p3: no prediction, no score"


def test_json_holds_the_same_and_refuses_nothing(evaluation):
    content = json.loads(scores_json(evaluation))
    assert content["scored"] == 2
    assert content["failed"] == {"p3": "p3: no prediction, no score"}
    assert content["cases"]["a_case_with_a_long_name_001"][1]["presence"] == "missed"
    infection = content["summary"]["classes"][1]
    assert infection["presence"] == {"missed": 1, "absent": 1}
    assert infection["metrics"]["dsc"]["mean"] == 0.5
    assert infection["metrics"]["dsc"]["ci95"] == [0, 1]
    assert content["criteria"] == {"tolerance_mm": 2, "lesion_overlap": "any"}
