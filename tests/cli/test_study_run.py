"""`medseg study run`, by its command, on drawn glands: runs once, goes on, grows, tells."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import yaml

from medseg.studies.running.run_folder import RESULT
from tests.conftest import REPOSITORY
from tests.glands import SIZE, write_glands

pytestmark = pytest.mark.filterwarnings("ignore")

TINY = {
    "title": "Norms of small networks",
    "bundle": str(REPOSITORY / "bundles" / "ebhi_histology_unet2d"),
    "base": {
        "patch_size": [SIZE, SIZE],
        "network_def#first_width": 4,
        "network_def#depth": 3,
        "learning_rate": 0.01,
        "stored_augmentations": None,
    },
    "factors": {"norm": {"none": {"network_def#norm": "none"}}},
    "seeds": [1],
    "iterations": 4,
}


@pytest.fixture(scope="module")
def glands(tmp_path_factory):
    folder = tmp_path_factory.mktemp("glands")
    write_glands(folder)
    return folder


@pytest.fixture
def study(tmp_path):
    def write(**keys):
        path = tmp_path / "tiny.yaml"
        path.write_text(yaml.safe_dump({**TINY, **keys}, sort_keys=False), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Runs that the tests of this file share, as studies do."""
    return tmp_path_factory.mktemp("store")


def results(store):
    return {path.parent.name: path.stat().st_mtime_ns for path in store.glob(f"*/{RESULT}")}


def test_rows_and_seeds_are_run_once_and_a_row_more_adds_its_own(
    study, glands, store, tmp_path, command, capfd
):
    places = [f"dataset_dir={glands}", "--runs", str(store), "-o", str(tmp_path / "out")]
    assert command("study", "run", study(), *places) == 0
    assert "[2/2]" in capfd.readouterr().err
    first = results(store)
    assert len(first) == 2
    more = {**TINY["factors"], "loss": {"all": {"loss#classes": "all"}}}
    assert command("study", "run", study(factors=more), *places) == 0
    assert "3 runs, 1 of them to do" in capfd.readouterr().err
    second = results(store)
    assert len(second) == 3
    assert {name: second[name] for name in first} == first


def test_a_compact_page_of_runs_that_are_done_has_no_configs(
    study, glands, store, tmp_path, command
):
    places = [f"dataset_dir={glands}", "--runs", str(store), "-o", str(tmp_path / "out")]
    assert command("study", "run", study(), *places, "--page", "compact") == 0
    files = {path.suffix for path in (tmp_path / "out").rglob("*.*") if path.is_file()}
    assert {".md", ".csv", ".png"} <= files
    assert not files & {".svg", ".json"}
    assert not (tmp_path / "out" / "rows").exists()


def test_classical_methods_are_rows_that_train_nothing(
    study, glands, store, tmp_path, command, capfd
):
    places = [f"dataset_dir={glands}", "--runs", str(store), "-o", str(tmp_path / "out")]
    assert command("study", "run", study(classical=["otsu"]), *places) == 0
    assert "2 runs, 0 of them to do" in capfd.readouterr().err
    rows = list(csv.DictReader((tmp_path / "out" / "rows.csv").read_text().splitlines()))
    assert [row["row"] for row in rows] == ["baseline", "norm=none", "classical: otsu"]
    alone = tmp_path / "alone"
    words = ["--dataset-dir", glands, "--method", "otsu", "--split", "validation", "-o", alone]
    assert command("baseline", glands / "manifest.json", *words) == 0
    table = next(csv.DictReader((alone / "otsu" / "summary.csv").read_text().splitlines()))
    assert float(rows[2]["dsc"]) == float(table["mean"]) == 1


def test_the_same_rows_under_other_names_are_the_same_runs(
    study, glands, store, tmp_path, command, capfd
):
    places = [f"dataset_dir={glands}", "--runs", str(store), "-o", str(tmp_path / "out")]
    command("study", "run", study(), *places)
    capfd.readouterr()
    renamed = {"n": {"no": {"network_def#norm": "none"}}}
    assert command("study", "run", study(factors=renamed, title="T"), *places, "--dry-run") == 0
    assert "2 runs, 0 of them to do" in capfd.readouterr().out


def test_a_data_set_in_another_folder_is_the_same_one(
    study, glands, store, tmp_path, command, capfd
):
    shutil.copytree(glands, tmp_path / "copy")
    places = ["--runs", str(store), "-o", str(tmp_path / "out")]
    command("study", "run", study(), f"dataset_dir={glands}", *places)
    capfd.readouterr()
    dry = [f"dataset_dir={tmp_path / 'copy'}", *places, "--dry-run"]
    assert command("study", "run", study(), *dry) == 0
    assert "0 of them to do" in capfd.readouterr().out
    one, other = sorted((tmp_path / "copy").rglob("image/*.png"))[:2]
    shutil.copy(one, other)
    assert command("study", "run", study(), *dry) == 0
    assert "2 of them to do" in capfd.readouterr().out


