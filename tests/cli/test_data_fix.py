"""`medseg data check --fix`: a new folder that passes the check, and a record of each change."""

import gzip
import json
import os

import nibabel
import numpy as np
import pytest
from PIL import Image

from medseg.data import load_manifest, read_image, save_manifest
from medseg.data.datasets.check import check_dataset
from medseg.data.digest import path_sha256
from medseg.data.manifest import Channel
from tests.data.builders import AFFINE, SHAPE, a_case, a_label, a_manifest, an_image, write_nifti
from tests.data.dicom.labels.builders import a_clinic, square

BOX = (SHAPE[0] * 2, SHAPE[1] * 2, SHAPE[2] * 2)


@pytest.fixture
def run(command, capsys):
    """Runs `medseg data check`; gives exit code, standard output and error on one line each."""

    def say(*words):
        code = command("data", "check", *map(str, words))
        out, err = capsys.readouterr()
        return code, " ".join(out.split()), " ".join(err.split())

    return say


def lung(values=(0, 1, 2)):
    """The builders' label with other numbers for its classes."""
    return np.array(values, np.int16)[a_label()]


@pytest.fixture
def broken(tmp_path):
    """One case for each thing that can be mended, and some that cannot be."""
    folder = tmp_path / "set"
    shifted = AFFINE.copy()
    shifted[0, 3] += 0.3
    away = AFFINE.copy()
    away[0, 3] += 700
    finer = np.kron(lung((0, 1, 4)), np.ones((2, 2, 2), np.int16))
    half = AFFINE @ np.diag([0.5, 0.5, 0.5, 1])
    half[:3, 3] -= AFFINE[:3, :3] @ [0.25, 0.25, 0.25]
    labels = {
        "sound": (lung((0, 1, 1)), AFFINE),
        "gap": (lung((0, 1, 4)), AFFINE),
        "float": (lung((0, 1, 4)).astype(np.float32), AFFINE),
        "shifted": (lung((0, 1, 4)), shifted),
        "flipped": (lung((0, 1, 4))[::-1], AFFINE @ flip(SHAPE[0])),
        "finer": (finer, half),
        "four": (lung((0, 1, 1))[..., None], AFFINE),
        "away": (lung((0, 1, 4)), away),
        "half": (lung((0, 1, 4)) / 3, AFFINE),
    }
    for seed, (name, (array, affine)) in enumerate(labels.items()):
        image = an_image(seed)
        write_nifti(folder / f"images/{name}.nii.gz", image[..., None] if name == "four" else image)
        write_nifti(folder / f"labels/{name}.nii.gz", array, affine)
    cases = [a_case(name, number % 2) for number, name in enumerate(labels)]
    save_manifest(a_manifest(cases), folder / "manifest.json")
    return folder


def flip(size):
    turn = np.diag([-1.0, 1, 1, 1])
    turn[0, 3] = size - 1
    return turn


