"""What `medseg data` prints, writes and exits with."""

import json
import re
import shlex

import numpy as np
import pytest
from PIL import Image

from medseg.data.manifest import load_manifest
from tests.conftest import REPOSITORY
from tests.data.builders import a_label, an_image, write_dataset, write_nifti


@pytest.fixture
def medseg(command, capsys):
    """Runs the command line; gives exit code, standard output and error."""
    return lambda *words: (command(*words), *capsys.readouterr())


def check(folder):
    return "data", "check", folder / "manifest.json", "--dataset-dir", folder


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_sound_data_set_exits_with_0(medseg, tmp_path):
    write_dataset(tmp_path)
    code, out, err = medseg(*check(tmp_path))
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "toy: 2 cases, no errors, no warnings: ready for training"


def test_warnings_alone_exit_with_0(medseg, tmp_path):
    write_dataset(tmp_path)
    write_nifti(tmp_path / "labels/a.nii.gz", a_label() * 0)
    code, out, _ = medseg(*check(tmp_path))
    assert code == 0
    assert "is all background" in out


@pytest.mark.parametrize(
    ("name", "array", "what"),
    [
        ("images/a", np.full((6, 5, 4), np.nan), "120 of 120 voxels are NaN or infinite"),
        ("images/a", np.zeros((6, 5, 4, 2)), "has 4 axes (6, 5, 4, 2), a volume has 3"),
        ("images/a", np.zeros((6, 5, 4), "u1,u1,u1"), "holds colours (RGB)"),
        ("labels/a", a_label((6, 5, 3)), "shape (6, 5, 3) differs from the image's (6, 5, 4)"),
        ("labels/a", a_label() * 3, "holds 3, 6, but only 0, 1, 2 are named"),
    ],
    ids=["NaN", "4-D", "RGB", "shape", "values"],
)
def test_errors_exit_with_3_and_say_what_to_do(medseg, tmp_path, name, array, what):
    write_dataset(tmp_path)
    if array.dtype.fields:
        array = array.astype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    write_nifti(tmp_path / f"{name}.nii.gz", array)
    code, out, err = medseg(*check(tmp_path))
    assert (code, err) == (3, "")
    assert what in out
    assert f"in: a ({name}.nii.gz)" in out


def test_json_is_all_there_is_on_standard_output(medseg, tmp_path):
    write_dataset(tmp_path)
    write_nifti(tmp_path / "images/b.nii.gz", np.full((6, 5, 4), np.nan))
    code, out, err = medseg(*check(tmp_path), "--json")
    report = json.loads(out)
    assert (code, err) == (3, "")
    assert (report["name"], report["errors"], report["warnings"]) == ("toy", 1, 0)
    assert report["cases"][0]["image"]["shape"] == [6, 5, 4]
    assert report["cases"][0]["labels"][1] == {
        "value": 1,
        "name": "lung",
        "voxels": 2,
        "volume_ml": pytest.approx(0.02),
    }
    assert report["cases"][1]["problems"][0]["severity"] == "error"
    assert report["cases"][1]["image"]["intensity"] is None


@pytest.mark.parametrize("folder", ["gone", "empty"])
def test_a_missing_or_empty_folder_is_one_line_and_3(medseg, tmp_path, folder):
    write_dataset(tmp_path / "data")
    (tmp_path / "empty").mkdir()
    manifest = tmp_path / "data/manifest.json"
    code, out, err = medseg("data", "check", manifest, "--dataset-dir", tmp_path / folder)
    assert (code, out, len(err.splitlines())) == (3, "", 1)
    assert str(tmp_path / folder) in err