def test_a_dry_run_forecasts_by_a_trial_and_keeps_nothing(study, glands, tmp_path, command, capfd):
    places = [f"dataset_dir={glands}", "--runs", str(tmp_path / "none"), "-o", str(tmp_path / "o")]
    assert command("study", "run", study(), *places, "--dry-run") == 0
    out = capfd.readouterr().out
    assert "2 rows, 2 runs, 2 of them to do" in out
    assert "by a trial of the baseline" in out
    assert not (tmp_path / "none").exists()
    assert not (tmp_path / "o").exists()


def test_a_run_that_fails_is_told_with_its_reason_and_the_others_are_run(
    study, glands, tmp_path, command, capfd
):
    # That weights become NaN is what only the run finds out.
    broken = {"rate": {"endless": {"learning_rate": 1e30}}}
    places = [f"dataset_dir={glands}", "--runs", str(tmp_path / "runs"), "-o", str(tmp_path / "o")]
    assert command("study", "run", study(factors=broken), *places) == 1
    err = capfd.readouterr().err
    assert "] baseline, seed 1, fold 0: done" in err
    assert "] rate=endless, seed 1, fold 0: failed: " in err
    # It is kept, as it would fail again.
    assert command("study", "run", study(factors=broken), *places) == 1
    assert "0 of them to do" in capfd.readouterr().err
    path = study(factors=broken)
    assert command("study", "run", path, *places, "--retry", "--dry-run") == 0
    assert "1 of them to do" in capfd.readouterr().out


def test_killed_it_goes_on_and_repeats_nothing(study, glands, tmp_path):
    line = [
        sys.executable, "-c", "from medseg.cli.main import main; main()",
        "study", "run", str(study()), f"dataset_dir={glands}",
        "--runs", str(tmp_path / "runs"), "-o", str(tmp_path / "out"),
    ]  # fmt: skip
    process = subprocess.Popen(line, start_new_session=True)
    # Until the second run is under way.
    while not (done := results(tmp_path / "runs")) and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert len(done) == 1
    assert subprocess.run(line, check=False).returncode == 0
    after = results(tmp_path / "runs")
    assert len(after) == 2
    assert {name: after[name] for name in done} == done


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (
            {"factors": {"f": {"a": {"network_def#nrm": "none"}}}},
            "row f=a: network_def#nrm: no such key in this config; did you mean network_def#norm",
        ),
        (
            {"factors": {"f": {"a": {"learning_rate": "fast"}}}},
            "row f=a: learning_rate must be",
        ),
        ({"folds": [7]}, "folds: fold 7 has no case in glands; it has folds 0, 1"),
        ({"score": "dcs"}, "score: no evaluation has 'dcs'; did you mean dsc?"),
        ({"score": "seg"}, "score: no evaluation has 'seg'; it may be dsc, iou"),
        ({"seed": [1]}, "seed: unknown key"),
        ({"minutes": 1}, "give iterations or minutes, not both"),
        ({"seeds": []}, "seeds: "),
        ({"seeds": [1, 1]}, "seeds must be different numbers"),
        ({"base": {"epoch": 3}}, "epoch: no such key in this config; did you mean epochs"),
        ({"factors": {"f": {"a": {"loss": {"_target_": "os.system"}}}}}, "row f=a: "),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_wrong_with_a_study_is_one_line(
    keys, line, study, glands, tmp_path, command, capfd
):
    code = command("study", "run", study(**keys), f"dataset_dir={glands}", "-o", tmp_path / "out")
    (told,) = capfd.readouterr().err.strip().splitlines()
    assert code in (2, 10, 11)
    assert line in told
    assert not (tmp_path / "out").exists()


def test_results_of_another_version_are_not_mixed(study, glands, store, tmp_path, command, capfd):
    places = [f"dataset_dir={glands}", "--runs", str(tmp_path / "runs"), "-o", str(tmp_path / "o")]
    command("study", "run", study(), f"dataset_dir={glands}", "--runs", str(store), "-o", tmp_path)
    shutil.copytree(store, tmp_path / "runs")
    for path in (tmp_path / "runs").glob(f"*/{RESULT}"):
        content = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**content, "medseg": "0.0.1"}), encoding="utf-8")
    capfd.readouterr()
    assert command("study", "run", study(), *places) == 2
    (told,) = capfd.readouterr().err.strip().splitlines()
    assert "was run by medseg 0.0.1, and this is" in told


def test_a_study_file_that_changes_while_it_runs_is_told(study, glands, store, tmp_path, capfd):
    from medseg.errors import UsageError
    from medseg.studies.running.study_folder import study_folder

    path = study()
    with (
        pytest.raises(UsageError, match="was changed while the study ran; what is done is kept"),
        study_folder(tmp_path / "out", path),
    ):
        path.write_text("title: another", encoding="utf-8")
    assert (tmp_path / "out" / "study.yaml").read_text(encoding="utf-8") != "title: another"
