"""`medseg crossvalidate`, by its command, on phantoms: trains, goes on, joins, is used, refuses."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel
import numpy as np
import pytest

from medseg.data.manifest import load_manifest, save_manifest
from medseg.data.phantoms.chest.writer import PhantomSet, write_phantoms
from medseg.errors import ExitCode
from medseg.networks.members import fold_file
from tests.conftest import BUNDLE, SMALL

pytestmark = pytest.mark.filterwarnings("ignore")

OVERRIDES = [f"{key}={json.dumps(value)}" for key, value in SMALL.items()]
RESULT = "result.json"


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms") / "set"
    write_phantoms(folder, PhantomSet(cases=6, test_cases=2, folds=2, shape=(40, 32, 24)))
    return folder


def a_bundle(folder: Path) -> Path:
    """A bundle without weights, as one's own is before it is trained."""
    bundle = folder / BUNDLE.name
    shutil.copytree(BUNDLE, bundle, ignore=shutil.ignore_patterns("models", "eval", "studies"))
    return bundle


def words(bundle, phantoms, *more):
    return ["crossvalidate", bundle, f"dataset_dir={phantoms}", *OVERRIDES, *more]


def run(*arguments, **options):
    """The command in a process of its own."""
    line = [sys.executable, "-m", "medseg", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="module")
def done(phantoms, tmp_path_factory):
    """A bundle after its cross-validation, and what that printed."""
    bundle = a_bundle(tmp_path_factory.mktemp("done"))
    ran = run(*words(bundle, phantoms))
    assert ran.returncode == 0, ran.stderr
    return bundle, ran


def results(bundle):
    return bundle / "eval" / "crossvalidation"


@pytest.mark.slow
def test_every_case_is_scored_by_the_network_that_had_not_seen_it(done, phantoms):
    bundle, _ = done
    manifest = load_manifest(phantoms / "manifest.json")
    rows = list(csv.DictReader((results(bundle) / "scores.csv").read_text().splitlines()))
    folds = {row["case"]: row["group"] for row in rows}
    assert folds == {case.case: f"fold {case.fold}" for case in manifest.training}
    for case in manifest.training:
        image = nibabel.load(phantoms / case.image)
        label = results(bundle) / f"fold_{case.fold}" / "predictions" / f"{case.case}_seg.nii.gz"
        assert nibabel.load(label).shape == image.shape
        assert np.allclose(nibabel.load(label).affine, image.affine)


@pytest.mark.slow
def test_its_tables_have_intervals_per_fold_and_pooled_and_the_test_cases(done):
    bundle, ran = done
    content = json.loads((results(bundle) / "crossvalidation.json").read_text())
    assert [one["fold"] for one in content["folds"]] == [0, 1]
    assert sum(one["cases"] for one in content["folds"]) == content["scored"] == 4
    low, high = content["dsc"]["mean of the classes"]["ci95"]
    assert low <= content["dsc"]["mean of the classes"]["mean"] <= high
    assert content["test"]["cases"] == 2
    assert set(content["test"]["folds"]) == {"0", "1"}
    agreement = content["agreement"]
    assert len(agreement["cases"]) == 2
    assert all(0 <= dsc <= 1 for dsc in agreement["mean_pairwise_dsc"].values())
    page = (results(bundle) / "crossvalidation.md").read_text()
    assert "## Postprocessing" in page
    assert str(results(bundle) / "crossvalidation.md") in ran.stdout
    assert "medseg predict" in ran.stdout


@pytest.mark.slow
def test_done_again_it_trains_nothing_and_says_the_same(done, phantoms, command, capfd):
    bundle, _ = done
    before = {path: path.stat().st_mtime_ns for path in results(bundle).glob(f"*/{RESULT}")}
    page = (results(bundle) / "crossvalidation.md").read_bytes()
    assert command(*words(bundle, phantoms)) == 0
    assert "2 folds, 0 to train" in capfd.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert (results(bundle) / "crossvalidation.md").read_bytes() == page


