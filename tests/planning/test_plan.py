"""`medseg plan` as its users have it: three commands, and each refusal in one line."""

import json
import re

import nibabel
import numpy as np
import pytest
import yaml

from medseg.bundles.configs import read_config
from medseg.bundles.contract import check_contract
from medseg.data.manifest import load_manifest
from tests.bundles.test_contract import strings
from tests.planning.builders import write_pictures, write_volume, write_volumes

pytestmark = pytest.mark.filterwarnings("ignore")
TUMOUR = ("--label-names", "background,tumour", "--modality", "CT")
# What is not measured is planned in a second.
FAST = ("--measured", "nothing")


@pytest.fixture
def medseg(command, capsys, monkeypatch, tmp_path):
    """Runs the command line in an empty folder; gives exit code, standard output and error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDSEG_CACHE", str(tmp_path / "cache"))
    return lambda *words: (command(*words), *capsys.readouterr())


def planned(medseg, patterns, *words, name="mytask"):
    code, out, err = medseg("plan", name, "--images", patterns[0], "--labels", patterns[1], *words)
    assert code == 0, err
    return out, err


def refused(medseg, patterns, *words, name="mytask"):
    code, _, err = medseg("plan", name, "--images", patterns[0], "--labels", patterns[1], *words)
    lines = [line for line in err.splitlines() if line.startswith("medseg:")]
    assert len(lines) == 1, err
    return code, lines[0]


@pytest.mark.slow
def test_three_commands_from_a_folder_of_images_to_a_label(medseg, tmp_path):
    patterns = write_volumes(tmp_path / "data", cases=5)
    out, err = planned(medseg, patterns, *TUMOUR, "--minutes", "0.9", "--set", "first_width=4")
    assert "trying a few real steps" in err
    assert "forecast: " in out
    plan = json.loads((tmp_path / "mytask/docs/plan.json").read_text())
    assert plan["forecast"]["minutes"] <= 0.9
    epochs = next(one["value"] for one in plan["choices"] if one["key"] == "epochs")
    # Fewer than planned, for a test.
    assert medseg("train", "mytask", f"epochs={min(2, epochs)}", "val_interval=1")[0] == 0
    image = tmp_path / "data/images/c0.nii.gz"
    assert medseg("predict", "mytask", image, "-o", "labels")[0] == 0
    assert nibabel.load(tmp_path / "labels/c0_seg.nii.gz").shape == (24, 22, 20)


@pytest.mark.parametrize("kind", ["instances", "mask"])
def test_pictures_are_planned_for_what_their_labels_are(medseg, tmp_path, kind):
    patterns = write_pictures(tmp_path / "data", kind=kind)
    planned(
        medseg, patterns, *FAST, "--modality", "microscopy", "--label-names", "background,cell",
        "--label-kind", kind,
    )  # fmt: skip
    assert check_contract(tmp_path / "mytask") == []
    config = read_config([str(tmp_path / "mytask/configs/train.yaml")])
    assert config["labels_are"] == kind
    assert ("weight" in config["warped"]) == (kind == "instances")
    inference = (tmp_path / "mytask/configs/inference.yaml").read_text()
    # Half of a disc of 113 pixels, of which two in a hundred are smaller.
    assert ("least_px: 56" in inference) == (kind == "instances")


def numeric_keys(config):
    """Keys of train.yaml with a number, by hand the parts that no plan chooses left out."""
    parts = ("network_def", "loss", "centres")
    for key, value in config.items():
        if key in parts:
            inner = {name: one for name, one in value.items() if is_numeric(one)}
            yield from (f"{key}#{name}" for name in inner)
        elif is_numeric(value):
            yield key


def is_numeric(value):
    if isinstance(value, list):
        return bool(value) and all(is_numeric(one) for one in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


@pytest.mark.parametrize("what", ["volumes", "thick slices", "pictures"])
def test_every_number_of_the_training_has_a_reason(medseg, tmp_path, what):
    if what == "pictures":
        patterns = write_pictures(tmp_path / "data")
        words = ("--modality", "microscopy", "--label-kind", "instances")
    else:
        spacing = (1.0, 1.0, 7.0) if what == "thick slices" else (2.0, 2.0, 2.0)
        patterns = write_volumes(tmp_path / "data", spacing=spacing)
        words = TUMOUR
    planned(medseg, patterns, *words, *FAST)
    config = yaml.safe_load((tmp_path / "mytask/configs/train.yaml").read_text())
    plan = json.loads((tmp_path / "mytask/docs/plan.json").read_text())
    choices = {one["key"]: one for one in plan["choices"]}
    # How many channels a picture has is said by `content`, which has a reason of its own.
    missing = set(numeric_keys(config)) - choices.keys() - {"network_def#in_channels"}
    assert missing == set()
    for one in choices.values():
        assert all(one[part] for part in ("why", "evidence", "changes")), one
    page = (tmp_path / "mytask/docs/plan.md").read_text()
    assert all(f"| `{key}` |" in page for key in choices)


def test_a_planned_config_says_what_its_plan_says(medseg, tmp_path):
    planned(medseg, write_volumes(tmp_path / "data"), *TUMOUR, *FAST)
    config = yaml.safe_load((tmp_path / "mytask/configs/train.yaml").read_text())
    plan = json.loads((tmp_path / "mytask/docs/plan.json").read_text())
    for one in plan["choices"]:
        value = config
        for part in one["key"].split("#"):
            value = value[part]
        assert value == one["value"], one["key"]


def test_a_pinned_value_stays_and_the_rest_is_planned_around_it(medseg, tmp_path):
    patterns = write_volumes(tmp_path / "data")
    planned(medseg, patterns, *TUMOUR, *FAST, "--set", "patch_size=[8,8,16]")
    config = yaml.safe_load((tmp_path / "mytask/configs/train.yaml").read_text())
    assert config["patch_size"] == [8, 8, 16]
    assert config["network_def"]["depth"] == 3
    assert config["network_def"]["pool_sizes"] == [[2, 2, 2], [1, 1, 2]]


def test_a_pinned_patch_that_does_not_fit_is_told_with_one_that_does(medseg, tmp_path):
    patterns = write_volumes(tmp_path / "data")
    code, line = refused(medseg, patterns, *TUMOUR, *FAST, "--set", "patch_size=[17,16,16]")
    assert code == 2
    assert "use patch_size=[16,16,16]" in line


def test_no_path_and_no_name_of_a_case_is_in_the_plan_or_the_configs(medseg, tmp_path):
    planned(medseg, write_volumes(tmp_path / "data"), *TUMOUR, *FAST)
    for path in (tmp_path / "mytask").rglob("*"):
        if path.is_file() and path.name not in ("mytask.json", "look_at.txt"):
            text = path.read_text()
            assert str(tmp_path) not in text, path
            assert not re.search(r"\bc[0-5]\b", text), path


def test_a_moved_bundle_still_finds_its_data(medseg, tmp_path):
    from medseg.data import known_dataset_dir

    planned(medseg, write_volumes(tmp_path / "data"), *TUMOUR, *FAST)
    (tmp_path / "mytask").rename(tmp_path / "moved")
    found = known_dataset_dir(tmp_path / "moved/configs/mytask.json", otherwise="data")
    assert found == str(tmp_path / "data")


def test_a_manifest_of_others_has_no_folder_here(tmp_path):
    from medseg.data import known_dataset_dir

    (tmp_path / "m.json").write_text("{}")
    assert known_dataset_dir(tmp_path / "m.json", otherwise="data") == "data"


def test_one_patient_is_learnt_by_heart_and_it_is_said(medseg, tmp_path):
    out, _ = planned(medseg, write_volumes(tmp_path / "data", cases=1), *TUMOUR, *FAST)
    assert "nothing about another patient" in out
    manifest = load_manifest(tmp_path / "mytask/configs/mytask.json")
    assert [case.fold for case in manifest.training] == [None]
    config = read_config([str(tmp_path / "mytask/configs/train.yaml")])
    assert config["val_cases"]["split"] == "training"
    assert check_contract(tmp_path / "mytask") == []


def test_fewer_than_twenty_patients_are_told_which_interval_to_expect(medseg, tmp_path):
    patterns = write_volumes(tmp_path / "data", cases=9)
    out, _ = planned(medseg, patterns, *TUMOUR, *FAST, "--folds", "3")
    assert "a fold holds out 3" in out
    # 0.1 / sqrt(9) * 2 * 1.15 = 0.077
    assert "about 0.08 wide on either side" in out


def test_an_existing_bundle_is_not_planned_over(medseg, tmp_path):
    patterns = write_volumes(tmp_path / "data")
    planned(medseg, patterns, *TUMOUR, *FAST)
    code, line = refused(medseg, patterns, *TUMOUR, *FAST)
    assert code == 2
    assert "is a bundle already; plan it anew with --update" in line


def test_grey_pictures_as_labels_are_refused_with_the_kind_that_they_are(medseg, tmp_path):
    patterns = write_pictures(tmp_path / "data", kind="mask")
    code, line = refused(
        medseg, patterns, *FAST, "--modality", "microscopy", "--label-names", "background,cell"
    )
    assert code in (2, 3)
    assert "--label-kind mask" in line


def test_a_class_in_no_case_is_refused_by_its_name(medseg, tmp_path):
    patterns = write_volumes(tmp_path / "data")
    names = ("--label-names", "background,tumour,oedema", "--modality", "CT")
    code, line = refused(medseg, patterns, *names, *FAST)
    assert code == 3
    assert "oedema: no case has a voxel of 2" in line
    assert "--label-names background,tumour" in line


def test_a_class_in_one_fold_alone_is_told(medseg, tmp_path):
    patterns = write_volumes(tmp_path / "data")
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    write_volume(tmp_path / "data", "rare", (24, 22, 20), affine, (1, 2))
    names = ("--label-names", "background,tumour,oedema", "--modality", "CT")
    _, err = planned(medseg, patterns, *names, *FAST)
    assert re.search(r"oedema occurs in fold \d alone", err)


def test_images_without_a_partner_are_named(medseg, tmp_path):
    patterns = write_volumes(tmp_path / "data")
    (tmp_path / "data/labels/c3.nii.gz").unlink()
    code, line = refused(medseg, patterns, *TUMOUR, *FAST)
    assert code == 3
    assert "1 of 6 images have no label: images/c3.nii.gz" in line


def test_one_bad_case_is_left_out_and_told(medseg, tmp_path):
    patterns = write_volumes(tmp_path / "data", cases=8)
    path = tmp_path / "data/images/c2.nii.gz"
    image = nibabel.load(path)
    voxels = image.get_fdata()
    voxels[3, 3, 3] = np.nan
    nibabel.save(nibabel.Nifti1Image(voxels.astype(np.float32), image.affine), path)
    _, err = planned(medseg, patterns, *TUMOUR, *FAST)
    assert "c2: left out: image: 1 of 10560 voxels are NaN" in err
    manifest = load_manifest(tmp_path / "mytask/configs/mytask.json")
    assert len(manifest.training) == 7


def test_outliers_are_told(medseg, tmp_path):
    patterns = write_volumes(tmp_path / "data", cases=8)
    write_volume(tmp_path / "data", "big", (24, 22, 20), np.diag([9.0, 9.0, 9.0, 1.0]), (1,))
    write_volume(tmp_path / "data", "lps", (24, 22, 20), np.diag([-2.0, -2.0, 2.0, 1.0]), (1,))
    write_volume(tmp_path / "data", "none", (24, 22, 20), np.diag([2.0, 2.0, 2.0, 1.0]), (), seed=9)
    _, err = planned(medseg, patterns, *TUMOUR, *FAST)
    assert "voxels unlike the others' (2x2x2): big (9x9x9)" in err
    assert "stored in another orientation than RAS: lps" in err
    assert "none: nothing is labelled" in err


def test_a_copied_image_is_told(medseg, tmp_path):
    patterns = write_volumes(tmp_path / "data", cases=5)
    for part in ("images", "labels"):
        content = (tmp_path / "data" / part / "c1.nii.gz").read_bytes()
        (tmp_path / "data" / part / "copy.nii.gz").write_bytes(content)
    _, err = planned(medseg, patterns, *TUMOUR, *FAST)
    assert "c1" in err
    assert "hold the same image" in err


ONE_SIZE = ("--set", "patch_size=[16,16,16]", "--set", "first_width=4", "--set", "batch_size=1")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("minutes", "memory_gb", "words", "refusal"),
    [
        ("0.1", "4", (), "no plan fits 0.1 minutes and 4 GB"),
        ("30", "0.05", ONE_SIZE, "no plan fits 30 minutes and 0.05 GB"),
    ],
)
def test_a_budget_that_cannot_be_met_says_what_the_smallest_plan_needs(
    medseg, tmp_path, minutes, memory_gb, words, refusal
):
    patterns = write_volumes(tmp_path / "data", cases=5)
    budget = ("--minutes", minutes, "--memory-gb", memory_gb)
    code, line = refused(medseg, patterns, *TUMOUR, *budget, *words)
    assert code == 4
    assert refusal in line
    enough = re.search(r"give --minutes ([0-9]+) --memory-gb ([0-9.]+)$", line)
    assert float(enough.group(1)) >= float(minutes)
    assert float(enough.group(2)) > 0.1  # Python and torch alone
    assert not (tmp_path / "mytask").exists()


def test_a_folder_that_cannot_be_a_bundles_name_is_told_with_one_that_can(medseg, tmp_path):
    code, line = refused(medseg, write_volumes(tmp_path / "data"), *TUMOUR, *FAST, name="My-Task")
    assert code == 2
    assert "e.g. my_task" in line


def test_a_dry_run_writes_nothing(medseg, tmp_path):
    out, _ = planned(medseg, write_volumes(tmp_path / "data"), *TUMOUR, *FAST, "--dry-run")
    assert "Nothing written" in out
    assert not (tmp_path / "mytask").exists()


def test_nothing_changed_is_said_and_new_cases_keep_the_folds(medseg, tmp_path):
    planned(medseg, write_volumes(tmp_path / "data", cases=7), *TUMOUR, *FAST)
    before = load_manifest(tmp_path / "mytask/configs/mytask.json")
    code, out, _ = medseg("plan", "mytask", "--update", *FAST)
    assert (code, out) == (0, "mytask: nothing has changed, so the plan stays as it is\n")
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    write_volume(tmp_path / "data", "new", (24, 22, 20), affine, (1,), seed=50)
    code, out, err = medseg("plan", "mytask", "--update", *FAST)
    assert code == 0, err
    assert "(1 read now)" in out
    after = load_manifest(tmp_path / "mytask/configs/mytask.json")
    folds = {case.case: case.fold for case in after.training}
    assert {case.case: case.fold for case in before.training}.items() <= folds.items()
    assert len(folds) == 8


def test_a_table_says_what_stays_together_and_is_remembered(medseg, tmp_path):
    patterns = write_pictures(tmp_path / "data", cases=8)
    rows = "".join(f"p{n}\t{'left' if n < 2 else n}\t{'ab'[n > 5]}\n" for n in range(9))
    (tmp_path / "cases.tsv").write_text(f"name\tfield\tstain\n{rows}", encoding="utf-8")
    words = ("--table", "cases.tsv", "--patient-column", "field", "--group-column", "stain")
    planned(
        medseg, patterns, *FAST, *words, "--modality", "microscopy", "--label-kind", "instances"
    )
    file = tmp_path / "mytask/configs/mytask.json"
    before = load_manifest(file)
    assert [case.patient for case in before.cases[:3]] == ["left", "left", "2"]
    assert "groups: root" in (tmp_path / "mytask/configs/train.yaml").read_text()
    for part in ("image", "label"):
        folder = tmp_path / f"data/{part}"
        (folder / "p8.png").write_bytes((folder / "p7.png").read_bytes())
    code, _, err = medseg("plan", "mytask", "--update", *FAST)
    assert code == 0, err
    after = {case.case: case for case in load_manifest(file).cases}
    assert (after["p1"].patient, after["p8"].group) == ("left", "b")
    assert {case.case: case.fold for case in before.cases}.items() <= {
        name: case.fold for name, case in after.items()
    }.items()


def test_a_config_edited_by_hand_is_not_replaced_without_being_told_to(medseg, tmp_path):
    planned(medseg, write_volumes(tmp_path / "data"), *TUMOUR, *FAST)
    train = tmp_path / "mytask/configs/train.yaml"
    train.write_text(train.read_text().replace("batch_size: 2", "batch_size: 3"))
    update = ("plan", "mytask", "--update", *FAST, "--set", "learning_rate=0.001")
    code, _, err = medseg(*update)
    assert code == 2
    assert "configs/train.yaml was edited since it was planned" in err
    code, out, _ = medseg(*update, "--overwrite")
    assert code == 0
    assert "learning_rate: 0.002 becomes 0.001" in out
    assert "learning_rate: 0.001" in train.read_text()


def test_what_a_user_wrote_on_the_card_and_in_the_metadata_stays(medseg, tmp_path):
    planned(medseg, write_volumes(tmp_path / "data"), *TUMOUR, *FAST)
    card, metadata = tmp_path / "mytask/docs/README.md", tmp_path / "mytask/configs/metadata.json"
    card.write_text(card.read_text().replace("**to be written**", "A. Body", 1))
    metadata.write_text(
        metadata.read_text().replace('"authors": "not stated"', '"authors": "A. Body"')
    )
    assert medseg("plan", "mytask", "--update", *FAST, "--set", "seed=7")[0] == 0
    assert "A. Body" in card.read_text()
    assert json.loads(metadata.read_text())["authors"] == "A. Body"


def test_the_texts_of_a_planned_bundle_are_safe_to_run(medseg, tmp_path):
    from medseg.bundles.judgement.judge import judge_folder

    planned(medseg, write_pictures(tmp_path / "data"), *FAST, "--modality", "microscopy",
            "--label-kind", "instances")  # fmt: skip
    assert not any("lambda" in text for text in strings(read_config(
        [str(tmp_path / "mytask/configs/train.yaml")]
    )))  # fmt: skip
    assert judge_folder(tmp_path / "mytask").verdict == "safe"
