"""PET and MR from a folder to scored labels: manifest, check, train, predict, evaluate."""

import json

import nibabel as nib
import numpy as np
import pydicom
import pytest

from medseg.bundles import run_bundle
from tests.bundles.two_channels import NAME, SMALL, two_channel_bundle
from tests.data.channel_builders import PET_SHAPE, save, write_patient, write_patients

PATCH = (8, 8, 8)


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    return write_patients(tmp_path_factory.mktemp("patients") / "set")


@pytest.fixture(scope="module")
def bundle(patients, tmp_path_factory):
    """A bundle of two channels, trained for a few steps on three of the patients."""
    from medseg.data.datasets.collect import DatasetInfo, SplitPlan
    from medseg.data.datasets.collected import DatasetFiles, collect_files
    from medseg.data.manifest import save_manifest

    files = DatasetFiles(
        channels=(f"pet={patients}/*/pet.nii.gz", f"mr={patients}/*/mr.nii.gz"),
        labels=f"{patients}/*/mask.nii.gz",
    )
    about = DatasetInfo(modality="PT", licence="CC0-1.0", label_names=("background", "tumour"))
    manifest, _ = collect_files(files, about, SplitPlan(folds=3, test_patients=1))
    save_manifest(manifest, patients / "manifest.json")
    folder = tmp_path_factory.mktemp("repository")
    made = two_channel_bundle(folder, patients / "manifest.json", patch=PATCH)
    weights = {"dataset_dir": str(patients), "ckpt_dir": str(made / "models")}
    run_bundle(made, configs=["train"], run_id="training", overrides={**weights, **SMALL})
    return made


def options(folder):
    return "--channel", f"pet={folder}/pet.nii.gz", "--channel", f"mr={folder}/mr.nii.gz"


def label_of(path):
    return np.asarray(nib.load(path).dataobj)


def test_a_manifest_is_written_from_a_pattern_for_each_channel(patients, tmp_path, command, capsys):
    out = tmp_path / "m.json"
    labels = "--labels", f"{patients}/*/mask.nii.gz"
    channels = f"pet={patients}/*/pet.nii.gz", f"mr={patients}/*/mr.nii.gz"
    words = ["--channel", channels[0], "--channel", channels[1], *labels, "--folds", 2]
    assert command("data", "manifest", *words, "--out", out) == 0
    assert "4 cases of 4 patients" in (said := capsys.readouterr().out)
    assert "channels pet, mr;" in said
    assert command("data", "check", out, "--dataset-dir", patients) == 0
    capsys.readouterr()
    assert command("data", "statistics", out, "--dataset-dir", patients, "--json") == 0
    assert set(json.loads(capsys.readouterr().out)) == {"pet", "mr"}
    twice = ["--channel", channels[0], "--channel", channels[0], *labels]
    assert command("data", "manifest", *twice, "--out", tmp_path / "n.json") == 2
    assert "--channel pet: is given twice" in capsys.readouterr().err


def test_a_case_of_two_files_is_labelled_in_the_grid_of_the_first(
    bundle, patients, tmp_path, command
):
    assert command("predict", bundle, *options(patients / "p2"), "-o", tmp_path) == 0
    label = nib.load(tmp_path / "pet_seg.nii.gz")
    assert label.shape == PET_SHAPE
    source = nib.load(patients / "p2" / "pet.nii.gz")
    np.testing.assert_allclose(label.affine, source.affine, atol=1e-4)
    assert (tmp_path / "pet_overlay.png").is_file()


def test_the_second_channel_counts(bundle, patients, tmp_path, command, capsys):
    other = write_patient(tmp_path / "other", 2, (2000.0, 0, 0))
    mr = nib.load(other / "mr.nii.gz")
    save(other / "mr.nii.gz", np.asarray(mr.dataobj)[::-1].copy(), mr.affine)
    assert command("predict", bundle, *options(patients / "p2"), "-o", tmp_path / "out") == 0
    assert command("predict", bundle, *options(patients / "p2"), "-o", tmp_path / "out") == 0
    assert "done already" in capsys.readouterr().out
    # Another second channel is another case, of the same name.
    assert command("predict", bundle, *options(other), "-o", tmp_path / "out") == 2
    assert "already exists" in capsys.readouterr().err


