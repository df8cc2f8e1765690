"""What `medseg train` promises: the training, or one clear line and nothing written."""

import csv
import json
import shutil
import signal
import subprocess
import sys

import nibabel
import numpy as np
import pytest

from medseg.networks import UNet, load_weights
from tests.conftest import BUNDLE, SMALL


def pairs(**overrides):
    return [f"{key}={value}" for key, value in {**SMALL, **overrides}.items()]


def test_a_training_leaves_weights_metrics_by_class_name_curves_and_events(trained):
    names = {path.name for path in (trained / "models").iterdir()}
    assert names == {"model.safetensors", "model.pt"}
    rows = list(csv.DictReader((trained / "eval" / "metrics.csv").read_text().splitlines()))
    assert len(rows) == SMALL["epochs"]
    assert {"val_mean_dice", "val_dice_lung", "val_dice_infection"} <= rows[0].keys()
    assert (trained / "eval" / "curves.png").stat().st_size > 0
    assert list((trained / "eval").glob("events.out.tfevents.*"))


def test_evaluating_scores_unseen_cases_in_their_own_grid(
    trained, phantoms, tmp_path, command, capfd
):
    code = command(
        "train", trained, f"dataset_dir={phantoms}", f"output_dir={tmp_path}", "split=test",
        "--config", "train", "--config", "evaluate", "--run-id", "evaluating"
    )  # fmt: skip
    assert code == 0
    assert "lung" in capfd.readouterr().out
    rows = list(csv.DictReader((tmp_path / "scores.csv").read_text().splitlines()))
    assert {row["case"] for row in rows} == {"phantom_003"}
    image = nibabel.load(phantoms / "images" / "phantom_003.nii.gz")
    label = nibabel.load(tmp_path / "predictions" / "phantom_003_seg.nii.gz")
    assert label.shape == image.shape


def test_a_training_shorter_than_its_validations_still_keeps_weights(phantoms, tmp_path, command):
    places = [f"ckpt_dir={tmp_path}", f"output_dir={tmp_path}"]
    code = command(
        "train", BUNDLE, f"dataset_dir={phantoms}", *places, *pairs(epochs=1, val_interval=5)
    )
    assert code == 0
    assert (tmp_path / "model.safetensors").is_file()


def test_a_folder_of_ones_own_with_equal_file_names_is_described_trained_and_evaluated(
    phantoms, tmp_path, command, capfd
):
    # What `medseg data manifest` writes has no window, and p0/ct.nii.gz, p1/ct.nii.gz, ...
    # have one name; other class names than the bundle's travel with the weights.
    own, out = tmp_path / "own", tmp_path / "out"
    for n in range(4):
        (own / f"p{n}").mkdir(parents=True)
        for kind, name in (("images", "ct"), ("labels", "mask")):
            source = phantoms / kind / f"phantom_00{n}.nii.gz"
            shutil.copy(source, own / f"p{n}" / f"{name}.nii.gz")
        # Two classes, where the bundle's own data has three.
        change(own / f"p{n}" / "mask.nii.gz", array=lambda label: np.minimum(label, 1))
    places = [f"dataset_dir={own}", f"ckpt_dir={out}", f"output_dir={out}"]
    described = command(
        "data", "manifest", "--images", own / "*" / "ct.nii.gz", "--labels", own / "*/mask.nii.gz",
        "--modality", "CT", "--label-names", "air,lungs", "--folds", 2, "--out",
        own / "manifest.json"
    )  # fmt: skip
    assert described == 0
    names = "class_names=[air, lungs]"
    assert command("train", BUNDLE, *places, *pairs(epochs=1), names) == 0
    code = command(
        "train", BUNDLE, *places, "--config", "train", "--config", "evaluate",
        "--run-id", "evaluating"
    )  # fmt: skip
    assert code == 0, capfd.readouterr().err
    training = json.loads((own / "manifest.json").read_text())["training"]
    held_out = {case["case"] for case in training if case["fold"] == 0}
    assert len(held_out) == 2
    rows = list(csv.DictReader((out / "scores.csv").read_text().splitlines()))
    assert {row["case"] for row in rows} == held_out
    assert {row["name"] for row in rows} == {"lungs"}


def test_the_same_seed_trains_the_same_weights(phantoms, tmp_path, command):
    for name in ("one", "two"):
        places = [f"ckpt_dir={tmp_path / name}", f"output_dir={tmp_path / name}"]
        arguments = pairs(epochs=1, precision="fp32")
        code = command("train", BUNDLE, f"dataset_dir={phantoms}", *places, *arguments)
        assert code == 0
    one, two = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two


