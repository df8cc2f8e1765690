"""What the scores as Markdown promise."""

import dataclasses

import pytest

from medseg.metrics import Criteria, absent_scores
from medseg.reports.markdown import scores_markdown
from medseg.reports.tables import Evaluation


def scores(name, dsc, presence="both"):
    return dataclasses.replace(absent_scores(name, 10), dsc=dsc, presence=presence)


@pytest.fixture
def evaluation():
    return Evaluation(
        name="a | b",
        scores={
            "p1": [scores("lung", 0.9), scores("infection", 0, "missed")],
            "p2": [scores("lung", 0.8), scores("infection", 1, "absent")],
        },
        failed={"p3": "p3: no prediction"},
        criteria=Criteria(tolerance_mm=1.5),
    )


def test_each_group_has_its_means(evaluation):
    groups = {"p1": "polyp", "p2": "adenoma"}
    text = scores_markdown(dataclasses.replace(evaluation, groups=groups), ("dsc",))
    assert "| group | cases | class | DSC |" in text
    assert "| polyp | 1 | lung | 0.900 |" in text
    assert "| mean of the groups |  |  | 0.675 [0.675, 0.675] |" in text
    assert "group" not in scores_markdown(evaluation, ("dsc",))


def test_every_mean_has_its_interval_and_every_case_its_row(evaluation):
    text = scores_markdown(evaluation, ("dsc", "nsd"))
    assert "2 of 3 cases scored." in text
    assert "| class | missed | invented | DSC | NSD 1.5 mm |" in text
    assert "| lung | 0 | 0 | 0.850 [0.800, 0.900] | 1.000 [1.000, 1.000] |" in text
    assert "| infection | 1 | 0 | 0.500 [0.000, 1.000] |" in text
    assert "| mean of the classes |  |  | 0.675 [0.450, 0.900] |" in text
    assert "| all classes, pooled |  |  | 1.000 [1.000, 1.000] |  |" in text
    assert "| p1 | infection | missed | 0.000 | 1.000 |" in text
    assert "- failed: p3: no prediction" in text


def test_all_rows_of_a_table_have_as_many_cells(evaluation):
    for table in scores_markdown(evaluation).split("\n\n")[2:4]:
        assert len({line.replace("\\|", "").count("|") for line in table.splitlines()}) == 1


def test_one_case_of_one_class_has_no_interval_and_nothing_to_pool(evaluation):
    alone = dataclasses.replace(evaluation, scores={"p1": [scores("lung", 0.9)]}, failed={})
    text = scores_markdown(alone, ("dsc",))
    assert "| lung | 0 | 0 | 0.900 |" in text
    for absent in ("pooled |", "mean of", "failed", "[0"):
        assert absent not in text


def test_a_bar_in_a_name_is_no_border_of_a_cell(evaluation):
    assert "## a \\| b" in scores_markdown(evaluation)
