"""Labels from a clinic through the commands: manifest, check, training's reading, evaluation."""

import json

import nibabel
import numpy as np
import pytest
from monai.transforms import Compose, LoadImaged

from medseg.data import datalist, load_manifest, read_image, require_usable, write_dicom_seg
from medseg.data.cases.case_digest import case_digest
from medseg.data.datasets.statistics import foreground_samples
from tests.data.dicom.builders import hounsfield, save, slices
from tests.data.dicom.labels.builders import (
    AFFINE,
    SHAPE,
    Clinic,
    a_label,
    contoured_patients,
    uid,
)

ROIS = ("--rois", "GTV*=tumour")


@pytest.fixture
def run(command, capsys):
    """Runs `medseg`; gives exit code, standard output and error without line breaks."""

    def say(*words):
        code = command(*map(str, words))
        out, err = capsys.readouterr()
        return code, " ".join(out.split()), " ".join(err.split())

    return say


@pytest.fixture
def folder(tmp_path):
    """Two patients: a CT series, and contours of a tumour whose file's name says nothing."""
    contoured_patients(tmp_path / "data")
    return tmp_path


def manifest(folder, *more, labels="data/*/RS*.dcm"):
    return (
        *("data", "manifest", "--images", folder / "data/*/ct", "--labels", folder / labels),
        *("--modality", "CT", "--folds", 2, "--out", folder / "m.json", *more),
    )


def test_contours_are_paired_by_their_series_checked_and_read_as_a_training_does(folder, run):
    code, out, err = run(*manifest(folder, *ROIS))
    assert (code, err) == (0, "")
    assert "2 cases of 2 patients" in out
    assert "0 background, 1 tumour" in out
    content = json.loads((folder / "m.json").read_text())
    assert content["rois"] == {"GTV*": "tumour"}
    assert {case["case"]: case["image"] for case in content["training"]} == {
        "anna": "anna/ct",
        "bert": "bert/ct",
    }
    code, out, _ = run("data", "check", folder / "m.json", "--dataset-dir", folder / "data")
    assert code == 0
    assert "ROIs that no class is named for are left out" in out
    loaded = load_manifest(folder / "m.json")
    cases = datalist(loaded, folder / "data", split="training", fold=1)
    assert len(require_usable(cases, loaded, ["background", "tumour"])) == 1
    readers = ["medseg.data.DicomSeriesReader", "medseg.data.VolumeReader"]
    load = Compose(
        [LoadImaged(["image", "label"], reader=readers, ensure_channel_first=True, image_only=True)]
    )
    case = load(cases[0])
    assert case["image"].shape == case["label"].shape == (1, *SHAPE)
    np.testing.assert_allclose(case["image"].affine, case["label"].affine)
    counts = {"anna": 3 * 4**2, "bert": 3 * 5**2}
    assert int(case["label"].sum()) == counts[cases[0]["case"]]
    (values,) = foreground_samples(loaded, folder / "data", loaded.training[:1])
    assert len(values) == counts[loaded.training[0].case]


def test_contours_belong_to_the_first_of_several_series(folder, run):
    for seed, name in enumerate(("anna", "bert"), start=7):
        late = slices(hounsfield(SHAPE, seed), series=f"{name}, late")
        save(late, folder / "data" / name / "late", "{:03d}.dcm")
    early, late = f"early={folder}/data/*/ct", f"late={folder}/data/*/late"
    words = ("--labels", folder / "data/*/RS*.dcm", "--modality", "CT", "--folds", 2, *ROIS)
    out = "--out", folder / "m.json"
    code, said, err = run("data", "manifest", "--channel", early, "--channel", late, *words, *out)
    assert (code, err) == (0, "")
    assert "channels early, late; labels 0 background, 1 tumour" in said
    loaded = load_manifest(folder / "m.json")
    assert [case.image for case in loaded.training] == [
        (f"{name}/ct", f"{name}/late") for name in ("anna", "bert")
    ]
    where = folder / "m.json", "--dataset-dir", folder / "data"
    code, said, _ = run("data", "check", *where, "--json")
    assert code == 0
    marked = [case["labels"][1]["voxels"] for case in json.loads(said)["cases"]]
    assert marked == [3 * 4**2, 3 * 5**2]
    samples = foreground_samples(loaded, folder / "data", loaded.training)
    assert [values.shape for values in samples] == [(voxels, 2) for voxels in marked]


def test_a_prepared_case_is_prepared_anew_if_a_name_means_something_else(folder, run):
    run(*manifest(folder, *ROIS))
    loaded = load_manifest(folder / "m.json")
    other = loaded.model_copy(update={"rois": {"BODY": "tumour"}})
    digests = {
        case_digest(datalist(one, folder / "data", split="training", fold=1)[0], "recipe", 1)
        for one in (loaded, other, loaded)
    }
    assert len(digests) == 2