def test_a_folder_is_read_by_the_naming_of_the_manifest_and_as_monai_does(
    bundle, patients, tmp_path, command
):
    assert command("predict", bundle, patients, "-o", tmp_path / "ours") == 0
    names = [f"p{n}_pet_seg.nii.gz" for n in (1, 2, 3, 4)]
    assert sorted(path.name for path in (tmp_path / "ours").glob("*_seg.nii.gz")) == names
    run_bundle(
        bundle,
        configs=["inference"],
        run_id="inferring",
        overrides={"dataset_dir": str(patients), "output_dir": str(tmp_path / "monai")},
    )
    for name in names:
        theirs = label_of(tmp_path / "monai" / name)
        np.testing.assert_array_equal(label_of(tmp_path / "ours" / name), theirs)


def test_the_test_cases_of_a_manifest_are_predicted_by_name_and_scored(
    bundle, patients, tmp_path, command, capsys
):
    listed = "--manifest", patients / "manifest.json"
    assert command("predict", bundle, *listed, "-o", tmp_path) == 0
    (case,) = (one["case"] for one in json.loads(listed[1].read_text())["test"])
    assert [path.name for path in tmp_path.glob("*_seg.nii.gz")] == [f"{case}_seg.nii.gz"]
    folder = "--dataset-dir", patients
    assert command("evaluate", tmp_path, *listed, *folder, "--split", "test") == 0
    assert "1 of 1 cases scored" in capsys.readouterr().out


def test_a_file_that_holds_both_channels_is_one_case(bundle, patients, tmp_path, command):
    from medseg.data.images.channels import on_first_grid, read_channels

    files = [patients / "p1" / "pet.nii.gz", patients / "p1" / "mr.nii.gz"]
    stack = np.moveaxis(on_first_grid(read_channels(files)), 0, -1)
    both = save(tmp_path / "both.nii.gz", stack, nib.load(files[0]).affine)
    assert command("predict", bundle, both, "-o", tmp_path / "one") == 0
    assert command("predict", bundle, *options(patients / "p1"), "-o", tmp_path / "two") == 0
    one, two = tmp_path / "one" / "both_seg.nii.gz", tmp_path / "two" / "pet_seg.nii.gz"
    np.testing.assert_array_equal(label_of(one), label_of(two))


