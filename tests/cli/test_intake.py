"""All commands find the same things about a file, and say them in the same words."""

import csv
import json
import shutil

import nibabel
import numpy as np
import pytest

from medseg.data.manifest import load_manifest, save_manifest
from tests.conftest import SMALL

ODD = ("phantom_000", "phantom_001", "phantom_002")


@pytest.fixture
def odd(phantoms, tmp_path):
    """Phantoms whose images are not in HU, one without foreground, one label in micrometres."""
    folder = tmp_path / "odd"
    shutil.copytree(phantoms, folder)
    for path in (folder / "images").iterdir():
        rewrite(path, lambda array: array - array.min())
    manifest = load_manifest(folder / "manifest.json")
    undigested = {
        part: tuple(case.model_copy(update={"sha256": {}}) for case in getattr(manifest, part))
        for part in ("training", "test")
    }
    save_manifest(manifest.model_copy(update=undigested), folder / "manifest.json")
    rewrite(folder / "labels" / f"{ODD[0]}.nii.gz", np.zeros_like)
    rewrite(folder / "labels" / f"{ODD[1]}.nii.gz", unit="micron")
    return folder


def rewrite(path, change=lambda array: array, unit="mm"):
    source = nibabel.load(path)
    array = change(np.asarray(source.dataobj))
    changed = nibabel.Nifti1Image(array, source.affine)
    changed.header.set_xyzt_units(unit)
    changed.to_filename(path)


@pytest.fixture
def said(command, capsys, caplog):
    """Runs a command; its exit code, and all that it says, in one line."""

    def run(*words):
        caplog.clear()
        code = command(*words)
        out, err = capsys.readouterr()
        logged = [record.getMessage() for record in caplog.records]
        return code, " ".join(f"{out}\n{err}\n{' '.join(logged)}".split())

    return run


def places(bundle, folder, out):
    """The words of each command for one data set."""
    manifest = folder / "manifest.json", "--dataset-dir", folder
    pair = folder / "images" / f"{ODD[0]}.nii.gz", folder / "labels" / f"{ODD[0]}.nii.gz"
    images = sorted((folder / "images").iterdir())
    small = [f"{key}={value}" for key, value in SMALL.items()]
    kept = f"ckpt_dir={out}/models", f"output_dir={out}/eval", f"dataset_dir={folder}"
    patch = f"patch_size={SMALL['patch_size']}"
    scored = folder / "labels", "--labels", folder / "labels"
    return {
        "check": ("data", "check", *manifest),
        "statistics": ("data", "statistics", *manifest),
        "preview": ("data", "preview", bundle, *pair, patch, "--samples", 1, "-o", out / "a.png"),
        "train": ("train", bundle, "--quick", *kept, *small),
        "dry run": ("predict", bundle, *images, "-o", out / "dry", "--dry-run"),
        "predict": ("predict", bundle, *images, "-o", out / "labels"),
        "evaluate": ("evaluate", *scored),
        "dry run of evaluate": ("evaluate", *scored, "--dry-run"),
    }


OF_IMAGES = {"check", "statistics", "preview", "train", "dry run", "predict"}
OF_LABELS = {"check", "statistics", "train", "evaluate", "dry run of evaluate"}


def test_all_commands_warn_of_the_same_in_the_same_words(trained, odd, tmp_path, said):
    code, text = said("data", "check", odd / "manifest.json", "--dataset-dir", odd, "--json")
    assert code == 0
    cases = {case["case"]: case["problems"] for case in json.loads(text)["cases"]}
    not_hu, empty = (problem["what"] for problem in cases[ODD[0]])
    _, micrometres = (problem["what"] for problem in cases[ODD[1]])
    assert not_hu == "no value is below 0, so it is not in HU, where air is -1000"
    assert empty == "is all background"
    assert micrometres.startswith("its header gives voxel sizes in micrometres")
    found = {name: said(*words) for name, words in places(trained, odd, tmp_path).items()}
    assert {name: code for name, (code, _) in found.items() if code} == {}
    texts = {name: text for name, (_, text) in found.items()}
    assert {name for name, text in texts.items() if not_hu in text} == OF_IMAGES
    assert {name for name, text in texts.items() if empty in text} == {*OF_LABELS, "preview"}
    assert {name for name, text in texts.items() if micrometres in text} == OF_LABELS
    # Once for the first case, and once for all of them.
    assert texts["predict"].count(not_hu) == texts["dry run"].count(not_hu) == 2
    assert (
        "warning: 4 cases (phantom_000, phantom_001, phantom_002, phantom_003): image: no"
        in (texts["predict"])
    )
    assert all(texts[name].count(not_hu) == 1 for name in ("check", "train", "statistics"))
    summary = json.loads((tmp_path / "labels" / "summary.json").read_text())
    assert all(not_hu in case["warnings"][0] for case in summary["cases"])
    with (tmp_path / "labels" / "volumes.csv").open(encoding="utf-8") as table:
        assert all(not_hu in row["remarks"] for row in csv.DictReader(table))


def test_all_commands_refuse_the_same_in_the_same_words(trained, phantoms, tmp_path, said):
    folder = tmp_path / "bad"
    shutil.copytree(phantoms, folder)
    rewrite(folder / "images" / f"{ODD[0]}.nii.gz", lambda a: np.where(a == a.max(), np.nan, a))
    refused = {name: said(*words) for name, words in places(trained, folder, tmp_path).items()}
    saying = {name for name, (code, text) in refused.items() if code and "are NaN or inf" in text}
    assert saying == OF_IMAGES
    folder = tmp_path / "worse"
    shutil.copytree(phantoms, folder)
    rewrite(folder / "labels" / f"{ODD[0]}.nii.gz", lambda label: label * 0.4)
    wrong = "holds values that are not whole numbers: 0.4"
    words = places(trained, folder, tmp_path / "new")
    refused = {name: said(*words[name]) for name in {*OF_LABELS, "preview"}}
    assert {name for name, (code, text) in refused.items() if code and wrong in text} == (
        {*OF_LABELS, "preview"}
    )
