"""The comparison at equal time: what is trained on, what is scored, what is kept."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from benchmarks._budget_sets import SETS, lay_out
from benchmarks._budget_table import case_scores, print_forecasts, print_table


@pytest.mark.data
@pytest.mark.parametrize("name", SETS)
def test_no_case_is_in_training_and_test(real_data, tmp_path, name):
    folder = lay_out(SETS[name], real_data, tmp_path)
    parts = {
        part: {path.name for path in (folder / part / "images").iterdir()}
        for part in ("train", "test")
    }
    assert not parts["train"] & parts["test"]
    assert len(parts["train"]) > len(parts["test"]) > 5
    for part, images in parts.items():
        assert {path.name for path in (folder / part / "labels").iterdir()} == images


@pytest.mark.data
def test_tiles_of_a_mosaic_are_on_one_side_and_labels_are_of_nuclei_or_not(real_data, tmp_path):
    folder = lay_out(SETS["nuclei"], real_data, tmp_path)
    rows = (real_data / "microscopy" / "dsb2018-nuclei" / "groups.tsv").read_text().splitlines()
    mosaics = {row["id"]: row["mosaic"] for row in csv.DictReader(rows, delimiter="\t")}
    sides = [
        {mosaics[path.stem] for path in (folder / part / "images").iterdir()}
        for part in ("train", "test")
    ]
    assert not sides[0] & sides[1]
    label = next((folder / "test" / "labels").iterdir())
    assert set(np.unique(np.asarray(Image.open(label)))) == {0, 1}


def label(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(values, dtype=np.uint8)).save(path)


def test_scores_by_hand_and_a_case_without_a_prediction_scores_nothing(tmp_path):
    label(tmp_path / "labels" / "a.png", [[1, 1], [0, 2]])
    label(tmp_path / "labels" / "b.png", [[1, 1], [0, 0]])
    # As medseg names it. Class 1: 2 * 1 / (2 + 1); class 2: in both, once each.
    label(tmp_path / "predicted" / "a_seg.png", [[1, 0], [0, 2]])
    found = case_scores(
        tmp_path / "labels", tmp_path / "predicted", ".png", ["background", "one", "two"]
    )
    assert found == {"a": {"one": pytest.approx(2 / 3), "two": 1.0}, "b": {"one": 0.0, "two": 0.0}}


def test_a_class_in_neither_scores_one(tmp_path):
    label(tmp_path / "labels" / "a.png", [[0, 0]])
    label(tmp_path / "predicted" / "a.png", [[0, 0]])
    found = case_scores(tmp_path / "labels", tmp_path / "predicted", ".png", ["background", "one"])
    assert found == {"a": {"one": 1.0}}


def test_the_table_has_a_row_for_each_set_and_budget(capsys):
    result = {
        **{"set": "nuclei", "minutes": 10.0, "seconds": {"plan": 60, "train": 540, "predict": 99}},
        "dsc": {"a": {"nucleus": 0.8}, "b": {"nucleus": 0.8}},
    }
    print_table([{**result, "tool": "medseg"}, {**result, "tool": "nnunet", "minutes": 30.0}])
    assert capsys.readouterr().out.splitlines() == [
        "| data set | minutes | medseg | nnunet | medseg - nnunet |",
        "|---|---|---|---|---|",
        "| nuclei | 10 | 0.800 (0.800 to 0.800), 10.0 min |  |  |",
        "| nuclei | 30 |  | 0.800 (0.800 to 0.800), 10.0 min |  |",
    ]


def test_tools_are_compared_case_by_case(capsys):
    result = {**{"set": "nuclei", "minutes": 10.0, "seconds": {"train": 60}}}
    ours = {"b": {"nucleus": 0.9}, "a": {"nucleus": 0.3}}
    theirs = {"a": {"nucleus": 0.2}, "b": {"nucleus": 0.8}}
    print_table(
        [{**result, "tool": "medseg", "dsc": ours}, {**result, "tool": "nnunet", "dsc": theirs}]
    )
    # 0.1 in each case, whatever the order in which they were scored.
    assert capsys.readouterr().out.splitlines()[-1].endswith("| +0.100 (+0.100 to +0.100) |")


def test_forecasts_are_beside_what_was_taken_for_the_tool_that_has_them(capsys):
    result = {"set": "nuclei", "minutes": 10.0, "seconds": {"train": 570}, "dsc": {}}
    forecast = {"minutes": 9.0, "memory_gb": 1.25}
    print_forecasts(
        [
            {**result, "tool": "medseg", "peak_gb": {"train": 1.31}, "forecast": forecast},
            {**result, "tool": "nnunet", "peak_gb": {"train": 2.0}, "forecast": {}},
        ]
    )
    (row,) = capsys.readouterr().out.splitlines()[2:]
    assert row == "| nuclei | 10 | 9.0 min | 9.5 min | 1.25 GB | 1.31 GB |"


def test_a_result_that_is_there_is_not_measured_again(tmp_path, monkeypatch, capsys):
    from benchmarks import small_budget

    results = tmp_path / "results"
    results.mkdir()
    kept = {
        **{"tool": "nnunet", "set": "nuclei", "minutes": 10.0, "seconds": {"train": 6.0}},
        "forecast": {},
        "dsc": {"a": {"nucleus": 0.5}},
    }
    (results / "nnunet-nuclei-10.json").write_text(json.dumps(kept))
    words = ["small_budget", "--tools", "nnunet", "--sets", "nuclei", "--minutes", "10"]
    monkeypatch.setattr("sys.argv", [*words, "--out", str(tmp_path), "--peers", "/no/python"])
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert small_budget.main() == 0
    assert "| nuclei | 10 | 0.500 (0.500 to 0.500), 0.1 min |" in capsys.readouterr().out
