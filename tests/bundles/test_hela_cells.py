"""hela_cells_unet2d on pictures of discs: trained, scored, and predicted by every path alike."""

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from medseg.bundles import run_bundle
from medseg.data.images.raster import read_raster
from tests.cli.conftest import command as command
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.filterwarnings("ignore")

BUNDLE = REPOSITORY / "bundles" / "hela_cells_unet2d"
TINY = {"patch_size": [32, 32], "first_width": 4, "depth": 3, "dropout": 0.0}
SHORT = {"epochs": 2, "iterations_per_epoch": 20, "val_interval": 2, "learning_rate": 0.01}
PLAIN = {"engine": "torch", "precision": "fp32"}


def draw_dish(folder, number):
    """Bright discs on grey, in four columns, of which the first two touch."""
    random = np.random.default_rng(number)
    rows, columns = np.indices((64, 72))
    cells = np.zeros((64, 72), np.uint16)
    for place, (i, j) in enumerate([(16, 12), (16, 31), (44, 20), (44, 54)]):
        cells[np.hypot(rows - i - number, columns - j) < 9.5] = 300 + place
    image = (90 + 60 * (cells > 0) + random.normal(0, 5, cells.shape)).astype(np.uint8)
    Image.fromarray(image).save(folder / "images" / f"t{number:03}.tif")
    Image.fromarray(cells).save(folder / "labels" / f"t{number:03}.tif")
    files = {kind: f"{kind}s/t{number:03}.tif" for kind in ("image", "label")}
    return {"case": f"t{number:03}", "patient": f"p{number}", **files}


@pytest.fixture(scope="module")
def dish(tmp_path_factory):
    """Five frames with their manifest: three to train, one to validate, one to test."""
    folder = tmp_path_factory.mktemp("dish")
    for name in ("images", "labels"):
        (folder / name).mkdir()
    cases = [draw_dish(folder, number) for number in range(5)]
    known = json.loads((BUNDLE / "configs" / "dic_c2dh_hela.json").read_text())
    known["training"] = [{**case, "fold": int(n > 0)} for n, case in enumerate(cases[:4])]
    known["test"] = cases[4:]
    (folder / "manifest.json").write_text(json.dumps(known))
    return folder


@pytest.fixture(scope="module")
def trained_cells(dish, tmp_path_factory):
    bundle = tmp_path_factory.mktemp("hela") / BUNDLE.name
    shutil.copytree(BUNDLE, bundle, ignore=shutil.ignore_patterns("models", "eval"))
    overrides = {"dataset_dir": str(dish), "ckpt_dir": str(bundle / "models"), **TINY, **SHORT}
    run_bundle(bundle, configs=["train"], run_id="training", overrides=overrides, log="quiet")
    return bundle


CELLS = {"waist_px": 3.0, "least_px": 30}


def test_a_quick_pass_trains_beside_a_training_and_is_scored(trained_cells, dish, tmp_path):
    before = (trained_cells / "models" / "model.safetensors").read_bytes()
    places = {"dataset_dir": str(dish), "output_dir": str(tmp_path)}
    quick = {"ckpt_dir": str(trained_cells / "models"), "quick": True, **TINY}
    run_bundle(
        trained_cells, configs=["train"], run_id="training", overrides=places | quick, log="quiet"
    )
    assert (trained_cells / "models" / "model.safetensors").read_bytes() == before
    weights = {"ckpt_dir": str(trained_cells / "models" / "quick"), "engine": "torch", **CELLS}
    run_bundle(
        trained_cells,
        configs=["train", "evaluate"],
        run_id="evaluating",
        overrides=places | weights,
        log="quiet",
    )
    assert json.loads((tmp_path / "scores.json").read_text())["scored"] == 1


def test_the_test_frames_are_scored_cell_by_cell(trained_cells, dish, tmp_path, capsys):
    overrides = {"dataset_dir": str(dish), "output_dir": str(tmp_path), "split": "test", **CELLS}
    run_bundle(
        trained_cells,
        configs=["train", "evaluate"],
        run_id="evaluating",
        overrides={**overrides, **SHORT, "engine": "torch"},
        log="quiet",
    )
    printed = capsys.readouterr().out
    assert "SEG" in printed
    assert "HD95 px" in printed
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["instances"]["pooled"]["label_objects"] == 4
    assert 0 <= scores["instances"]["cases"]["t004"]["seg"] <= 1
    assert scores["cases"]["t004"][0]["iou"] > 0.5
    rows = list(csv.DictReader((tmp_path / "instances.csv").read_text().splitlines()))
    assert [row["case"] for row in rows] == ["t004"]