def test_a_patient_in_two_folds_is_one_line_and_3(medseg, tmp_path):
    write_dataset(tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(path.read_text().replace('"patient": "b"', '"patient": "a"'))
    code, out, err = medseg(*check(tmp_path))
    assert (code, out) == (3, "")
    assert err == (
        f"medseg: {path}: patient 'a' is in fold 0 and in fold 1; "
        "put all images of a patient in one place\n"
    )


@pytest.mark.data
def test_the_real_covid_data_set_is_sound(medseg, real_data):
    manifest = REPOSITORY / "data_manifests/covid19_ct_seg.json"
    folder = real_data / "chest_ct/covid19-ct-seg"
    code, out, err = medseg("data", "check", manifest, "--dataset-dir", folder)
    assert (code, err) == (0, "")
    assert "covid19_ct_seg: 7 cases, no errors, no warnings: ready for training" in out


def write_own(folder, names=("p1_a", "p1_b", "p2_a")):
    for seed, name in enumerate(names):
        write_nifti(folder / f"{name}_ct.nii.gz", an_image(seed))
        write_nifti(folder / f"{name}_labels.nii.gz", a_label())


def describe(folder, *more):
    patterns = "--images", folder / "*_ct.nii.gz", "--labels", folder / "*_labels.nii.gz"
    out = "--out", folder / "mine.json", "--modality", "CT", "--folds", 2
    return "data", "manifest", *patterns, *out, *more


def test_a_manifest_is_written_and_the_command_it_proposes_finds_no_problem(medseg, tmp_path):
    folder = tmp_path / "my data"
    write_own(folder)
    code, out, err = medseg(*describe(folder, "--patient-regex", "^(p[0-9])", "--name", "mine"))
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == (
        "mine: 3 cases of 2 patients, 0 of them for testing, the others in 2 folds; "
        "labels 0 background, 1 label_1, 2 label_2"
    )
    proposed = shlex.split(out.splitlines()[-1])
    assert proposed[0] == "medseg"
    assert medseg(*proposed[1:])[0] == 0


def test_names_licence_and_the_rest_reach_the_manifest(medseg, tmp_path):
    write_own(tmp_path)
    about = "--label-names", "background, lung,infection", "--licence", "CC0-1.0", "--test", 1
    assert medseg(*describe(tmp_path, *about, "--source", "a clinic"))[0] == 0
    manifest = load_manifest(tmp_path / "mine.json")
    assert manifest.class_names == ["background", "lung", "infection"]
    assert (manifest.licence, manifest.source) == ("CC0-1.0", "a clinic")
    assert (len(manifest.training), len(manifest.test)) == (2, 1)


def test_an_existing_manifest_is_kept_unless_told_otherwise(medseg, tmp_path):
    write_own(tmp_path)
    (tmp_path / "mine.json").write_text("precious")
    code, out, err = medseg(*describe(tmp_path))
    assert (code, out) == (2, "")
    assert err == (
        f"medseg: {tmp_path / 'mine.json'} already exists; use --overwrite or another --out\n"
    )
    assert (tmp_path / "mine.json").read_text() == "precious"
    assert medseg(*describe(tmp_path, "--overwrite"))[0] == 0
    assert len(load_manifest(tmp_path / "mine.json").cases) == 3


def test_a_dry_run_shows_the_pairs_and_writes_nothing(medseg, tmp_path):
    write_own(tmp_path)
    before = files(tmp_path)
    code, out, _ = medseg(*describe(tmp_path, "--dry-run"))
    assert code == 0
    assert "p1_a_ct.nii.gz + p1_a_labels.nii.gz" in out
    assert out.splitlines()[-1] == "Nothing written; run without --dry-run to write it."
    assert files(tmp_path) == before


def damage_nothing_to_match(folder):
    for path in folder.iterdir():
        path.unlink()


def damage_no_label(folder):
    (folder / "p1_b_labels.nii.gz").unlink()


def damage_mask_of_255(folder):
    for path in folder.glob("*_labels.nii.gz"):
        write_nifti(path, (a_label() > 0).astype(np.uint8) * 255)


def damage_half_a_label(folder):
    path = folder / "p2_a_labels.nii.gz"
    path.write_bytes(path.read_bytes()[:-30])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_nothing_to_match, "matches no file; check the folder, and quote the pattern"),
        (damage_no_label, "1 of 3 images have no label: "),
        (damage_mask_of_255, "if it is a mask, set label_kind to mask (--label-kind mask)"),
        (damage_half_a_label, "p2_a_labels.nii.gz: cannot be read as NIfTI"),
    ],
)
def test_what_cannot_be_described_is_one_line_and_3_and_nothing_is_written(
    medseg, tmp_path, damage, message
):
    write_own(tmp_path)
    damage(tmp_path)
    before = files(tmp_path)
    code, out, err = medseg(*describe(tmp_path))
    assert (code, out, len(err.splitlines())) == (3, "", 1)
    assert message in err
    assert files(tmp_path) == before


