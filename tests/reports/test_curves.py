"""What the picture of a training promises."""

import numpy as np
import pytest
from PIL import Image

from medseg.errors import DataError
from medseg.reports import curves_figure, plot_curves

TABLE = """epoch,train_loss,learning_rate,seconds,val_mean_dice,val_dice_lung,val_dice_infection
1,0.9,0.001,5,,,
2,0.7,0.001,5,0.6,0.8,0.4
3,0.6,0.001,5,,,
4,0.5,0.0001,5,0.75,0.9,0.6
5,0.4,0.0001,5,,,
6,0.3,0.0001,5,0.7,0.9,0.5
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text(TABLE)
    return path


def lines(axes):
    return {line.get_label(): line.get_xydata().tolist() for line in axes.lines}


def test_loss_and_learning_rate_have_a_point_an_epoch(table):
    loss, _, rate = curves_figure(table).axes
    assert loss.lines[0].get_xydata()[:2].tolist() == [[1, 0.9], [2, 0.7]]
    assert rate.lines[0].get_ydata().tolist() == [0.001] * 3 + [0.0001] * 3


def test_a_class_has_points_only_where_it_was_validated(table):
    scores = lines(curves_figure(table).axes[1])
    assert scores["lung"] == [[2, 0.8], [4, 0.9], [6, 0.9]]
    assert scores["infection"] == [[2, 0.4], [4, 0.6], [6, 0.5]]
    assert scores["mean"] == [[2, 0.6], [4, 0.75], [6, 0.7]]


def test_the_epoch_of_the_highest_mean_is_marked(table):
    scores = curves_figure(table).axes[1]
    assert scores.get_title(loc="right") == "best mean 0.750, epoch 4"
    dashed, marker = scores.lines[-2:]
    assert list(dashed.get_xdata()) == [4, 4]
    assert marker.get_xydata().tolist() == [[4, 0.75]]


def test_a_score_that_is_not_a_number_is_never_the_best(table):
    table.write_text(TABLE.replace("4,0.5,0.0001,5,0.75", "4,0.5,0.0001,5,nan"))
    assert "0.700, epoch 6" in curves_figure(table).axes[1].get_title(loc="right")


def test_a_training_without_validation_says_so(table):
    table.write_text("epoch,train_loss,val_mean_dice\n1,0.9,\n2,0.8,\n")
    scores = curves_figure(table).axes[1]
    assert [text.get_text() for text in scores.texts] == ["no validation yet"]


def test_a_single_class_needs_no_line_for_the_mean(table):
    table.write_text("epoch,train_loss,val_mean_dice,val_dice_spleen\n1,0.9,0.5,0.5\n")
    scores = curves_figure(table).axes[1]
    legend = [text.get_text() for text in scores.get_legend().get_texts()]
    assert legend == ["spleen"]
    assert scores.get_xlim() == (0.5, 1.5)


def test_the_same_table_gives_the_same_file(table, tmp_path):
    for name in ("one.png", "two.png"):
        plot_curves(table, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    with Image.open(tmp_path / "one.png") as file:
        assert np.asarray(file).std() > 10
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "metrics.csv",
        "one.png",
        "two.png",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "metrics.csv: holds no epoch yet"),
        ("epoch,train_loss\n", "metrics.csv: holds no epoch yet"),
        ("epoch,loss\n1,2\n", "metrics.csv: no column 'train_loss'"),
        (
            "epoch,train_loss\n1,0.5\n2,low\n",
            "metrics.csv: line 3: train_loss 'low' is not a number",
        ),
        ("epoch,train_loss\n,0.5\n", "metrics.csv: line 2: epoch '' is not a number"),
    ],
)
def test_a_table_that_cannot_be_drawn_is_refused_in_one_line(table, content, message):
    table.write_text(content)
    with pytest.raises(DataError, match=message):
        curves_figure(table)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(DataError, match=r"metrics.csv: cannot read the metrics \(No such file"):
        plot_curves(tmp_path / "metrics.csv", tmp_path / "one.png")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_text_is_refused(table):
    table.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(DataError, match="not a CSV file"):
        curves_figure(table)
