"""The lines that go on from a training, made from the one that began it."""

import shlex
from pathlib import Path

import pytest

from medseg.training.command_line import predict_line, read_line, resume_line, score_line

MEDSEG = "/venv/bin/medseg"
MONAI = "/venv/lib/python3.11/site-packages/monai/bundle/__main__.py"
WEIGHTS = Path("runs/a b/models/model.safetensors")


def words(line):
    return shlex.split(line)


def test_a_line_of_medseg_is_read_with_options_anywhere():
    line = read_line(
        [
            MEDSEG,
            "--debug",
            "train",
            "--config",
            "train",
            "b",
            "k=v",
            "--config=own.yaml",
            "--quick",
        ]
    )
    assert line.bundle == "b"
    assert line.configs == ("train", "own.yaml")
    assert line.pairs == ("k=v",)


def test_the_program_is_called_as_it_was():
    started = {MEDSEG: ["medseg"], "/repository/medseg/__main__.py": ["python", "-m", "medseg"]}
    for program, expected in started.items():
        line = read_line([program, "train", "b"])
        assert words(predict_line(line, WEIGHTS, "i.nii.gz"))[: len(expected)] == expected


@pytest.mark.parametrize(
    "arguments",
    [[], ["notebook.py"], [MEDSEG, "predict", "b", "i"], [MEDSEG, "study", "run", "f"],
     [MONAI, "run", "training"]],
)  # fmt: skip
def test_a_line_that_trains_no_bundle_is_not_read(arguments):
    assert read_line(arguments) is None
    assert resume_line(arguments) is None


def test_a_training_is_resumed_by_its_own_line():
    arguments = [MEDSEG, "train", "b", "dataset_dir=a b", "start=fresh", "overwrite=replace"]
    assert resume_line(arguments) == "medseg train b 'dataset_dir=a b' start=resume"


def test_weights_are_scored_with_what_the_training_was_given():
    line = read_line(
        [MEDSEG, "train", "b", "dataset_dir=d", "fold=2", "ckpt_dir=x", "overwrite=replace"]
    )
    assert words(score_line(line, WEIGHTS.parent)) == [
        *["medseg", "train", "b", "--config", "train", "--config", "evaluate"],
        *["--run-id", "evaluating", "dataset_dir=d", "fold=2", "ckpt_dir=runs/a b/models"],
    ]


def test_weights_of_the_bundle_itself_need_not_be_named(tmp_path):
    weights = tmp_path / "models" / "model.safetensors"
    line = read_line([MEDSEG, "train", str(tmp_path)])
    assert "--weights" in predict_line(line, weights, "i")
    weights.parent.mkdir()
    weights.touch()
    assert "--weights" not in predict_line(line, weights, "i")


def test_a_line_of_monai_is_resumed_by_monai_and_scored_by_medseg():
    files = "['b/configs/train.yaml','own.yaml']"
    arguments = [MONAI, "run", "training", "--config_file", files, "--dataset_dir", "a b"]
    arguments += ["--epochs=3", "--start", "fresh"]
    assert words(resume_line(arguments)) == [
        *["python", "-m", "monai.bundle", "run", "training", "--config_file", files],
        *["--dataset_dir", "a b", "--epochs=3", "--start", "resume"],
    ]
    assert words(score_line(read_line(arguments), WEIGHTS.parent)) == [
        *["medseg", "train", "b", "--config", "train", "--config", "own.yaml"],
        *["--config", "evaluate", "--run-id", "evaluating"],
        *["dataset_dir=a b", "epochs=3", "ckpt_dir=runs/a b/models"],
    ]


def test_several_processes_are_started_as_several_and_scored_by_one(monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    files = "b/configs/train.yaml,b/configs/multi_gpu_train.yaml"
    arguments = [MONAI, "run", "training", "--config_file", files]
    assert words(resume_line(arguments))[:4] == [
        *["torchrun", "--standalone", "--nproc_per_node=2", "-m"]
    ]
    score = score_line(read_line(arguments), WEIGHTS.parent)
    assert score.startswith("medseg train b --config train --config evaluate")
