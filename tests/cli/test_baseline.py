"""What `medseg baseline` writes, scores, prints and exits with."""

import csv
import json

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from medseg.data.manifest import Channel, Label, save_manifest
from medseg.metrics.criteria import Criteria
from medseg.reports.pairing import EvaluationCase
from medseg.reports.scoring import score_pairs
from medseg.studies.baselines.column import baseline_run, case_scores
from tests.data.builders import AFFINE, a_case, a_manifest, write_nifti

LABELS = (Label(value=0, name="background"), Label(value=1, name="tumour"))


@pytest.fixture
def medseg(command, capsys):
    """Runs the command line; gives exit code, standard output and error."""
    return lambda *words: (command("baseline", *words), *capsys.readouterr())


@pytest.fixture
def volumes(tmp_path):
    """Four PET-like volumes with a bright block of another size in each."""
    for number, size in enumerate((4, 5, 6, 7)):
        truth = np.zeros((12, 11, 10), np.uint8)
        truth[2 : 2 + size, 2 : 2 + size, 3:7] = 1
        noise = np.random.default_rng(number).normal(0, 0.1, truth.shape)
        write_nifti(tmp_path / f"images/p{number}.nii.gz", (1 + 9 * truth + noise).astype("f4"))
        write_nifti(tmp_path / f"labels/p{number}.nii.gz", truth)
    cases = [a_case(f"p{number}", fold=None) for number in range(4)]
    manifest = a_manifest([], test=tuple(cases), labels=LABELS, modality="PT")
    save_manifest(manifest, tmp_path / "manifest.json")
    return tmp_path


@pytest.fixture
def pictures(tmp_path):
    """Two stained pictures, RGB, with a dark gland; their masks are 8 bit, their group a tissue."""
    for name in ("a", "b"):
        truth = np.zeros((40, 32), bool)
        truth[10:30, 8:24] = True
        colours = np.where(truth[..., None], (150, 60, 140), (235, 230, 240))
        noise = np.random.default_rng(1).integers(0, 8, colours.shape)
        for folder, array in (("images", colours + noise), ("labels", truth * 255)):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(array.astype(np.uint8)).save(tmp_path / folder / f"{name}.png")
    cases = [
        a_case(n, None, image=f"images/{n}.png", label=f"labels/{n}.png", group=f"tissue_{n}")
        for n in ("a", "b")
    ]
    channels = tuple(Channel(name=name, unit="8 bit") for name in ("red", "green", "blue"))
    about = {"labels": LABELS, "label_kind": "mask", "modality": "histology", "channels": channels}
    save_manifest(a_manifest([], test=tuple(cases), **about), tmp_path / "manifest.json")
    return tmp_path


def words(folder, *more):
    out = folder / "out"
    return folder / "manifest.json", "--dataset-dir", folder, "-o", out, *more


def test_a_volume_is_labelled_in_its_own_grid_and_scored(medseg, volumes):
    code, out, err = medseg(*words(volumes, "--method", "otsu"))
    assert code == 0
    assert "the brightest group is 'tumour'" in err
    assert "otsu     4       tumour   1.000 [1.000, 1.000]" in out
    assert "ICC(2,1) 1.00 [1.00, 1.00], bias 0 ± 0 ml" in out
    label = nib.load(volumes / "out/otsu/labels/p0_seg.nii.gz")
    np.testing.assert_allclose(label.affine, AFFINE)
    assert label.get_data_dtype() == np.uint8


def test_medseg_evaluate_scores_the_same_files_alike(medseg, volumes, command):
    medseg(*words(volumes, "--method", "watershed"))
    labels = volumes / "out/watershed/labels"
    source = ("--manifest", volumes / "manifest.json", "--dataset-dir", volumes, "--split", "test")
    assert command("evaluate", labels, *source, "-o", volumes / "again") == 0
    own = (volumes / "out/watershed/scores.csv").read_text()
    assert (volumes / "again/scores.csv").read_text() == own