@pytest.mark.slow
def test_the_mean_of_the_folds_is_predicted_and_each_alone_on_request(
    done, phantoms, tmp_path, command
):
    bundle, _ = done
    case = load_manifest(phantoms / "manifest.json").test[0]
    options = ["--engine", "torch", "--precision", "fp32", "--maps", "probabilities"]
    options += ["--set", "keep_largest=[]", "--set", "smallest={}"]
    image = phantoms / case.image
    probable = []
    for name, fold in (("all", []), ("one", ["--fold", 0]), ("two", ["--fold", 1])):
        assert command("predict", bundle, image, "-o", tmp_path / name, *fold, *options) == 0
        probable.append(_only(tmp_path / name, "*prob*.nii.gz").get_fdata())
    # Maps are bytes; means over windows are of logits, so the mean is not exact between windows.
    mean = (probable[1] + probable[2]) / 2
    assert np.abs(probable[0] - mean).mean() < 2 / 255
    stated = json.loads((tmp_path / "all" / "summary.json").read_text())["weights"]
    assert stated["members"] == 2
    label = _only(tmp_path / "all", "*_seg.nii.gz").get_fdata()
    best = probable[0].argmax(axis=-1)
    sure = np.diff(np.sort(probable[0], axis=-1)[..., -2:], axis=-1)[..., 0] > 2 / 255
    assert (label[sure] == best[sure]).all()


@pytest.mark.slow
def test_plain_monai_runs_the_ensemble_and_gives_the_same_labels(done, phantoms, tmp_path):
    bundle, _ = done
    image = phantoms / load_manifest(phantoms / "manifest.json").test[0].image
    (tmp_path / "in").mkdir()
    shutil.copy(image, tmp_path / "in")
    config = f"{bundle}/configs/inference.yaml"
    places = ["--dataset_dir", str(tmp_path / "in"), "--output_dir", str(tmp_path / "monai")]
    plain = ["--engine", "torch", "--precision", "fp32", "--device", "cpu"]
    line = [sys.executable, "-m", "monai.bundle", "run", "inferring", "--config_file", config]
    subprocess.run([*line, *places, *plain], check=True, capture_output=True)
    ran = run("predict", bundle, image, "-o", tmp_path / "medseg", *plain[:4])
    assert ran.returncode == 0, ran.stderr
    one, other = (
        _only(tmp_path / name, "*_seg.nii.gz").get_fdata() for name in ("monai", "medseg")
    )
    assert (one == other).all()


@pytest.mark.slow
def test_a_fold_that_is_not_there_and_cases_that_were_seen_are_refused(
    done, phantoms, tmp_path, command, capfd
):
    bundle, _ = done
    image = phantoms / load_manifest(phantoms / "manifest.json").test[0].image
    assert command("predict", bundle, image, "-o", tmp_path, "--fold", 5) == ExitCode.USAGE
    assert "has folds 0, 1" in _line(capfd)
    evaluating = ["--config", "train", "--config", "evaluate", "--run-id", "evaluating"]
    places = [f"dataset_dir={phantoms}", f"output_dir={tmp_path / 'scores'}"]
    assert command("train", bundle, *places, *evaluating) == ExitCode.DATA
    assert "score cases that none saw (split=test)" in _line(capfd)


@pytest.mark.slow
def test_another_config_under_a_cross_validation_is_refused_and_named(
    done, phantoms, command, capfd
):
    bundle, _ = done
    assert command(*words(bundle, phantoms, "learning_rate=0.5")) == ExitCode.USAGE
    line = _line(capfd)
    assert "fold_0: was begun with learning_rate=" in line
    assert "this is learning_rate=0.5; give another -o" in line