def bytes_of(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def mend(folder, out, *more):
    return (folder / "manifest.json", "--dataset-dir", folder, "--fix", out, *more)


def test_what_can_be_mended_is_in_a_new_folder_that_passes_the_check(broken, tmp_path, run):
    before = bytes_of(broken)
    out = tmp_path / "out"
    code, said, err = run(*mend(broken, out))
    assert code == 1
    assert err == ""
    assert bytes_of(broken) == before
    assert "9 cases: 6 mended, 1 unchanged, 2 left out" in said
    assert "left out: away: label: its affine puts a corner" in said
    assert "left out: half: label: holds values that are not whole numbers" in said
    manifest = load_manifest(out / "manifest.json")
    report = check_dataset(manifest, out)
    assert report.count("error") == 0
    assert len(report.cases) == 7
    for case in report.cases:
        label = read_image(out / "labels" / f"{case.case}.nii.gz", where="label")
        wanted = lung((0, 1, 1)) if case.case in ("sound", "four") else lung()
        np.testing.assert_array_equal(label.array, wanted)
        assert label.array.dtype.kind in "iu"
    assert run(out / "manifest.json", "--dataset-dir", out)[0] == 0


def test_the_record_says_what_was_done_and_why(broken, tmp_path, run):
    out = tmp_path / "out"
    run(*mend(broken, out))
    record = json.loads((out / "fixes.json").read_text())
    kinds = {}
    for change in record["changes"]:
        kinds.setdefault(change["case"], []).append((change["where"], change["kind"]))
        assert change["why"]
    assert kinds == {
        "gap": [("label", "values")],
        "float": [("label", "whole numbers"), ("label", "values")],
        "shifted": [("label", "values"), ("label", "affine")],
        "flipped": [("label", "values"), ("label", "axes")],
        "finer": [("label", "values"), ("label", "resampled")],
        "four": [("image", "three axes"), ("label", "three axes")],
    }
    assert [one["case"] for one in record["left_out"]] == ["away", "half"]
    assert record["unchanged_files"] == ["linked"]


def test_unchanged_files_are_linked_and_a_header_alone_is_changed_in_a_copy(broken, tmp_path, run):
    out = tmp_path / "out"
    run(*mend(broken, out))
    sound = [folder / "labels/sound.nii.gz" for folder in (broken, out)]
    assert sound[0].samefile(sound[1])
    four = [folder / "images/four.nii.gz" for folder in (broken, out)]
    contents = [gzip.decompress(path.read_bytes()) for path in four]
    assert [nibabel.load(path).ndim for path in four] == [4, 3]
    differing = [k for k, (a, b) in enumerate(zip(*contents, strict=True)) if a != b]
    assert differing == [40]


def test_every_channel_of_a_mended_case_is_in_the_new_folder(tmp_path, run):
    folder, out = tmp_path / "set", tmp_path / "out"
    for seed, name in enumerate(("ct", "pet")):
        image = an_image(seed)
        write_nifti(folder / f"{name}.nii.gz", image[..., None] if name == "pet" else image)
    write_nifti(folder / "label.nii.gz", lung((0, 1, 4)))
    paths = ("ct.nii.gz", "pet.nii.gz")
    digests = {"image": tuple(path_sha256(folder / path) for path in paths)}
    case = a_case("both", image=paths, label="label.nii.gz", sha256=digests)
    channels = Channel(name="ct", unit="HU"), Channel(name="pet", unit="SUV", modality="PT")
    save_manifest(a_manifest([case], channels=channels), folder / "manifest.json")
    assert run(*mend(folder, out))[0] == 0
    record = json.loads((out / "fixes.json").read_text())
    kinds = [(change["where"], change["kind"]) for change in record["changes"]]
    assert kinds == [("image", "three axes"), ("label", "values")]
    assert (out / "ct.nii.gz").samefile(folder / "ct.nii.gz")
    assert nibabel.load(out / "pet.nii.gz").ndim == 3
    manifest = load_manifest(out / "manifest.json")
    assert manifest.training[0].sha256["image"] == tuple(path_sha256(out / path) for path in paths)
    assert check_dataset(manifest, out).count("error") == 0


def test_a_dry_run_says_the_same_and_writes_nothing(broken, tmp_path, run):
    out = tmp_path / "out"
    code, planned, _ = run(*mend(broken, out, "--dry-run"))
    assert (code, out.exists()) == (1, False)
    _, done, _ = run(*mend(broken, out))
    assert planned.split("Nothing written")[0] in done
    code, text, _ = run(*mend(broken, tmp_path / "other", "--dry-run", "--json"))
    assert json.loads(text)["changes"] == json.loads((out / "fixes.json").read_text())["changes"]


def test_a_run_that_was_interrupted_is_continued_by_the_same_command(broken, tmp_path, run):
    out = tmp_path / "out"
    run(*mend(broken, out))
    whole = bytes_of(out)
    (out / "manifest.json").unlink()
    (out / "labels/gap.nii.gz").unlink()
    (out / "images/sound.nii.gz").unlink()
    run(*mend(broken, out))
    assert bytes_of(out) == whole


def test_a_folder_of_anything_else_is_refused(broken, tmp_path, run):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("")
    code, _, err = run(*mend(broken, tmp_path / "out"))
    assert (code, "already exists; use another folder" in err) == (2, True)
    for inside in (broken, broken / "fixed", tmp_path):
        code, _, err = run(*mend(broken, inside))
        assert (code, "must lie outside of" in err) == (2, True)
    run(*mend(broken, tmp_path / "own"))
    manifest = load_manifest(broken / "manifest.json")
    save_manifest(manifest.model_copy(update={"licence": "other"}), broken / "manifest.json")
    code, _, err = run(*mend(broken, tmp_path / "own"))
    assert (code, "was mended by another manifest" in err) == (2, True)


def test_options_of_the_mending_need_it(broken, run):
    code, _, err = run(broken / "manifest.json", "--dataset-dir", broken, "--dry-run")
    assert (code, "are for --fix" in err) == (2, True)


def test_a_disk_without_links_gets_copies(broken, tmp_path, run, monkeypatch):
    def refused(*_args, **_options):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refused)
    out = tmp_path / "out"
    run(*mend(broken, out))
    assert json.loads((out / "fixes.json").read_text())["unchanged_files"] == ["copied"]
    same = [(folder / "images/sound.nii.gz") for folder in (broken, out)]
    assert same[0].read_bytes() == same[1].read_bytes()
    assert not same[0].samefile(same[1])


