"""A data set of several channels: manifest, list of cases, cache key, check and statistics."""

import json

import nibabel as nib
import numpy as np
import pytest

from medseg.data import datalist, load_manifest, require_usable, save_manifest
from medseg.data.cases.case_digest import case_digest
from medseg.data.datasets.check import check_dataset
from medseg.data.datasets.collect import DatasetInfo, SplitPlan
from medseg.data.datasets.collected import DatasetFiles, collect_files
from medseg.data.datasets.statistics import foreground_samples, measured_cases, summarise
from medseg.errors import DataError, ManifestError
from tests.data.channel_builders import PET_SHAPE, write_patients


def collect(folder, **changes):
    files = DatasetFiles(
        **{
            "channels": (f"pet={folder}/*/pet.nii.gz", f"mr={folder}/*/mr.nii.gz"),
            "labels": f"{folder}/*/mask.nii.gz",
            **changes,
        }
    )
    info = DatasetInfo(modality=files.modality(None), label_names=("background", "tumour"))
    return collect_files(files, info, SplitPlan(folds=2, test_patients=1))[0]


@pytest.fixture
def patients(tmp_path):
    folder = write_patients(tmp_path / "set")
    save_manifest(collect(folder), folder / "manifest.json")
    return folder


def test_a_manifest_names_a_file_and_a_digest_for_each_channel(patients):
    manifest = load_manifest(patients / "manifest.json")
    case = next(case for case in manifest.cases if case.case == "p3")
    assert case.images == ("p3/pet.nii.gz", "p3/mr.nii.gz")
    assert case.label == "p3/mask.nii.gz"
    assert len(case.sha256["image"]) == 2
    pet, mr = manifest.channels
    assert (pet.name, pet.unit, pet.modality, pet.files) == ("pet", "SUV", None, "*/pet.nii.gz")
    assert (mr.name, mr.unit, mr.modality, mr.files) == ("mr", "arbitrary", "MR", "*/mr.nii.gz")
    assert manifest.modality == "PT"


def test_a_manifest_is_read_as_it_was_written(patients):
    manifest = load_manifest(patients / "manifest.json")
    save_manifest(manifest, patients / "again.json")
    assert (patients / "again.json").read_bytes() == (patients / "manifest.json").read_bytes()


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (["a.nii", "b.nii", "c.nii"], "names 3 files as its image, and the channels are pet, mr"),
        (["a.nii", "../b.nii"], "must be a path below the data set's folder"),
        ([], "must be a path, or a list of one for each channel"),
        (["a.nii", 5], "must be a path, or a list of one for each channel"),
    ],
)
def test_other_files_than_one_for_each_channel_are_refused(patients, image, message):
    content = json.loads((patients / "manifest.json").read_text())
    content["training"][0]["image"] = image
    (patients / "bad.json").write_text(json.dumps(content))
    with pytest.raises(ManifestError, match=message):
        load_manifest(patients / "bad.json")


def test_a_list_of_one_file_is_a_file(patients):
    content = json.loads((patients / "manifest.json").read_text())
    content["training"][0]["image"] = ["p1/pet.nii.gz"]
    (patients / "one.json").write_text(json.dumps(content))
    assert load_manifest(patients / "one.json").training[0].image == "p1/pet.nii.gz"


def test_a_missing_channel_is_named_before_a_training_reads_anything(patients):
    manifest = load_manifest(patients / "manifest.json")
    missing = manifest.training[0].case
    (patients / missing / "mr.nii.gz").unlink()
    with pytest.raises(
        DataError, match=rf"case {missing}: its channel mr is missing, {missing}/mr"
    ):
        datalist(manifest, patients, split="training", fold=9)


def test_a_changed_second_channel_is_another_case_for_the_cache(patients):
    manifest = load_manifest(patients / "manifest.json")
    (entry,) = datalist(manifest, patients, split="training", fold=9, most=1)
    before = case_digest(entry, "recipe", 1)
    assert case_digest(dict(entry), "recipe", 1) == before
    mr = nib.load(entry["image"][1])
    nib.save(nib.Nifti1Image(np.asarray(mr.dataobj) + np.int16(1), mr.affine), entry["image"][1])
    assert case_digest(entry, "recipe", 1) != before


def test_every_case_is_usable_and_each_channel_leaves_its_fingerprint(patients):
    manifest = load_manifest(patients / "manifest.json")
    cases = datalist(manifest, patients, split="training", fold=9)
    seen = require_usable(cases, manifest, ["background", "tumour"])
    assert len(seen) == 3
    (mr,) = seen[0].others
    assert mr.spacing_mm == pytest.approx((2, 2, 4))
    assert seen[0].spacing_mm == pytest.approx((5, 5, 5))


def test_a_training_names_the_channel_that_it_cannot_use(patients):
    manifest = load_manifest(patients / "manifest.json")
    path = patients / manifest.training[0].images[1]
    mr = nib.load(path)
    array = np.asarray(mr.dataobj).astype(np.float32)
    array[0, 0, 0] = np.nan
    nib.save(nib.Nifti1Image(array, mr.affine), path)
    cases = datalist(manifest, patients, split="training", fold=9)
    with pytest.raises(DataError, match=r"mr.nii.gz: channel mr: 1 of 14336 voxels are NaN"):
        require_usable(cases, manifest, ["background", "tumour"])


def test_a_check_reports_each_channel(patients):
    report = check_dataset(load_manifest(patients / "manifest.json"), patients)
    assert report.count("error") == 0
    image = report.cases[0].image
    assert image.shape == PET_SHAPE
    assert [one.spacing_mm for one in image.others] == [(2, 2, 4)]
    # The digest is that of a file each.
    mr = patients / report.cases[0].case / "mr.nii.gz"
    mr.write_bytes((patients / report.cases[1].case / "mr.nii.gz").read_bytes())
    problems = check_dataset(load_manifest(patients / "manifest.json"), patients).cases[0].problems
    assert any("mr.nii.gz: its SHA-256 differs" in one.what for one in problems)
    assert any("shows another place" in one.what for one in problems)


def test_statistics_are_those_of_each_channel_in_the_foreground(patients):
    manifest = load_manifest(patients / "manifest.json")
    cases = measured_cases(manifest)
    pet, mr = summarise(foreground_samples(manifest, patients, cases))
    assert pet.mean == pytest.approx(6, abs=0.1)
    assert 300 < mr.mean < 400