@pytest.mark.slow
def test_killed_it_goes_on_to_the_same_weights_and_a_finished_fold_is_not_trained_again(
    done, phantoms, tmp_path
):
    whole, _ = done
    bundle = a_bundle(tmp_path)
    line = [sys.executable, "-m", "medseg", *map(str, words(bundle, phantoms))]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    first, second = (results(bundle) / f"fold_{fold}" for fold in (0, 1))
    # In the middle of the second fold, whose first epoch is saved.
    _await(lambda: any((second / "checkpoints").glob("*.safetensors")), process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = (first / RESULT).stat().st_mtime_ns
    assert not (second / RESULT).exists()
    assert not (bundle / "models").exists()
    ran = run(*words(bundle, phantoms))
    assert ran.returncode == 0, ran.stderr
    assert "2 folds, 1 to train" in ran.stderr
    assert (first / RESULT).stat().st_mtime_ns == before
    for fold in (0, 1):
        same = [fold_file(one / "models", fold).read_bytes() for one in (whole, bundle)]
        assert same[0] == same[1]


@pytest.mark.slow
def test_folds_of_two_machines_are_joined_by_putting_their_folders_together(
    done, phantoms, tmp_path, command, capfd
):
    whole, _ = done
    bundle = a_bundle(tmp_path)
    # Fold 1 from elsewhere, where bundle and data lie in other folders.
    shutil.copytree(results(whole) / "fold_1", results(bundle) / "fold_1")
    elsewhere = tmp_path / "data"
    shutil.copytree(phantoms, elsewhere)
    assert command(*words(bundle, elsewhere, "--fold", 1)) == 0
    assert "left to train: fold 0" in capfd.readouterr().out
    shutil.copytree(results(whole) / "fold_0", results(bundle) / "fold_0")
    assert command(*words(bundle, elsewhere, "--dry-run")) == 0
    assert "2 folds, 0 to train" in capfd.readouterr().out


@pytest.mark.slow
def test_a_dry_run_says_folds_and_hours_and_keeps_nothing(phantoms, tmp_path, command, capfd):
    bundle = a_bundle(tmp_path)
    assert command(*words(bundle, phantoms, "--dry-run")) == 0
    told = capfd.readouterr().out
    assert "2 folds, 2 to train (fold 0: 2 cases of 2 patients" in told
    assert "min a fold (by a trial)" in told
    assert not (bundle / "eval").exists()


def test_a_bundle_with_weights_of_its_own_is_not_written_into(phantoms, tmp_path, command, capfd):
    bundle = a_bundle(tmp_path)
    (bundle / "models").mkdir()
    weights = bundle / "models" / "model.safetensors"
    shutil.copy(BUNDLE / "models" / "model.safetensors", weights)
    before = weights.read_bytes()
    assert command(*words(bundle, phantoms, "--dry-run")) == ExitCode.USAGE
    assert "has weights of its own" in (line := _line(capfd))
    assert "add -o DIR" in line
    assert weights.read_bytes() == before
    assert sorted(path.name for path in bundle.iterdir()) == [
        "LICENSE",
        "configs",
        "docs",
        "models",
    ]


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        ("fold=1", "fold: this command sets it; use --fold"),
        ("output_dir=out", "output_dir: this command sets it; use -o"),
        ("learnig_rate=1", "did you mean learning_rate"),
    ],
)
def test_keys_of_the_command_and_unknown_ones_are_refused(
    phantoms, tmp_path, command, capfd, pair, told
):
    assert command(*words(a_bundle(tmp_path), phantoms, pair)) == ExitCode.USAGE
    assert told in _line(capfd)


def test_a_fold_of_another_number_is_refused(phantoms, tmp_path, command, capfd):
    bundle = a_bundle(tmp_path)
    assert command(*words(bundle, phantoms, "--fold", 7, "--dry-run")) == ExitCode.USAGE
    assert "--fold 7: " in (line := _line(capfd))
    assert "has folds 0, 1" in line


def test_one_fold_is_no_cross_validation(phantoms, tmp_path, command, capfd):
    data = _changed(phantoms, tmp_path, lambda case: {"fold": 0})
    assert command(*words(a_bundle(tmp_path), data)) == ExitCode.DATA
    assert "has 1 fold" in _line(capfd)


def test_a_patient_in_two_folds_is_refused(phantoms, tmp_path, command, capfd):
    content = json.loads((phantoms / "manifest.json").read_text())
    for case in content["training"]:
        case["patient"] = "one"
    data = tmp_path / "data"
    shutil.copytree(phantoms, data)
    (data / "manifest.json").write_text(json.dumps(content))
    assert command(*words(a_bundle(tmp_path), data)) == ExitCode.DATA
    assert "patient 'one' is in fold" in _line(capfd)


def _changed(phantoms, folder, change):
    """The data set with changed training cases."""
    manifest = load_manifest(phantoms / "manifest.json")
    cases = tuple(case.model_copy(update=change(case)) for case in manifest.training)
    data = folder / "data"
    shutil.copytree(phantoms, data)
    save_manifest(manifest.model_copy(update={"training": cases}), data / "manifest.json")
    return data


def _only(folder, pattern):
    (path,) = folder.glob(pattern)
    return nibabel.load(path)


def _line(capfd):
    """The one line of an error."""
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("medseg: ")]
    assert len(lines) == 1
    return lines[0]


def _await(happened, process):
    deadline = time.monotonic() + 300
    while not happened():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
