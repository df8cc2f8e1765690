"""DICOM in and out: named by series, held against the bundle's modality, silent about patients."""

import json
import re
import zipfile

import nibabel
import numpy as np
import pytest
from pydicom import dcmread

from medseg.data import find_dicom_series, read_dicom_series
from tests.cli.test_predict_cohort import EXACT, contents
from tests.data.dicom.builders import AFFINE, hounsfield, save, slices, tilted, uid

CANARY = "Kanarienvogel"
NAME = CANARY + "{:03d}.dcm"


@pytest.fixture
def body(phantoms):
    """A phantom's voxels, in the builder's grid."""
    image = nibabel.load(phantoms / "images" / "phantom_003.nii.gz")
    return np.asarray(image.dataobj).astype(np.int16)


def marked(datasets):
    for ds in datasets:
        ds.PatientName = f"{CANARY}^Tweety"
        ds.PatientID = ds.AccessionNumber = CANARY
        ds.SeriesDescription = ds.StudyDescription = ds.InstitutionName = CANARY
        ds.StudyDate = ds.PatientBirthDate = "19470228"
        ds.StudyTime = ""
        ds.ReferringPhysicianName = ds.StudyID = ds.PatientSex = ""
    return datasets


@pytest.fixture
def series(body, tmp_path):
    return save(marked(slices(body)), tmp_path / CANARY / "ct", NAME)


@pytest.mark.parametrize("packing", ["folder", "zip", "beside another modality"])
def test_a_series_gets_a_label_in_its_grid_named_by_its_uid(
    packing, series, trained, tmp_path, command
):
    given = series
    if packing == "zip":
        given = tmp_path / f"{CANARY}.zip"
        with zipfile.ZipFile(given, "w") as archive:
            for file in series.iterdir():
                archive.write(file, f"{CANARY}/{file.name}")
    elif packing == "beside another modality":
        pet = slices(hounsfield(), series="pet", modality="PT")
        save(marked(pet), series.parent / "pet", NAME)
        given = series.parent
    out = tmp_path / "out"
    assert command("predict", trained, given, "-o", out, *EXACT) == 0
    label = nibabel.load(out / f"{uid('a')}_seg.nii.gz")
    volume = read_dicom_series(series)
    assert label.shape == volume.array.shape
    np.testing.assert_allclose(label.affine, volume.affine, atol=1e-3)


@pytest.mark.parametrize("fault", ["none", "gap", "cut off", "tilt", "another modality"])
def test_a_canary_in_names_tags_and_folder_is_in_no_byte(
    fault, body, trained, tmp_path, command, capfd, phantoms
):
    made = marked(slices(body, tilted(20) if fault == "tilt" else AFFINE))
    if fault == "another modality":
        for ds in made:
            ds.Modality = "MR"
    folder = save(made[:4] + made[5:] if fault == "gap" else made, tmp_path / CANARY, NAME)
    if fault == "cut off":
        first = min(folder.iterdir())
        first.write_bytes(first.read_bytes()[:-30])
    out = tmp_path / "out"
    nifti = phantoms / "images" / "phantom_000.nii.gz"
    code = command("predict", trained, folder, nifti, "-o", out, *EXACT)
    assert code == (0 if fault == "none" else 1)
    assert command("predict", trained, folder, "-o", tmp_path / "none", "--json", "--dry-run") in (
        0,
        3,
    )
    told = capfd.readouterr()
    needles = (CANARY, "Tweety", "19470228")
    assert not any(needle in text for needle in needles for text in (told.out, told.err))
    for path in out.iterdir():
        assert not any(needle in path.name for needle in needles)
        assert not any(needle.encode() in path.read_bytes() for needle in needles), path.name


@pytest.mark.parametrize(("fault", "option"), [("gap", "--allow-gaps"), ("tilt", "--allow-tilt")])
def test_what_is_mended_only_when_allowed_is_recorded(
    fault, option, body, trained, tmp_path, command, capfd
):
    made = slices(body, tilted(20) if fault == "tilt" else AFFINE)
    folder = save(made[:4] + made[5:] if fault == "gap" else made, tmp_path / "in")
    out = tmp_path / "out"
    assert command("predict", trained, folder, "-o", out, *EXACT) == 3
    assert not out.exists()
    assert command("predict", trained, folder, "-o", out, option, *EXACT) == 0
    told = json.loads((out / "summary.json").read_text())["cases"][0]["dicom"]
    assert told["interpolated"] == ([4] if fault == "gap" else [])
    assert told["tilt_degrees"] == pytest.approx(20 if fault == "tilt" else 0, abs=0.01)