def test_what_medseg_writes_as_seg_is_scored_against_contours(folder, run):
    run(*manifest(folder, *ROIS))
    (folder / "pred").mkdir()
    for number, name in enumerate(("anna", "bert")):
        array = np.zeros(SHAPE, np.uint8)
        array[3:7, 3 : 7 + number, 2:5] = 1
        clinic = Clinic(folder / "data" / name, AFFINE)
        label = a_label(clinic, array, ("background", "tumour"))
        write_dicom_seg(label, folder / "pred" / f"{name}_seg.dcm")
    words = ("--manifest", folder / "m.json", "--dataset-dir", folder / "data", "--split", "all")
    code, out, _ = run("evaluate", folder / "pred", *words, "--json")
    assert code == 0
    scores = {case: one[0]["dsc"] for case, one in json.loads(out)["cases"].items()}
    assert scores["anna"] == 1
    assert scores["bert"] == pytest.approx(2 * 60 / (60 + 75))


def test_a_prediction_that_has_the_name_of_its_series_is_found(folder, run):
    run(*manifest(folder, *ROIS))
    (folder / "pred").mkdir()
    array = np.zeros(SHAPE, np.uint8)
    array[3:7, 3:7, 2:5] = 1
    for name in ("anna", "bert"):
        label = a_label(Clinic(folder / "data" / name, AFFINE), array, ("background", "tumour"))
        write_dicom_seg(label, folder / "pred" / f"{uid(name)}_seg.dcm")
    words = ("--manifest", folder / "m.json", "--dataset-dir", folder / "data", "--split", "all")
    code, out, _ = run("evaluate", folder / "pred", *words, "--json")
    assert code == 0
    scores = {case: one[0]["dsc"] for case, one in json.loads(out)["cases"].items()}
    assert scores == {"anna": 1, "bert": pytest.approx(2 * 48 / (48 + 75))}


def test_two_folders_of_segs_are_scored_without_images(folder, run):
    for place, end, width in (("refs", "label", 7), ("pred", "seg", 5)):
        (folder / place).mkdir()
        array = np.zeros(SHAPE, np.uint8)
        # Frames of the two are not the same slices.
        array[3:7, 3:width, 2 : width - 1] = 1
        clinic = Clinic(folder / "data/anna", AFFINE)
        label = a_label(clinic, array, ("background", "tumour"))
        write_dicom_seg(label, folder / place / f"anna_{end}.dcm")
    names = ("--label-names", "background,tumour")
    code, out, err = run("evaluate", folder / "pred", "--labels", folder / "refs", *names, "--json")
    assert (code, err) == (0, "")
    one, other = 4 * 4 * 4, 4 * 2 * 2
    found = json.loads(out)["cases"]["anna"][0]["dsc"]
    assert found == pytest.approx(2 * other / (one + other))


def test_nifti_predictions_are_scored_against_contours_of_a_folder(folder, run):
    (folder / "pred").mkdir()
    (folder / "refs").mkdir()
    for name in ("anna", "bert"):
        (contours,) = (folder / "data" / name).glob("RS*")
        contours.rename(folder / "refs" / f"{name}.dcm")
        image = read_image(folder / "data" / name / "ct")
        array = np.zeros(SHAPE, np.uint8)
        array[3:7, 3:7, 2:5] = 1
        nibabel.save(nibabel.Nifti1Image(array, image.affine), folder / f"pred/{name}_seg.nii.gz")
    words = ("evaluate", folder / "pred", "--labels", folder / "refs", "--json")
    code, out, _ = run(*words, *ROIS)
    assert code == 0
    assert [one[0]["dsc"] for one in json.loads(out)["cases"].values()] == [
        1,
        pytest.approx(2 * 48 / (48 + 75)),
    ]
    code, _, err = run(*words)
    assert code == 3
    assert "ROIs without class values: GTV_anna, BODY" in err


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--rois", "GTW*=tumour"), "did you mean --rois 'GTV_anna=tumour'? they hold GTV_anna"),
        ((), "say which ROI is which class: --rois 'GTV_anna=tumour'"),
        (("--rois", "tumour"), "must be PATTERN=CLASS, as --rois 'GTV*=tumour'"),
        (
            (*ROIS, "--label-names", "background,lesion"),
            "'tumour' is none of --label-names background,lesion",
        ),
        ((*ROIS, *ROIS), "is given twice"),
    ],
)
def test_names_that_do_not_fit_are_one_line(folder, run, more, told):
    code, _, err = run(*manifest(folder, *more))
    assert code in (2, 3)
    assert told in err
    assert not (folder / "m.json").exists()


def test_rois_without_dicom_are_refused(folder, run):
    for name in ("anna", "bert"):
        image = read_image(folder / "data" / name / "ct")
        empty = nibabel.Nifti1Image(np.ones(SHAPE, np.uint8), image.affine)
        nibabel.save(empty, folder / "data" / name / "mask.nii.gz")
    code, _, err = run(*manifest(folder, *ROIS, labels="data/*/mask.nii.gz"))
    assert code == 2
    assert "--rois is for labels in DICOM" in err


def test_a_manifest_names_no_class_that_is_none(folder, run):
    run(*manifest(folder, *ROIS))
    content = json.loads((folder / "m.json").read_text()) | {"rois": {"GTV*": "lesion"}}
    (folder / "m.json").write_text(json.dumps(content))
    code, _, err = run("data", "check", folder / "m.json", "--dataset-dir", folder / "data")
    assert code == 3
    assert "rois: 'GTV*' stands for 'lesion', which is no label; use one of tumour" in err