@pytest.mark.parametrize("file_format", ["nifti", "dicom"])
def test_phantoms_are_made_and_the_command_they_propose_finds_no_problem(
    medseg, tmp_path, file_format
):
    out_dir = tmp_path / "phantoms"
    options = "--cases", 2, "--seed", 3, "--format", file_format
    code, out, err = medseg("data", "phantom", out_dir, *options)
    assert (code, err) == (0, "")
    code, out, _ = medseg(*shlex.split(out.splitlines()[-1])[1:])
    assert code == 0
    assert "2 cases, no errors, no warnings" in out


def test_fat_phantoms_are_made_and_the_command_they_propose_finds_no_problem(medseg, tmp_path):
    options = "--kind", "abdominal-fat", "--cases", 2, "--slices", 2
    code, out, err = medseg("data", "phantom", tmp_path / "fat", *options)
    assert (code, err) == (0, "")
    assert "4 cases of 2 patients" in out
    assert "1 sat, 2 vat" in out
    code, out, _ = medseg(*shlex.split(out.splitlines()[-1])[1:])
    assert code == 0
    assert "4 cases, no errors, no warnings" in out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--slices", 3), "--slices is for --kind abdominal-fat"),
        (("--kind", "abdominal-fat", "--format", "dicom"), "is written as NIfTI"),
    ],
)
def test_an_option_of_the_other_kind_of_phantom_is_refused(medseg, tmp_path, options, says):
    code, out, err = medseg("data", "phantom", tmp_path / "set", *options)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert says in err
    assert not (tmp_path / "set").exists()


def test_phantoms_do_not_go_into_a_folder_that_holds_something(medseg, tmp_path):
    (tmp_path / "precious.txt").write_text("precious")
    code, out, err = medseg("data", "phantom", tmp_path, "--cases", 3)
    assert (code, out, len(err.splitlines())) == (3, "", 1)
    assert [path.name for path in files(tmp_path)] == ["precious.txt"]


def test_pictures_are_checked_and_their_spacing_is_said_to_be_unknown(medseg, tmp_path):
    mask = np.zeros((4, 6), np.uint8)
    mask[1:3, 1:4] = 255
    for folder, array in (("images", 255 - mask), ("masks", mask)):
        (tmp_path / folder).mkdir()
        Image.fromarray(array).save(tmp_path / folder / "a.png")
        Image.fromarray(array.T).save(tmp_path / folder / "b.png")
    patterns = "--images", tmp_path / "images/*.png", "--labels", tmp_path / "masks/*.png"
    about = "--modality", "histology", "--folds", 2, "--out", tmp_path / "manifest.json"
    code, _, err = medseg("data", "manifest", *patterns, *about)
    assert code == 3
    assert "(--label-kind mask)" in err
    code, _, err = medseg("data", "manifest", *patterns, *about, "--label-kind", "mask")
    assert (code, err) == (0, "")
    code, out, _ = medseg(*check(tmp_path))
    assert code == 0
    assert re.search(r"^ *a .* 4x6x1 +unknown +unknown ", out, re.MULTILINE)
    assert "label_1 6 px" in out
    _, out, _ = medseg(*check(tmp_path), "--json")
    assert json.loads(out)["cases"][0]["image"]["spacing_mm"] is None
