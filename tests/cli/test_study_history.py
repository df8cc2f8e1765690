"""What `medseg study history` prints, writes and exits with."""

import csv
import json
from pathlib import Path

import pytest

LOG = Path(__file__).parents[1] / "studies" / "history" / "fat_unet.csv"
FILES = ["history.csv", "history.json", "history.md", "history.png", "history.svg"]


@pytest.fixture
def medseg(command, capsys):
    """Runs the command line; gives exit code, standard output and error."""
    return lambda *words: (command("study", "history", *words), *capsys.readouterr())


def test_a_row_for_each_metric_and_what_could_have_been_saved(medseg):
    code, out, err = medseg(LOG, "--minutes-per-epoch", 6)
    assert (code, err) == (0, "")
    assert "scat dice         validation   high     0.8590              4" in out
    assert out.splitlines()[-1] == (
        "training: all validation metrics are within 0.005 of their best by epoch 7; "
        "epochs that were run after it: 2 (0.20 hours)"
    )


def test_json_is_json_and_nothing_else(medseg):
    code, out, _ = medseg(LOG, "--json", "--metric", "vsat_dice")
    content = json.loads(out)
    assert code == 0
    assert [one["metric"] for one in content["metrics"]] == ["vsat_dice", "val_vsat_dice"]
    assert content["last"]["epoch"] == {"mean": 7.0, "least": 7, "greatest": 7}
    assert content["trainings"][0]["kind"] == "Keras"


def test_a_folder_gets_tables_and_pictures_and_keeps_them(medseg, tmp_path):
    assert medseg(LOG, "-o", tmp_path / "out")[0] == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES
    rows = list(csv.DictReader((tmp_path / "out" / "history.csv").read_text().splitlines()))
    vat = next(row for row in rows if row["metric"] == "val_vsat_dice")
    assert (vat["epoch"], vat["best"], vat["hours_after"]) == ("7", "0.834", "")
    code, _, err = medseg(LOG, "-o", tmp_path / "out")
    assert code == 2
    assert "history.csv already exists; use --overwrite or another -o" in err
    assert medseg(LOG, "-o", tmp_path / "out", "--overwrite")[0] == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.yaml", "vsat_dice: VAT Dice Score\nother: Not in this log\n"),
        ("labels.csv", "metric,label\nvsat_dice,VAT Dice Score\n"),
    ],
)
def test_labels_come_from_a_table_or_from_the_command(medseg, tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    code, out, _ = medseg(LOG, "--labels", tmp_path / name, "--label", "scat_dice=SAT Dice Score")
    assert code == 0
    assert "VAT Dice Score" in out
    assert "SAT Dice Score" in out


def test_several_seeds_have_a_mean_and_a_range(medseg, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text(LOG.read_text().replace(",0.859\n", ",0.852\n"))
    code, out, _ = medseg(LOG, other, "--metric", "val_scat_dice")
    assert code == 0
    # With 0.852 the best, 0.850 of epoch 3 is within 0.005 of it.
    assert "3.5 (3 to 4)" in out
    assert "2 trainings, mean (least to greatest)" in out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--metric", "vast_dice"), 2, "did you mean vsat_dice?"),
        (("--higher", "los"), 2, "--higher los: no such metric in the log; did you mean loss?"),
        (("--label", "loss"), 2, "must be NAME=LABEL"),
        (("--labels", "nowhere.yaml"), 2, "cannot read the labels"),
        ((LOG,), 2, "is given twice"),
    ],
)
def test_wrong_words_are_one_line(medseg, words, code, says):
    got, out, err = medseg(LOG, *words)
    assert (got, out) == (code, "")
    assert says in err
    assert len(err.splitlines()) == 1


def test_a_file_that_is_no_log_is_one_line(medseg, tmp_path):
    (tmp_path / "notes.txt").write_text("Epochs are long.\n")
    code, out, err = medseg(tmp_path / "notes.txt")
    assert (code, out) == (3, "")
    assert "is no log of a training" in err


def test_a_metric_of_unknown_direction_is_left_out_and_told(medseg, tmp_path):
    (tmp_path / "log.csv").write_text("epoch,loss,purity\n0,1,0.3\n1,0.5,0.4\n")
    code, out, err = medseg(tmp_path / "log.csv")
    assert code == 0
    assert "purity" not in out
    assert "purity: is high or low better? use --higher purity or --lower purity" in err
    code, out, err = medseg(tmp_path / "log.csv", "--higher", "purity")
    assert (code, err) == (0, "")
    assert "purity" in out
    assert medseg(tmp_path / "log.csv", "--metric", "purity")[0] == 3