def test_a_wrong_key_gets_a_did_you_mean(tmp_path, command, capfd):
    assert command("train", BUNDLE, "max_epoch=5") == 2
    told = capfd.readouterr().err.strip()
    assert "max_epoch: no such key in this config; did you mean" in told
    assert "\n" not in told


def test_a_wrong_word_is_refused_before_any_image_is_read(phantoms, tmp_path, command, capfd):
    places = [f"ckpt_dir={tmp_path / 'models'}", f"output_dir={tmp_path / 'eval'}"]
    code = command(
        "train", BUNDLE, f"dataset_dir={phantoms}", *places, *pairs(schedule="polynomal")
    )
    assert code == 2
    assert (
        "schedule must be one of plateau, polynomial, one_cycle, constant" in capfd.readouterr().err
    )
    assert list(tmp_path.iterdir()) == []


def test_a_layout_that_torch_does_not_know_is_one_line(phantoms, tmp_path, command, capfd):
    places = [f"ckpt_dir={tmp_path / 'models'}", f"output_dir={tmp_path / 'eval'}"]
    words = pairs(memory_format="sideways")
    assert command("train", BUNDLE, f"dataset_dir={phantoms}", *places, *words) == 2
    told = capfd.readouterr().err
    assert "network#memory_format must be one of auto, contiguous, channels_last" in told
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_run_id_gets_the_list(command, capfd):
    assert command("train", BUNDLE, "--run-id", "trainig") == 2
    assert "it has run, training" in capfd.readouterr().err


def test_a_wrong_config_gets_the_list(command, capfd):
    assert command("train", BUNDLE, "--config", "trian") == 2
    assert "use one of evaluate, inference, multi_gpu_train, train" in capfd.readouterr().err


def test_a_wrong_value_is_refused_in_the_words_of_what_does_not_take_it(
    phantoms, tmp_path, command, capfd
):
    places = [f"ckpt_dir={tmp_path / 'models'}", f"output_dir={tmp_path / 'eval'}"]
    hook = sys.excepthook
    code = command("train", BUNDLE, f"dataset_dir={phantoms}", *places, *pairs(norm="twice"))
    assert code == 2
    told = capfd.readouterr().err.strip().splitlines()[-1]
    assert told == "medseg: network_def#norm must be one of none, one, both, got 'twice'"
    assert sys.excepthook is hook
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_line(phantoms, tmp_path, command, capfd):
    (tmp_path / "taken").write_text("a file, where a folder is needed")
    places = [f"ckpt_dir={tmp_path / 'taken'}", f"output_dir={tmp_path / 'eval'}"]
    code = command("train", BUNDLE, f"dataset_dir={phantoms}", *places, *pairs())
    assert code == 4
    told = capfd.readouterr().err.strip().splitlines()[-1]
    assert told.startswith(f"medseg: {tmp_path / 'taken'}: File exists; ")


def test_weights_of_an_earlier_training_are_not_overwritten(trained, phantoms, command, capfd):
    before = (trained / "models" / "model.safetensors").read_bytes()
    places = [f"dataset_dir={phantoms}", f"ckpt_dir={trained / 'models'}"]
    code = command("train", trained, *places, *pairs())
    assert code == 2
    assert "holds the weights of an earlier training" in capfd.readouterr().err
    assert (trained / "models" / "model.safetensors").read_bytes() == before


@pytest.fixture
def damaged(phantoms, tmp_path):
    """A copy of the phantoms in which a test may spoil one label or image."""
    folder = tmp_path / "set"
    shutil.copytree(phantoms, folder)
    return folder


def change(path, array=None, affine=None):
    old = nibabel.load(path)
    values = np.asarray(old.dataobj) if array is None else array(np.asarray(old.dataobj))
    nibabel.Nifti1Image(values, old.affine if affine is None else affine).to_filename(path)


def other_shape(folder):
    change(folder / "labels" / "phantom_000.nii.gz", array=lambda label: label[:-1])


def other_affine(folder):
    change(folder / "labels" / "phantom_000.nii.gz", affine=np.diag([2.0, 2.0, 3.0, 1.0]))


def unknown_value(folder):
    change(folder / "labels" / "phantom_000.nii.gz", array=lambda label: label + np.uint8(5))


def nan_voxels(folder):
    change(
        folder / "images" / "phantom_000.nii.gz",
        array=lambda image: np.where(image > 0, np.nan, image).astype(np.float32),
    )