def test_pictures_of_0_and_255_become_0_and_1(tmp_path, run, command):
    folder = tmp_path / "set"
    for kind in ("image", "mask"):
        (folder / kind).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in "abc":
        Image.fromarray(rng.integers(0, 255, (8, 9)).astype(np.uint8)).save(
            folder / f"image/{name}.png"
        )
        mask = np.zeros((8, 9), np.uint8)
        mask[2:5, 3:7] = 255
        Image.fromarray(mask).save(folder / f"mask/{name}.png")
    words = ("--images", folder / "image/*", "--labels", folder / "mask/*", "--folds", 3)
    names = ("--modality", "microscopy", "--label-names", "background,cell")
    given = ("data", "manifest", *words, *names, "--out", folder / "manifest.json")
    assert command(*given) == 3
    assert command(*given, "--label-values", "mend") == 0
    assert run(folder / "manifest.json", "--dataset-dir", folder)[0] == 3
    code, said, _ = run(*mend(folder, tmp_path / "out"))
    assert code == 0
    assert "values renumbered: 255 to 1" in said
    assert np.unique(np.asarray(Image.open(tmp_path / "out/mask/a.png"))).tolist() == [0, 1]
    assert run(tmp_path / "out/manifest.json", "--dataset-dir", tmp_path / "out")[0] == 0


def test_labels_from_a_clinic_become_nifti_if_that_is_asked(tmp_path, run, command):
    folder = tmp_path / "set"
    clinics = [a_clinic(folder / name, seed=seed) for seed, name in enumerate(("p1", "p2"))]
    for clinic in clinics:
        # Among the slices, as many exports have it.
        clinic.structures({"GTV": [square(2.5, 5.5, k) for k in (2, 3)]}, "ct/rs.dcm")
    words = ("--images", folder / "*/ct", "--labels", folder / "*/ct/rs.dcm", "--folds", 2)
    more = ("--rois", "GTV=tumour", "--modality", "CT", "--out", folder / "manifest.json")
    assert command("data", "manifest", *words, *more) == 0
    code, said, _ = run(*mend(folder, tmp_path / "kept"))
    assert "2 unchanged" in said
    assert (tmp_path / "kept/p1/ct/rs.dcm").samefile(folder / "p1/ct/rs.dcm")
    code, _, _ = run(*mend(folder, tmp_path / "out", "--clinic-labels", "nifti"))
    assert code == 0
    manifest = load_manifest(tmp_path / "out/manifest.json")
    assert manifest.rois == {}
    assert {case.label for case in manifest.cases} == {"p1/ct/rs.nii.gz", "p2/ct/rs.nii.gz"}
    label = read_image(tmp_path / "out/p1/ct/rs.nii.gz", where="label")
    assert label.array.sum() == 2 * 9
    np.testing.assert_allclose(label.affine, read_image(folder / "p1/ct").affine)
    words = (tmp_path / "out/manifest.json", "--dataset-dir", tmp_path / "out")
    code, said, _ = run(*words)
    assert code == 0, said