def test_cells_are_numbered_alike_by_medseg_predict_and_by_monais_runner(
    trained_cells, dish, tmp_path, command
):
    image = dish / "images" / "t004.tif"
    run_bundle(
        trained_cells,
        configs=["inference"],
        run_id="inferring",
        overrides={"dataset_dir": str(dish / "images"), "output_dir": str(tmp_path), **CELLS}
        | PLAIN,
        log="quiet",
    )
    words = [f"{key}={value}" for key, value in (CELLS | PLAIN).items()]
    sets = [word for pair in words for word in ("--set", pair)]
    assert command("predict", trained_cells, image, "-o", tmp_path / "out", *sets) == 0
    theirs, ours = (
        read_raster(folder / "t004_seg.tif", "label")[0] for folder in (tmp_path, tmp_path / "out")
    )
    assert ours.dtype == np.uint16
    assert ours.shape == (64, 72)
    np.testing.assert_array_equal(theirs, ours)
    assert np.unique(ours).tolist() == list(range(ours.max() + 1))
    # The images' folder holds five frames; all of them were predicted by MONAI's runner.
    assert len(list(tmp_path.glob("*_seg.tif"))) == 5
    (row,) = csv.DictReader((tmp_path / "out" / "volumes.csv").read_text().splitlines())
    assert int(row["cell_count"]) == ours.max()
    assert int(row["cell_px"]) == np.count_nonzero(ours)


def test_without_augmentation_a_patch_is_a_frame_as_it_is(dish):
    from monai.bundle import ConfigParser

    parser = ConfigParser()
    parser.read_config(str(BUNDLE / "configs" / "train.yaml"))
    parser.update({"bundle_root": str(BUNDLE), "dataset_dir": str(dish)})
    parser.update({"augmentation": 0.0, "patch_size": [32, 36]})
    parser.update({"centres": {"_target_": "medseg.transforms.Centres", "foreground": 0.0}})
    cases = parser.get_parsed_content("train_cases")
    prepared = parser.get_parsed_content("train#preprocessing")(cases[0])
    sample = parser.get_parsed_content("train#augmentation")(dict(prepared))
    for key in ("image", "label", "weight"):
        np.testing.assert_array_equal(sample[key], prepared[key])


@pytest.mark.parametrize(
    ("word", "code", "made"),
    [("png", 0, ["t004_seg.png"]), ("nifti", 2, []), ("auto", 0, ["t004_seg.tif"])],
)
def test_a_picture_is_written_as_a_picture(
    trained_cells, dish, tmp_path, command, word, code, made
):
    image = dish / "images" / "t004.tif"
    options = ["--format", word, "--set", "engine=torch"]
    assert command("predict", trained_cells, image, "-o", tmp_path, *options) == code
    assert [path.name for path in tmp_path.glob("*_seg.*")] == made


def test_a_folder_of_pictures_is_predicted_without_its_own_labels(
    trained_cells, dish, tmp_path, command, capsys
):
    shutil.copytree(dish / "images", tmp_path / "in")
    for _ in range(2):
        options = ["--set", "engine=torch"]
        assert (
            command("predict", trained_cells, tmp_path / "in", "-o", tmp_path / "in", *options) == 0
        )
    assert len(list((tmp_path / "in").glob("*_seg.tif"))) == 5
    assert len(list((tmp_path / "in").glob("*_overlay.png"))) == 5
    assert "of them" in capsys.readouterr().out


def test_a_picture_in_colour_is_told_and_the_others_go_on(
    trained_cells, dish, tmp_path, command, capsys
):
    colours = np.random.default_rng(0).integers(0, 255, (64, 72, 3), dtype=np.uint8)
    Image.fromarray(colours).save(tmp_path / "colour.png")
    inputs = [tmp_path / "colour.png", dish / "images" / "t000.tif"]
    out = tmp_path / "out"
    assert command("predict", trained_cells, *inputs, "-o", out, "--set", "engine=torch") == 1
    assert "colours where grey values are expected" in capsys.readouterr().err.replace("\n", "")
    assert (out / "t000_seg.tif").is_file()


def test_a_bundle_of_volumes_refuses_a_picture(trained, dish, tmp_path, command, capsys):
    assert command("predict", trained, dish / "images" / "t000.tif", "-o", tmp_path) == 3
    assert "is a picture; covid_lung_ct_unet3d takes volumes" in capsys.readouterr().err