def test_stained_pictures_are_scored_by_tissue_with_the_dark_group_as_tissue(medseg, pictures):
    code, out, err = medseg(*words(pictures))
    assert code == 0
    assert "the darkest group is 'tumour'" in err
    for method in ("k-means", "mrf", "otsu", "watershed", "sobel", "smooth"):
        with Image.open(pictures / f"out/{method}/labels/a_seg.png") as label:
            assert label.size == (32, 40)
    rows = list(csv.DictReader((pictures / "out/baselines.csv").read_text().splitlines()))
    assert [row["group"] for row in rows[:3]] == ["tissue_a", "tissue_b", ""]
    assert rows[0]["dsc"] == rows[0]["conformity"] == "1.0"
    assert "mean of the groups" in out
    assert (
        (pictures / "out/baselines.md").read_text().startswith("| method | cases | class | DSC |")
    )


def test_the_other_side_may_be_the_class(medseg, pictures):
    _, out, _ = medseg(*words(pictures, "--method", "otsu", "--foreground", "bright", "--json"))
    summary = json.loads(out)["methods"]["otsu"]["summary"]["classes"][0]
    # The gland is missed altogether: of 1280 pixels, conformity is 1 - 1280.
    assert summary["metrics"]["dsc"]["mean"] == 0
    assert summary["metrics"]["conformity"]["mean"] == -1279
    code, _, err = medseg(
        *words(pictures, "--method", "otsu", "--foreground", "reference", "--overwrite")
    )
    assert code == 0
    assert "an upper bound, not a result" in err


def test_one_bad_image_costs_no_other_case(medseg, volumes):
    (volumes / "images/p1.nii.gz").write_bytes(b"no image")
    broken = np.full((12, 11, 10), np.nan, "f4")
    write_nifti(volumes / "images/p2.nii.gz", broken)
    code, out, _ = medseg(*words(volumes, "--method", "otsu"))
    assert code == 1
    assert "otsu     2       tumour   1.000" in out
    assert "failed  otsu: p1: " in out
    assert "failed  otsu: p2: it holds values that are no numbers" in out
    errors = {
        row["case"]: row["error"]
        for row in csv.DictReader((volumes / "out/otsu/scores.csv").read_text().splitlines())
    }
    assert errors["p0"] == ""
    assert errors["p2"].startswith("p2: it holds values")


def test_a_dry_run_writes_nothing(medseg, volumes):
    code, out, _ = medseg(*words(volumes, "--dry-run"))
    assert code == 0
    assert "p0: images/p0.nii.gz, labels/p0.nii.gz" in out
    assert "4 cases by k-means, mrf, otsu, watershed, sobel, smooth" in out
    assert not (volumes / "out").exists()


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        (("--method", "ostu"), 2, "--method ostu: no such method; did you mean otsu?"),
        (("--levels", 9), 2, "--levels must be from 2"),
        (("--foreground", "1,0,1"), 2, "--foreground must have 2 numbers"),
        (("--foreground", "light"), 2, "must be auto, bright, dark, reference"),
        (("--split", "validation"), 3, "no case with a label in validation, fold 0"),
        (("--dataset-dir", "nowhere"), 3, "nowhere: no such folder"),
    ],
)
def test_wrong_words_are_one_line_before_anything_is_written(medseg, volumes, more, code, says):
    got, out, err = medseg(*words(volumes, *more))
    assert (got, out) == (code, "")
    assert says in err
    assert len(err.splitlines()) == 1
    assert not (volumes / "out").exists()


def test_existing_results_are_kept(medseg, volumes):
    medseg(*words(volumes, "--method", "otsu"))
    code, _, err = medseg(*words(volumes, "--method", "otsu"))
    assert code == 2
    assert "already exists; use --overwrite or another -o" in err


def test_scores_become_a_row_of_a_study(volumes):
    pairs = [
        EvaluationCase("p0", volumes / "labels/p0.nii.gz", volumes / "labels/p0.nii.gz", "", "limb")
    ]
    evaluation = score_pairs("toy", pairs, ["background", "tumour"], Criteria())
    (score,) = case_scores(evaluation)
    assert (score.case, score.class_name, score.group) == ("p0", "tumour", "limb")
    assert (score.values["dsc"], score.values["tp"], score.values["fn"]) == (1.0, 64, 0)
    run = baseline_run("otsu", evaluation, volumes, fold=2)
    assert (run.row, run.fold, run.cases, run.reason) == ("otsu", 2, (score,), "")
