"""`medseg plan` for images of several channels: PET with MR, each a file in a grid of its own."""

import json

import nibabel as nib
import numpy as np
import pytest
import yaml

from medseg.bundles.contract import check_contract
from medseg.data.manifest import load_manifest
from medseg.planning.fingerprint.read_case import read_case
from medseg.planning.fingerprint.set_facts import ChannelSummary
from medseg.planning.rules.intensity import recipe_of, scales
from tests.data.channel_builders import MR, MR_SHAPE, centred, save, write_patient, write_patients
from tests.planning.builders import facts, write_pictures

pytestmark = pytest.mark.filterwarnings("ignore")
FAST = ("--measured", "nothing", "--label-names", "background,tumour")
SMALL = ("--set", "first_width=4", "--set", "patch_size=[8,8,8]")


@pytest.fixture
def medseg(command, capsys, monkeypatch, tmp_path):
    """Runs the command line in an empty folder; gives exit code, standard output and error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDSEG_CACHE", str(tmp_path / "cache"))
    return lambda *words: (command(*words), *capsys.readouterr())


def named(folder, second="mr"):
    """The words that name the channels and labels of `write_patients`."""
    pet, mr, mask = (f"{folder}/*/{name}.nii.gz" for name in ("pet", "mr", "mask"))
    return ("--channel", f"pet={pet}", "--channel", f"{second}={mr}", "--labels", mask)


def refused(medseg, *words):
    code, _, err = medseg("plan", "mytask", *words)
    (line,) = (line for line in err.splitlines() if line.startswith("medseg:"))
    return code, line


def channel(name, modality, **changes):
    base = facts(modality=modality)
    content = {"name": name, "modality": modality, "unit": base.unit, "zeros": 0.0, "dark": 0.1}
    return ChannelSummary(**{**content, "inside": base.inside, "outside": base.outside, **changes})


@pytest.mark.slow
def test_three_commands_from_pet_and_mr_to_a_label_in_the_grid_of_the_first(medseg, tmp_path):
    data = write_patients(tmp_path / "data", 6)
    assert medseg("plan", "mytask", *named(data), *FAST, *SMALL)[0] == 0
    small = ("epochs=1", "iterations_per_epoch=2", "val_interval=1")
    assert medseg("train", "mytask", *small)[0] == 0
    files = ("--channel", f"pet={data}/p1/pet.nii.gz", "--channel", f"mr={data}/p1/mr.nii.gz")
    assert medseg("predict", "mytask", *files, "-o", "labels")[0] == 0
    (label,) = (tmp_path / "labels").glob("*.nii.gz")
    assert nib.load(label).shape == nib.load(data / "p1/pet.nii.gz").shape
    # Where the manifest's files lie is known since the plan.
    manifest = ("--manifest", "mytask/configs/mytask.json")
    assert medseg("predict", "mytask", *manifest, "--split", "training", "-o", "all")[0] == 0
    code, _, err = medseg("evaluate", "all", *manifest, "--split", "training", "-o", "scores")
    assert code == 0, err


def test_a_planned_bundle_of_two_channels_is_whole_and_safe_to_run(medseg, tmp_path):
    data = write_patients(tmp_path / "data", 6)
    code, out, err = medseg("plan", "mytask", *named(data), *FAST, *SMALL)
    assert code == 0, err
    assert "recipe several_channels: pet, mr" in out
    assert check_contract(tmp_path / "mytask") == []
    manifest = load_manifest(tmp_path / "mytask/configs/mytask.json")
    assert [(one.name, one.modality or manifest.modality) for one in manifest.channels] == [
        ("pet", "PT"),
        ("mr", "MR"),
    ]
    train = yaml.safe_load((tmp_path / "mytask/configs/train.yaml").read_text())
    pet, mr = train["scales"]
    assert (pet["_target_"], pet["low"]) == ("medseg.transforms.WindowScale", 0.0)
    # Uptake in the tumour is 6 with a deviation of 0.2.
    assert 6.2 <= pet["high"] <= 6.8
    assert mr["_target_"] == "medseg.transforms.ZScoreScale"


def test_each_channels_intensities_are_its_own_under_the_one_label(tmp_path):
    case_folder = write_patient(tmp_path / "p1")
    manifest = load_manifest(_manifest(tmp_path, case_folder))
    found = read_case(manifest.training[0], manifest, tmp_path).facts
    assert np.median(found.inside) == pytest.approx(6, abs=0.2)
    (mr,) = found.others
    # 300 in the tumour, and 700 outside of it, or nothing beyond the MR's field of view.
    assert np.median(mr.inside) == pytest.approx(300, abs=20)
    assert max(mr.outside) > 650
    assert 0 < mr.zeros < 0.5


def _manifest(folder, case_folder):
    content = {
        "name": "one",
        "description": "",
        "source": "",
        "licence": "",
        "citation": "",
        "modality": "PT",
        "channels": [
            {"name": "pet", "unit": "SUV"},
            {"name": "mr", "unit": "arbitrary", "modality": "MR"},
        ],
        "labels": [{"value": 0, "name": "background"}, {"value": 1, "name": "tumour"}],
        "training": [
            {
                "case": "p1",
                "patient": "p1",
                "image": [f"{case_folder.name}/pet.nii.gz", f"{case_folder.name}/mr.nii.gz"],
                "label": f"{case_folder.name}/mask.nii.gz",
                "fold": 0,
            }
        ],
        "test": [],
    }
    path = folder / "one.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_channel_is_scaled_by_its_own_modality_whatever_the_others_are():
    pet = channel("pet", "PT", unit="SUV")
    ct, t1 = channel("ct", "CT"), channel("t1", "MR", zeros=0.3)
    both = facts(modality="PT", channels=3, each=(pet, ct, t1))
    assert recipe_of(both)[0] == "several_channels"
    choice = scales(both)
    window, hu, z_score = choice.value
    assert window["low"] == 0.0
    assert hu["low"] < 0 < hu["high"]
    assert z_score["over"] == "nonzero"
    for name in ("pet: ", "ct: ", "t1: "):
        assert name in choice.why
        assert name in choice.evidence
        assert name in choice.changes


def test_a_plan_of_several_channels_is_remembered_and_asked_again(medseg, tmp_path):
    data = write_patients(tmp_path / "data", 5)
    assert medseg("plan", "mytask", *named(data), *FAST, *SMALL)[0] == 0
    assert "nothing has changed" in medseg("plan", "mytask", "--update", *FAST[:2])[1]
    write_patient(data / "p6", 6, (6000.0, 0.0, 0.0))
    code, out, err = medseg("plan", "mytask", "--update", *FAST[:2])
    assert code == 0, err
    assert "6 cases of 6 patients (1 read now)" in out


def test_nnunets_folder_needs_neither_names_nor_a_modality(medseg, tmp_path):
    data = write_patients(tmp_path / "data", 5)
    raw = tmp_path / "Dataset001_Sarcoma"
    for part in ("imagesTr", "labelsTr"):
        (raw / part).mkdir(parents=True)
    for number in range(1, 6):
        for index, name in enumerate(("pet", "mr")):
            (data / f"p{number}/{name}.nii.gz").rename(
                raw / f"imagesTr/p{number}_000{index}.nii.gz"
            )
        (data / f"p{number}/mask.nii.gz").rename(raw / f"labelsTr/p{number}.nii.gz")
    described = {
        "channel_names": {"0": "PET", "1": "MR"},
        "labels": {"background": 0, "tumour": 1},
        "numTraining": 5,
        "file_ending": ".nii.gz",
    }
    (raw / "dataset.json").write_text(json.dumps(described), encoding="utf-8")
    code, out, err = medseg("plan", "mytask", "--dataset", raw, "--measured", "nothing")
    assert code == 0, err
    assert "recipe several_channels: PET, MR" in out


def test_a_channel_of_another_patient_is_refused_with_its_case(medseg, tmp_path):
    data = write_patients(tmp_path / "data", 4)
    for number in (1, 2):
        save(
            data / f"p{number}/mr.nii.gz",
            np.ones(MR_SHAPE, dtype=np.int16),
            centred(MR, MR_SHAPE, (9000.0, 0.0, 0.0)),
        )
    code, line = refused(medseg, *named(data), *FAST)
    assert code == 3
    assert "2 of 4 cases cannot be used, e.g. p1" in line


def test_a_missing_channel_is_refused_with_its_case(medseg, tmp_path):
    data = write_patients(tmp_path / "data", 4)
    (data / "p2/mr.nii.gz").unlink()
    code, line = refused(medseg, *named(data), *FAST)
    assert code == 3
    assert "p2: its channel mr is missing" in line


def test_a_channel_whose_name_tells_no_modality_is_refused_unless_it_is_said(medseg, tmp_path):
    data = write_patients(tmp_path / "data", 4)
    code, line = refused(medseg, *named(data, second="second"), *FAST)
    assert code == 2
    assert "--channel second: its name tells no modality" in line
    assert "--modality MR" in line
    code, _, err = medseg(
        "plan", "mytask", *named(data, second="second"), *FAST, "--modality", "MR", "--dry-run"
    )
    assert code == 0, err


def test_pictures_of_several_channels_are_refused_with_what_to_do(medseg, tmp_path):
    images, labels = write_pictures(tmp_path / "data", kind="mask")
    (tmp_path / "data/other").mkdir()
    for path in (tmp_path / "data/image").iterdir():
        (tmp_path / "data/other" / path.name).write_bytes(path.read_bytes())
    code, line = refused(
        medseg,
        *("--channel", f"red={images}", "--channel", f"green={tmp_path}/data/other/*.png"),
        *("--labels", labels, "--label-kind", "mask", "--modality", "microscopy"),
        *FAST,
    )
    assert code == 3
    assert "pictures of several channels have no recipe; save each case as one picture" in line


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("[1, 2]", "--set scales: pet must be"),
        ("{a: 1}", "an entry for each of pet, mr"),
        ("[]", "an entry for each of pet, mr"),
        ("[{_target_: os.system, command: ls}, 2]", "--set scales: pet must be"),
        (
            "[{_target_: medseg.transforms.WindowScale, low: 9, high: 1}, 2]",
            "low must be below high",
        ),
    ],
)
def test_pinned_scales_that_do_not_fit_are_one_line(medseg, tmp_path, value, says):
    data = write_patients(tmp_path / "data", 4)
    code, line = refused(medseg, *named(data), *FAST, "--set", f"scales={value}")
    assert code == 2
    assert says in line