def test_of_two_series_one_is_chosen_by_its_uid(body, trained, tmp_path, command, capfd):
    folder = save(slices(body), tmp_path / "in")
    save(slices(body[:, ::-1], series="b"), folder, "b{:03d}.dcm")
    out = tmp_path / "out"
    assert command("predict", trained, folder, "-o", out, *EXACT) == 3
    told = capfd.readouterr().err
    assert all(series.uid in told for series in find_dicom_series(folder))
    words = ("-o", out, "--series-uid", uid("b"), *EXACT)
    assert command("predict", trained, folder, *words) == 0
    assert (out / f"{uid('b')}_seg.nii.gz").is_file()
    # Several at once, each by its reference.
    both = (f"{folder}#{uid('a')}", f"{folder}#{uid('b')}")
    assert command("predict", trained, *both, "-o", out, *EXACT) == 0
    assert (out / f"{uid('a')}_seg.nii.gz").is_file()
    assert command("predict", trained, folder, folder.parent, *words) == 2
    assert "--series-uid is for one input" in capfd.readouterr().err


def test_dicom_out_beside_nifti_and_alone(series, trained, tmp_path, command):
    out, alone = tmp_path / "out", tmp_path / "alone"
    words = ("predict", trained, series, *EXACT)
    assert command(*words, "-o", out, "--format", "nifti,dicom-seg,dicom-sr") == 0
    assert {name for name in contents(out) if name.startswith(uid("a"))} == {
        f"{uid('a')}_{end}" for end in ("seg.nii.gz", "seg.dcm", "sr.dcm", "overlay.png")
    }
    seg, sr = (dcmread(out / f"{uid('a')}_{end}.dcm") for end in ("seg", "sr"))
    assert (seg.Modality, sr.Modality) == ("SEG", "SR")
    # The patient must be in these, and only in these.
    assert seg.PatientID == CANARY
    assert seg.SegmentSequence[0].SegmentLabel == "lung"
    assert command(*words, "-o", alone, "--format", "dicom-seg") == 0
    assert not (alone / f"{uid('a')}_seg.nii.gz").exists()
    # Whoever starts again gets the same bytes: the time is the first beginning's.
    before = contents(out)
    (out / f"{uid('a')}_overlay.png").unlink()
    assert command(*words, "-o", out, "--format", "nifti,dicom-seg,dicom-sr") == 0
    assert contents(out) == before


def test_every_series_of_a_folder_is_predicted_and_the_key_is_kept_apart(
    body, trained, tmp_path, command, capfd
):
    folder, out, key = tmp_path / "in", tmp_path / "out", tmp_path / "key.csv"
    save(marked(slices(body)), folder / "a", NAME)
    save(marked(slices(body, series="b")), folder / "b", NAME)
    save(marked(slices(hounsfield(), series="pet", modality="PT")), folder / "pet", NAME)
    words = ("predict", trained, folder, "-o", out, "--all-series", "--name-by", "short", *EXACT)
    assert command(*words, "--key-file", out / "key.csv") == 2
    assert command(*words, "--key-file", key, "--dry-run") == 0
    assert not key.exists()
    capfd.readouterr()
    assert command(*words, "--key-file", key) == 0
    told = capfd.readouterr()
    assert "input 1: left out: 1 PT series" in told.err
    labels = sorted(path.name for path in out.glob("*_seg.nii.gz"))
    assert len(labels) == 2
    assert all(re.fullmatch("CT_[0-9a-f]{8}_seg.nii.gz", name) for name in labels)
    summary = json.loads((out / "summary.json").read_text())
    assert summary["left_out"] == [{"input": "input 1", "what": "PT series", "count": 1}]
    assert key.read_text().count(CANARY + "^Tweety") == 2
    assert all(name.removesuffix("_seg.nii.gz") in key.read_text() for name in labels)
    # The key, and nothing else, names the patient.
    for path in out.iterdir():
        assert CANARY.encode() not in path.read_bytes(), path.name
    assert CANARY not in told.out + told.err
    # The same series from elsewhere are done already.
    moved = (folder / "a").rename(tmp_path / "moved")
    assert command("predict", trained, moved, "-o", out, "--name-by", "short", *EXACT) == 0
    assert "done already" in capfd.readouterr().out
