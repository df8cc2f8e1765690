"""Tables of the published protocol, in its own form."""

import csv
import dataclasses
import io

import pytest

from medseg.studies.pages.contents import Contents, Repeats
from medseg.studies.pages.published_scores import LossRow, published_csv, rows_by_loss
from medseg.studies.pages.published_tables import published_markdown
from medseg.studies.results import Losses
from medseg.studies.statistics import summarise_study
from tests.studies.pages.example import STUDY, results


@pytest.fixture
def rows(tmp_path):
    found = results(tmp_path)
    return rows_by_loss(
        Contents(study=STUDY, results=found, summary=summarise_study(found), repeats=Repeats())
    )


def row(number, **values):
    scores = {"dsc": {"normal": 0.5, "polyp": 0.7}, "recall": {"normal": 1.0, "polyp": 0.5}}
    first = {"row": f"row {number}", "runs": 3, "test_loss": number / 10, "train_loss": 0.05}
    return LossRow(**{**first, "scores": scores, **values})


def test_rows_are_ranked_by_their_mean_test_loss(rows):
    # Losses are 1 and 0.9 less the level, 0.80 + 0.01 * seed for the baseline.
    assert [one.row for one in rows] == ["width=64", "baseline", "loss=jaccard"]
    assert [one.test_loss for one in rows] == pytest.approx([0.125, 0.185, 0.285])
    assert [one.difference for one in rows] == pytest.approx([0.1, 0.1, 0.1])


def test_a_row_whose_loss_is_no_number_is_the_last(tmp_path):
    found = results(tmp_path)
    first = dataclasses.replace(found.runs[0], losses=Losses(train=1.0, held_out=float("nan")))
    found = dataclasses.replace(found, runs=(first, *found.runs[1:]))
    summary = summarise_study(found)
    contents = Contents(study=STUDY, results=found, summary=summary, repeats=Repeats())
    assert [one.row for one in rows_by_loss(contents)] == ["width=64", "loss=jaccard", "baseline"]


def test_scores_are_of_each_group_and_the_total_is_their_mean(rows):
    # Levels 0.87 and 0.88; the polyp is 0.1 better.
    assert rows[0].scores["dsc"] == pytest.approx({"normal": 0.875, "polyp": 0.975})
    assert rows[0].total("dsc") == pytest.approx(0.925)


def test_groups_are_in_the_order_of_the_publication(tmp_path):
    found = results(tmp_path)
    tissues = {"normal": "Adenocarcinoma", "polyp": "High-grade IN"}
    runs = [
        dataclasses.replace(
            run,
            cases=tuple(dataclasses.replace(c, group=tissues[c.group]) for c in run.cases),
        )
        for run in found.runs
    ]
    found = dataclasses.replace(found, runs=tuple(runs))
    contents = Contents(
        study=STUDY, results=found, summary=summarise_study(found), repeats=Repeats()
    )
    assert list(rows_by_loss(contents)[0].scores["iou"]) == ["High-grade IN", "Adenocarcinoma"]


def test_a_configuration_is_printed_as_in_the_publication():
    text = published_markdown("t", [row(1, test_loss=0.0542, train_loss=0.0480)])
    assert (
        "1) Configuration: row 1,\n"
        "mean-test-loss: 0.0542, mean-train-loss: 0.0480, abs-diff: 0.0062\n"
        "mean-test per-class-dice: [0.5 0.7], total: 0.6000\n"
        "mean-test per-class-recall: [1.  0.5], total: 0.7500\n"
    ) in text
    assert "Classes, in order: normal, polyp." in text


def test_the_five_best_and_the_five_worst_of_twelve_are_printed():
    text = published_markdown("t", [row(n) for n in range(1, 13)])
    best, worst = text.split("## Top-5 worst")
    assert [f"{n}) Configuration" in best for n in (1, 5, 6)] == [True, True, False]
    assert [f"\n{n}) Configuration" in worst for n in (7, 8, 12)] == [False, True, True]


def test_the_five_worst_of_seven_are_those_that_are_not_among_the_best():
    text = published_markdown("t", [row(n) for n in range(1, 8)])
    assert text.count(") Configuration") == 7


def test_the_last_table_tells_distances_to_the_best():
    rows = [row(1), row(2), row(3), row(4), row(5, scores={"dsc": {"normal": 0.1}})]
    last = published_markdown("t", rows).split("## Best three")[1].splitlines()
    assert "| row 1 | **0.1000** | **0.6000** |" in last
    assert "| row 2 | 0.2000 (+0.1000) | **0.6000** |" in last
    assert "| row 5 (worst) | 0.5000 (+0.4000) | 0.1000 (-0.5000) |" in last


def test_rows_with_fewer_than_three_runs_are_named():
    assert "**1 of 2 rows have fewer" in published_markdown("t", [row(1), row(2, runs=2)])
    assert "fewer" not in published_markdown("t", [row(1)])


def test_the_table_has_a_line_for_each_row_in_its_place():
    lines = list(csv.DictReader(io.StringIO(published_csv([row(1), row(2)]))))
    assert [(one["rank"], one["row"]) for one in lines] == [("1", "row 1"), ("2", "row 2")]
    assert lines[0]["dice total"] == "0.6"
    assert lines[0]["recall polyp"] == "0.5"
    assert float(lines[1]["abs_diff"]) == pytest.approx(0.15)