def test_a_pattern_for_each_channel_names_several_cases(bundle, patients, tmp_path, command):
    channels = f"pet={patients}/p[12]/pet.nii.gz", f"mr={patients}/p[12]/mr.nii.gz"
    words = "--channel", channels[0], "--channel", channels[1]
    assert command("predict", bundle, *words, "-o", tmp_path) == 0
    assert len(list(tmp_path.glob("*_seg.nii.gz"))) == 2


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (
            ["{p}/p1/pet.nii.gz"],
            3,
            "is one file, and pet_mr_unet3d takes 2 channels: medseg predict",
        ),
        (
            ["--channel", "pet={p}/p1/pet.nii.gz"],
            2,
            "--channel mr is missing; pet_mr_unet3d takes pet and mr: medseg predict",
        ),
        (
            ["--channel", "pett={p}/p1/pet.nii.gz"],
            2,
            "--channel pett: pet_mr_unet3d has no such channel; did you mean pet? its channels",
        ),
        (
            ["--channel", "pet={p}/p1/pet.nii.gz", "--channel", "pet={p}/p1/mr.nii.gz"],
            2,
            "--channel pet: is given twice; give each channel once",
        ),
        (
            ["--channel", "pet={p}/p1/pet.nii.gz", "--channel", "mr={p}/p2/mr.nii.gz"],
            3,
            "shows another place than",
        ),
        (
            ["--channel", "pet={p}/p1/pet.nii.gz", "--channel", "mr={p}/p9/mr.nii.gz"],
            3,
            "/p9/mr.nii.gz: not there; check the path and its folder",
        ),
        ([], 2, "no image is named; give files or folders, --channel NAME=FILE, or --manifest"),
        (["{p}", "--manifest", "{p}/manifest.json"], 2, "images are named in several ways"),
        (["{p}", "--dataset-dir", "{p}"], 2, "add --manifest"),
        (
            ["--channel", "pet={p}/*/pet.nii.gz", "--channel", "mr={p}/p1/mr.nii.gz"],
            3,
            "4 files could be its channel pet",
        ),
    ],
)
def test_bad_input_is_one_line(bundle, patients, tmp_path, command, capsys, words, code, line):
    given = [word.replace("{p}", str(patients)) for word in words]
    assert command("predict", bundle, *given, "-o", tmp_path / "out", "--dry-run") == code
    said = capsys.readouterr().err.strip()
    assert line in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_one_case_without_a_channel_does_not_cost_the_others(
    bundle, patients, tmp_path, command, capsys
):
    folder = write_patients(tmp_path / "set")
    content = json.loads((patients / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(content))
    lost = content["training"][0]["case"]
    (folder / lost / "mr.nii.gz").unlink()
    words = "--manifest", folder / "manifest.json", "--split", "all"
    assert command("predict", bundle, *words, "-o", tmp_path / "out") == 1
    assert f"case {lost}: its channel mr is missing" in capsys.readouterr().err
    assert len(list((tmp_path / "out").glob("*_seg.nii.gz"))) == 3


def test_a_bundle_of_one_channel_has_no_channels_to_name(
    trained, patients, tmp_path, command, capsys
):
    words = *options(patients / "p1"), "-o", tmp_path / "out"
    assert command("predict", trained, *words) == 2
    assert "takes images of one channel; give the file alone" in capsys.readouterr().err


def test_a_training_on_channels_of_another_order_is_refused(
    bundle, patients, tmp_path, command, capsys
):
    content = json.loads((patients / "manifest.json").read_text())
    content["channels"].reverse()
    turned = tmp_path / "turned.json"
    turned.write_text(json.dumps(content))
    words = f"dataset_dir={patients}", f"manifest_file={turned}", f"output_dir={tmp_path / 'out'}"
    assert command("train", bundle, *words, "quick=true") == 3
    assert "its channels are mr, pet, those of pet_mr_unet3d pet, mr" in capsys.readouterr().err


def test_weights_say_how_each_channel_was_scaled_and_what_it_was_like(bundle):
    from medseg.networks import trained_setting
    from medseg.networks.provenance import read_provenance

    weights = bundle / "models" / "model.safetensors"
    scales = trained_setting(weights, "scales", None)
    assert [scale["scale"] for scale in scales] == ["window", "z-score"]
    images = read_provenance(weights).images
    assert images.modality == "PT"
    assert [one.modality for one in images.others] == ["MR"]
    assert images.others[0].spacing_mm[0] == (2, 2)


def test_a_bundle_of_two_channels_is_packed_with_a_golden_case(bundle, tmp_path, command, capsys):
    (bundle / "docs" / "data_license.txt").write_text("CC0-1.0\n")
    code = command("bundle", "pack", bundle, "-o", tmp_path / "pack.zip")
    assert code == 0, capsys.readouterr().err
    assert command("bundle", "inspect", tmp_path / "pack.zip") == 0
    assert NAME in capsys.readouterr().out


@pytest.mark.data
def test_a_dicom_study_is_one_case_and_its_seg_refers_to_the_first_channel(
    bundle, real_data, tmp_path, command
):
    study = real_data / "sarcoma_ct_mr_pet" / "dicom" / "STS_008"
    words = "--format", "dicom-seg", "-o", tmp_path
    assert command("predict", bundle, study, *words) == 0
    (seg,) = tmp_path.glob("*_seg.dcm")
    referred = pydicom.dcmread(seg).ReferencedSeriesSequence[0].SeriesInstanceUID
    pet = next((study / "PET" / "image").iterdir())
    assert referred == pydicom.dcmread(pet, stop_before_pixels=True).SeriesInstanceUID
    channels = f"pet={study}/PET/image", f"mr={study}/MR_T1/image"
    named = "--channel", channels[0], "--channel", channels[1]
    # Named one by one it is the same case, and done already.
    before = seg.stat().st_mtime_ns
    assert command("predict", bundle, *named, *words) == 0
    assert seg.stat().st_mtime_ns == before