def cut_off(folder):
    path = folder / "images" / "phantom_000.nii.gz"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def no_file(folder):
    (folder / "images" / "phantom_000.nii.gz").unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (other_shape, "shape (39, 32, 24) differs from the image's (40, 32, 24)"),
        (other_affine, "its affine puts a corner of the volume"),
        (unknown_value, "holds 5, 6, 7, but only 0, 1, 2 are named"),
        (nan_voxels, "voxels are NaN or infinite"),
        (cut_off, "phantom_000.nii.gz: cannot be read"),
        (no_file, "phantom_000.nii.gz: not there"),
    ],
)
def test_bad_data_ends_in_one_line_before_training(
    spoil, message, damaged, tmp_path, command, capfd
):
    spoil(damaged)
    places = [f"ckpt_dir={tmp_path / 'models'}", f"output_dir={tmp_path / 'eval'}"]
    code = command("train", BUNDLE, f"dataset_dir={damaged}", *places, *pairs())
    told = capfd.readouterr().err.strip().splitlines()
    assert code == 3
    assert message in told[-1]
    assert "phantom_000" in told[-1]
    assert not (tmp_path / "models").exists()
    assert not (tmp_path / "eval").exists()


def test_an_all_background_label_is_warned_of_and_trained_with(damaged, tmp_path, command, capfd):
    change(damaged / "labels" / "phantom_000.nii.gz", array=np.zeros_like)
    places = [f"ckpt_dir={tmp_path / 'models'}", f"output_dir={tmp_path / 'eval'}"]
    code = command("train", BUNDLE, f"dataset_dir={damaged}", *places, *pairs(epochs=1))
    assert code == 0
    assert "phantom_000: label: is all background" in capfd.readouterr().out


def test_ctrl_c_ends_a_training_in_one_line_and_keeps_its_best_weights(phantoms, tmp_path):
    places = [f"dataset_dir={phantoms}", f"ckpt_dir={tmp_path}", f"output_dir={tmp_path}"]
    # A shell's background jobs ignore the signal, and hand that down to what tests start.
    call = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from medseg.cli.main import main; main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", call, "train", BUNDLE, *places, *pairs(epochs=10_000)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as training:
        told = next(line for line in training.stdout if "epoch 1/" in line and "loss" in line)
        training.send_signal(signal.SIGINT)
        rest, errors = training.communicate()
    assert "val_mean_dice" in told
    assert training.returncode == 75
    last = errors.splitlines()[-1]
    assert last.startswith("medseg: stopped by Ctrl-C in epoch ")
    assert f"are {tmp_path / 'model.safetensors'}; continue with " in last
    # Neither MONAI's warning of a reader that nothing uses, nor ignite's log of what is raised.
    assert errors.splitlines() == [last]
    assert "ERROR" not in rest
    assert "Traceback" not in rest + errors
    network = UNet(spatial_dims=3, in_channels=1, out_channels=3, depth=3, first_width=4)
    load_weights(network, tmp_path / "model.safetensors")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_quick_pass_reads_trains_validates_and_saves_out_of_a_trainings_way(
    trained, phantoms, command, capfd
):
    before = (trained / "models" / "model.safetensors").read_bytes()
    arguments = pairs(epochs=1000, iterations_per_epoch=1000, val_interval=10)
    # Again, as nothing is refused for what an earlier quick pass left.
    places = [f"dataset_dir={phantoms}", f"ckpt_dir={trained / 'models'}"]
    for _ in range(2):
        assert command("train", trained, *places, *arguments, "--quick") == 0
        assert "epoch 1/1" in capfd.readouterr().out
    rows = list(csv.DictReader((trained / "eval/quick/metrics.csv").read_text().splitlines()))
    assert len(rows) == 1
    assert rows[0]["val_mean_dice"]
    network = UNet(spatial_dims=3, in_channels=1, out_channels=3, depth=3, first_width=4)
    load_weights(network, trained / "models" / "quick" / "model.safetensors")
    assert (trained / "models" / "model.safetensors").read_bytes() == before


def test_going_on_with_another_setting_is_refused_with_the_difference(
    trained, phantoms, command, capfd
):
    arguments = pairs(start="resume", clip_gradients=1.0, learning_rate=0.01)
    assert command("train", trained, f"dataset_dir={phantoms}", *arguments) == 2
    told = capfd.readouterr().err.strip().splitlines()[-1]
    assert "learning_rate was 0.001, is 0.01; clip_gradients was None, is 1.0" in told
