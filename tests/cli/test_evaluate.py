"""What `medseg evaluate` promises."""

import csv
import json
import re
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, ornt_transform
from PIL import Image

from medseg.data.colours import class_colour
from medseg.data.manifest import load_manifest
from medseg.inference import save_label

AFFINE = np.diag([1.0, 2.0, 5.0, 1.0])
NAMES = "background,lung,infection"


@pytest.fixture
def run(command, capsys):
    """Runs `medseg evaluate`; gives exit code, standard output and error."""
    return lambda *words: (command("evaluate", *words), *capsys.readouterr())


def write(path, values, affine=AFFINE):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.Nifti1Image(values, affine).to_filename(path)


def label(*voxels):
    """10 x 10 x 10 background with the given lengths of the classes 1, 2, ... along I."""
    values = np.zeros((10, 10, 10), dtype=np.uint8)
    for value, (start, stop) in enumerate(voxels, start=1):
        values[start:stop, value, 0] = value
    return values


@pytest.fixture
def folders(tmp_path):
    """Two cases: in p1 lung 4 of 8 found and nothing invented, infection exact; p2 exact."""
    write(tmp_path / "refs" / "p1_labels.nii.gz", label((0, 8), (0, 2)))
    write(tmp_path / "preds" / "p1_ct_seg.nii.gz", label((0, 4), (0, 2)))
    write(tmp_path / "refs" / "p2_labels.nii.gz", label((0, 6), (0, 2)))
    write(tmp_path / "preds" / "p2_ct_seg.nii.gz", label((0, 6), (0, 2)))
    return tmp_path


def manifest_of(folder, **changes):
    cases = [
        {
            "case": case,
            "patient": case,
            "image": f"{case}_ct.nii.gz",
            "label": f"{case}_labels.nii.gz",
            "fold": fold,
        }
        for fold, case in enumerate(("p1", "p2"))
    ]
    content = {
        "name": "two_cases",
        "description": "d",
        "source": "s",
        "licence": "l",
        "citation": "c",
        "modality": "CT",
        "channels": [{"name": "CT", "unit": "HU"}],
        "labels": [{"value": i, "name": name} for i, name in enumerate(NAMES.split(","))],
        "training": cases,
        **changes,
    }
    path = folder / "manifest.json"
    path.write_text(json.dumps(content))
    load_manifest(path)
    return path


def by_manifest(folder, *more, **changes):
    options = ("--manifest", manifest_of(folder, **changes), "--dataset-dir", folder / "refs")
    return (folder / "preds", *options, *more)


def by_name(folder, *more):
    return (folder / "preds", "--labels", folder / "refs", *more)


def test_two_folders_are_paired_by_name_and_scored(run, folders):
    code, out, _ = run(*by_name(folders, "--label-names", NAMES, "--json"))
    result = json.loads(out)
    assert code == 0
    lung, infection = result["cases"]["p1"]
    # 4 voxels agree, 4 are predicted, 8 are true: 2 * 4 / 12; a voxel is 10 mm3
    assert lung["dsc"] == pytest.approx(2 / 3)
    assert (lung["precision"], lung["recall"]) == (1, 0.5)
    assert (lung["pred_ml"], lung["label_ml"]) == pytest.approx((0.04, 0.08))
    assert (infection["name"], infection["dsc"]) == ("infection", 1)
    assert result["summary"]["macro"]["dsc"] == pytest.approx(((2 / 3 + 1) / 2 + 1) / 2)


def test_without_names_the_classes_are_the_values_that_occur_anywhere(run, folders):
    values = label((0, 6), (0, 2))
    values[9, 9, 9] = 200  # in one case only: invented there, absent in the other
    write(folders / "preds" / "p2_ct_seg.nii.gz", values)
    code, out, _ = run(*by_name(folders, "--json"))
    cases = json.loads(out)["cases"]
    assert code == 0
    assert [one["name"] for one in cases["p1"]] == ["label 1", "label 2", "label 200"]
    assert [cases[case][2]["presence"] for case in ("p1", "p2")] == ["absent", "invented"]


def test_the_table_shows_every_case_class_and_mean(run, folders):
    code, out, _ = run(*by_name(folders, "--label-names", NAMES))
    assert code == 0
    assert re.search(r"p1 +lung +0\.667 +0\.500 +1\.000 +0\.500", out)
    assert re.search(r"mean +lung +0\.833", out)
    assert re.search(r"mean +of the classes +0\.917", out)
    assert "lowest DSC: lung 0.667 in p1, infection 1.000 in p1" in out
    assert "refs: 2 of 2 cases scored" in out


def test_a_manifest_names_cases_classes_and_split(run, folders):
    code, out, _ = run(*by_manifest(folders, "--fold", "1", "--json"))
    result = json.loads(out)
    assert code == 0
    assert result["name"] == "two_cases validation, fold 1"
    assert list(result["cases"]) == ["p2"]
    assert [one["name"] for one in result["cases"]["p2"]] == ["lung", "infection"]


@pytest.mark.parametrize(
    ("split", "cases"), [("training", ["p2"]), ("all", ["p1", "p2"]), ("validation", ["p1"])]
)
def test_a_split_is_what_training_takes_it_for(run, folders, split, cases):
    _, out, _ = run(*by_manifest(folders, "--split", split, "--json"))
    assert list(json.loads(out)["cases"]) == cases


@pytest.mark.parametrize("name", ["p1_seg", "p1", "p1_ct_seg", "p1_ct"])
def test_a_prediction_may_be_called_after_the_case_or_its_image(run, folders, name):
    (folders / "preds" / "p1_ct_seg.nii.gz").rename(folders / "preds" / f"{name}.nii.gz")
    code, out, _ = run(*by_manifest(folders, "--json"))
    assert code == 0
    assert json.loads(out)["scored"] == 1


def test_images_that_share_a_name_do_not_share_a_prediction(run, folders):
    cases = [
        {"case": c, "patient": c, "image": f"{c}/ct.nii.gz", "label": f"{c}_labels.nii.gz"}
        for c in ("p1", "p2")
    ]
    (folders / "preds" / "p1_ct_seg.nii.gz").rename(folders / "preds" / "ct_seg.nii.gz")
    (folders / "preds" / "p2_ct_seg.nii.gz").rename(folders / "preds" / "p2_seg.nii.gz")
    code, out, _ = run(*by_manifest(folders, "--split", "all", "--json", training=cases))
    result = json.loads(out)
    assert code == 1
    assert list(result["cases"]) == ["p2"]
    assert result["failed"] == {"p1": "p1: no prediction found; it should be named p1_seg.nii.gz"}


def test_a_prediction_may_be_called_after_the_image_and_its_folders(run, folders):
    cases = [
        {"case": c, "patient": c, "image": f"{c}/ct.nii.gz", "label": f"{c}_labels.nii.gz"}
        for c in ("p1", "p2")
    ]
    (folders / "preds" / "p1_ct_seg.nii.gz").rename(folders / "preds" / "p1_ct.nii.gz")
    manifest = by_manifest(folders, "--split", "all", "--json", training=cases)
    code, out, _ = run(*manifest)
    assert code == 0
    assert list(json.loads(out)["cases"]) == ["p1", "p2"]


def test_folders_may_be_given_as_patterns_and_have_brackets_in_their_names(run, folders):
    (folders / "preds").rename(folders / "[2021] preds")
    (folders / "refs").rename(folders / "[1] refs")
    for predictions in ("[2021] preds", "[2021] preds/*_seg.nii.gz"):
        options = "--labels", folders / "[1] refs/*", "--label-names", NAMES, "--json"
        code, out, _ = run(folders / predictions, *options)
        assert code == 0
        assert list(json.loads(out)["cases"]) == ["p1", "p2"]


def test_a_missing_prediction_is_a_row_a_line_and_an_exit_code(run, folders):
    (folders / "preds" / "p2_ct_seg.nii.gz").unlink()
    code, out, _ = run(*by_name(folders, "-o", folders / "out"))
    assert code == 1
    assert "failed  p2: no prediction found; it should be named p2_seg.nii.gz" in out
    assert "1 of 2 cases scored" in out
    with (folders / "out" / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["case"], row["name"], row["dsc"]) for row in rows][-1] == ("p2", "", "")
    assert rows[-1]["error"].startswith("p2: no prediction")
    assert json.loads((folders / "out" / "scores.json").read_text())["scored"] == 1


def test_a_missed_and_an_invented_structure_are_counted(run, folders):
    write(folders / "preds" / "p1_ct_seg.nii.gz", label((0, 8)))
    write(folders / "refs" / "p2_labels.nii.gz", label((0, 6)))
    code, out, _ = run(*by_name(folders, "--label-names", NAMES))
    assert code == 0
    assert "2 of 2 cases scored, 1 missed, 1 invented" in out
    # the diagonal of 10 x 20 x 50 mm
    assert re.search(r"p1 +infection +0\.000 .* 54\.8 .*missed", out)


def test_another_grid_fails_the_case_in_one_line(run, folders):
    write(folders / "preds" / "p1_ct_seg.nii.gz", np.zeros((10, 10, 9), dtype=np.uint8))
    shifted = AFFINE.copy()
    shifted[0, 3] = 0.02
    write(folders / "preds" / "p2_ct_seg.nii.gz", label((0, 6), (0, 2)), shifted)
    write(folders / "refs" / "p3.nii.gz", label((0, 1)))
    write(folders / "refs" / "p3_labels.nii.gz", label((0, 1)))
    write(folders / "preds" / "p3_seg.nii.gz", label((0, 1)))
    code, out, _ = run(*by_name(folders))
    assert code == 1
    failed = [line for line in out.splitlines() if line.startswith("failed")]
    assert len(failed) == 2
    assert "shape (10, 10, 9) differs from the reference's (10, 10, 10)" in failed[0]
    assert "puts a corner of the volume 0.02 mm from where the reference's does" in failed[1]


def test_rounding_of_the_affine_is_forgiven(run, folders):
    rounded = AFFINE.copy()
    rounded[:3, 3] = 0.004
    write(folders / "preds" / "p1_ct_seg.nii.gz", label((0, 8), (0, 2)), rounded)
    assert run(*by_name(folders))[0] == 0


def test_labels_stored_as_whole_floats_are_labels_and_others_are_not(run, folders):
    write(folders / "preds" / "p1_ct_seg.nii.gz", label((0, 8), (0, 2)).astype(np.float32))
    write(folders / "preds" / "p2_ct_seg.nii.gz", label((0, 6)).astype(np.float32) / 2)
    code, out, _ = run(*by_name(folders))
    assert code == 1
    assert re.search(r"p1 +label 1 +1\.000", out)
    assert "values that are not whole numbers" in out


def test_a_value_without_a_name_fails_the_case(run, folders):
    code, out, _ = run(*by_name(folders, "--label-names", "background,lung"))
    assert code == 3
    code, out, _ = run(*by_manifest(folders, "--split", "all"))
    assert code == 0
    write(folders / "preds" / "p2_ct_seg.nii.gz", label((0, 6), (0, 2), (0, 1)))
    code, out, _ = run(*by_manifest(folders, "--split", "all"))
    assert code == 1
    assert "p2_ct_seg.nii.gz: holds 3, but only 0, 1, 2 are named" in out


def test_a_damaged_file_fails_its_case_and_no_other(run, folders):
    (folders / "preds" / "p1_ct_seg.nii.gz").write_bytes(b"not a nifti")
    code, out, _ = run(*by_name(folders))
    assert code == 1
    assert "1 of 2 cases scored" in out
    assert len([line for line in out.splitlines() if "p1" in line and "failed" in line]) == 1


def test_nothing_that_can_be_scored_is_an_error_of_the_data(run, folders):
    for file in (folders / "preds").iterdir():
        file.rename(file.with_name(f"other_{file.name}"))
    code, out, err = run(*by_name(folders, "-o", folders / "out"))
    assert (code, out) == (3, "")
    assert "none of 2 cases could be scored; p1: no prediction" in err
    assert not (folders / "out").exists()


def test_labels_of_background_alone_are_nothing_to_score(run, tmp_path):
    for folder in ("refs", "preds"):
        write(tmp_path / folder / "p1.nii.gz", label())
    code, _, err = run(*by_name(tmp_path))
    assert code == 3
    assert "no label has a value but 0" in err


@pytest.mark.parametrize("folder", ["preds", "refs"])
def test_a_folder_that_is_missing_or_empty_is_named(run, folders, folder):
    for file in (folders / folder).iterdir():
        file.unlink()
    code, _, err = run(*by_name(folders))
    assert code == 3
    told = f"{folder}: no NIfTI, NRRD, MetaImage or DICOM SEG file in it, and no picture"
    assert told in err.replace("\n", "")
    (folders / folder).rmdir()
    code, _, err = run(*by_name(folders))
    assert code == 3
    assert f"{folder}: no such folder" in err.replace("\n", "")


def test_two_files_of_one_case_are_refused(run, folders):
    write(folders / "preds" / "p1.nii.gz", label())
    code, _, err = run(*by_name(folders))
    assert code == 3
    told = err.replace("\n", " ")
    assert "2 predictions could be case 'p1'" in told
    assert "p1_ct_seg.nii.gz; keep one of them in the folder" in told


def test_of_two_predictions_of_a_manifests_case_none_is_picked(run, folders):
    shutil.copy(folders / "preds" / "p1_ct_seg.nii.gz", folders / "preds" / "p1_ct_seg.nii")
    code, _, err = run(*by_manifest(folders, "--split", "all"))
    assert code == 3
    assert "is of the same case; keep one of them" in err.replace("\n", " ")


def test_images_beside_the_labels_are_not_taken_for_labels(run, folders):
    write(folders / "refs" / "p1_ct.nii.gz", np.ones((10, 10, 10), dtype=np.int16))
    assert run(*by_name(folders))[0] == 0


def test_a_split_without_labels_is_refused(run, folders):
    code, _, err = run(*by_manifest(folders, "--split", "test"))
    assert code == 3
    assert "two_cases: no case with a label in test" in err
    code, _, err = run(*by_manifest(folders, "--fold", "7"))
    assert code == 3
    assert "no case with a label in the validation split of fold 7" in err


def test_existing_scores_are_replaced_only_when_asked(run, folders):
    out = folders / "out"
    assert run(*by_name(folders, "-o", out))[0] == 0
    before = (out / "scores.csv").read_text()
    code, _, err = run(*by_name(folders, "--label-names", NAMES, "-o", out))
    assert code == 2
    assert "scores.csv already exists; use --overwrite or another -o" in err
    assert (out / "scores.csv").read_text() == before
    assert run(*by_name(folders, "--label-names", NAMES, "-o", out, "--overwrite"))[0] == 0
    assert "infection" in (out / "scores.csv").read_text()
    files = ["scores.csv", "scores.json", "scores.md", "summary.csv", "worst_cases"]
    assert sorted(path.name for path in out.iterdir()) == files


def page(path):
    with Image.open(path) as file:
        return np.asarray(file)


def test_the_worst_cases_are_drawn_with_their_image_worst_first(run, folders):
    for case in ("p1", "p2"):
        image = np.full((10, 10, 10), 100, np.int16)
        image[:, 9] = -1000
        write(folders / "refs" / f"{case}_ct.nii.gz", image)
    out = folders / "out"
    assert run(*by_manifest(folders, "--split", "all", "-o", out))[0] == 0
    assert sorted(p.name for p in (out / "worst_cases").iterdir()) == ["1.png", "2.png"]
    worst, better = (page(out / "worst_cases" / f"{k}.png") for k in (1, 2))
    # Soft tissue of 100 HU, in a window from -160 to 240: 255 * 260 / 400.
    assert (worst == 166).all(axis=-1).mean() > 0.05
    assert (better == 166).any()
    # In p2 the reference's line covers the outline of the prediction, in p1 they lie apart.
    colour = [(drawn == class_colour(1)).all(axis=-1).sum() for drawn in (worst, better)]
    assert colour[0] > colour[1]
    code, _, error = run(*by_manifest(folders, "--split", "all", "-o", out))
    assert (code, "already exists" in error) == (2, True)


def test_the_images_of_a_folder_of_labels_are_drawn_if_they_are_given(run, folders):
    values = np.random.default_rng(0).integers(0, 1000, (10, 10, 10)).astype(np.int16)
    for case in ("p1", "p2"):
        write(folders / "images" / f"{case}_ct.nii.gz", values)
    pages = []
    for name, options in (("with", ("--images", folders / "images")), ("without", ())):
        out = folders / name
        assert run(*by_name(folders, "--label-names", NAMES, "-o", out, *options))[0] == 0
        pages.append(page(out / "worst_cases" / "1.png").astype(int))
    lit, dark = ((drawn.max(axis=-1) > 40).mean() for drawn in pages)
    assert lit > 2 * dark


def test_pictures_of_an_earlier_evaluation_with_more_cases_are_removed(run, folders):
    out = folders / "out"
    options = ("--label-names", NAMES, "-o", out)
    assert run(*by_name(folders, *options))[0] == 0
    assert (out / "worst_cases" / "2.png").exists()
    (folders / "refs" / "p2_labels.nii.gz").unlink()
    (folders / "preds" / "p2_ct_seg.nii.gz").unlink()
    assert run(*by_name(folders, *options, "--overwrite"))[0] == 0
    assert [p.name for p in (out / "worst_cases").iterdir()] == ["1.png"]


def test_columns_are_chosen_and_the_files_hold_all(run, folders):
    options = ("--label-names", NAMES, "--metrics", "lesion_f1, dsc", "-o", folders / "out")
    code, out, _ = run(*by_name(folders, *options))
    assert code == 0
    assert out.splitlines()[1].split() == ["case", "class", "DSC", "lesion", "F1"]
    assert re.search(r"p1 +lung +0\.667 +1\.000", out)
    with (folders / "out" / "scores.csv").open() as file:
        row = next(csv.DictReader(file))
    # 4 voxels of 1000 are wrong; 4 and 8 voxels of one row
    assert (float(row["accuracy"]), float(row["volume_error_percent"])) == (0.996, 50)
    markdown = (folders / "out" / "scores.md").read_text()
    assert "| class | missed | invented | DSC | lesion F1 |" in markdown
    code, out, _ = run(*by_name(folders, "--metrics", "all"))
    assert "accuracy" in out
    assert "conformity" in out


def test_an_unknown_column_is_refused_with_those_there_are(run, folders):
    code, _, err = run(*by_name(folders, "--metrics", "dsc,dice"))
    assert code == 2
    assert "unknown metric 'dice'; there are all, dsc, iou, " in err.replace("\n", " ")


def test_tolerance_and_overlap_of_lesions_are_options_and_recorded(run, folders):
    # The prediction ends 4 voxels of 1 mm early: its 4 lie on the label, of whose 8 the last is
    # 4 mm from it.
    options = ("--label-names", NAMES, "--tolerance-mm", "3", "--lesion-overlap", "half", "--json")
    code, out, _ = run(*by_name(folders, *options))
    result = json.loads(out)
    assert code == 0
    assert result["criteria"] == {"tolerance_mm": 3, "lesion_overlap": "half"}
    lung = result["cases"]["p1"][0]
    assert lung["nsd"] == pytest.approx((4 + 7) / 12)
    assert lung["lesion_f1"] == 0  # exactly half of the lesion was found
    _, out, _ = run(*by_name(folders, "--tolerance-mm", "0.5"))
    assert "NSD 0.5 mm" in out


@pytest.mark.parametrize("tolerance_mm", ["-1", "nan"])
def test_a_tolerance_that_is_none_is_refused(run, folders, tolerance_mm):
    assert run(*by_name(folders, "--tolerance-mm", tolerance_mm))[0] == 2


def test_a_class_of_one_case_counts_its_voxels_in_all(run, folders):
    values = label((0, 6), (0, 2))
    values[9, 9, 9] = 200
    write(folders / "preds" / "p2_ct_seg.nii.gz", values)
    _, out, _ = run(*by_name(folders, "--json"))
    result = json.loads(out)
    # 1 of 2 x 1000 voxels is wrong
    accuracy = result["summary"]["classes"][2]["micro"]["accuracy"]["value"]
    assert accuracy == pytest.approx(1999 / 2000)


def test_a_dry_run_shows_the_pairs_and_scores_nothing(run, folders):
    (folders / "preds" / "p2_ct_seg.nii.gz").unlink()
    code, out, err = run(*by_name(folders, "-o", folders / "out", "--dry-run"))
    assert code == 1
    assert err == "failed: p2: no prediction found; it should be named p2_seg.nii.gz\n"
    assert "p1_ct_seg.nii.gz" in out.splitlines()[0]
    assert out.splitlines()[1].startswith("p2: no prediction, ")
    assert not (folders / "out").exists()


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--labels", "refs", "--manifest", "m.json", "--dataset-dir", "d"),
        ("--manifest", "m.json"),
        ("--manifest", "m.json", "--dataset-dir", "d", "--label-names", "a,b"),
    ],
)
def test_references_are_given_in_one_way_or_the_other(run, options):
    code, _, err = run("preds", *options)
    assert code == 2
    assert "use --labels DIR" in err


def test_a_prediction_with_other_axes_is_turned_to_the_references(run, folders):
    values = np.random.default_rng(0).integers(0, 3, (4, 5, 6)).astype(np.uint8)
    reference = nibabel.Nifti1Image(values, AFFINE)
    write(folders / "refs" / "p1_labels.nii.gz", values)
    for axes in ("LAS", "RPI", "SRA", "IPL"):
        turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(axes))
        turned = reference.as_reoriented(turn)
        assert nibabel.aff2axcodes(turned.affine) == tuple(axes)
        turned.to_filename(folders / "preds" / "p1_ct_seg.nii.gz")
        code, out, _ = run(*by_name(folders, "-o", folders / axes))
        assert code == 0
        assert f"the prediction's axes ({axes}) were turned to the reference's (RAS)" in out
        scores = json.loads((folders / axes / "scores.json").read_text())
        assert [one["dsc"] for one in scores["cases"]["p1"]] == [1, 1]
        (warning,) = scores["warnings"]["p1"]
        with (folders / axes / "scores.csv").open() as file:
            assert {row["remarks"] for row in csv.DictReader(file) if row["case"] == "p1"} == {
                warning
            }


def cells(folder, name, *numbers, suffix=".png"):
    """A picture of 12 x 12 pixels: each number a cell of 3 x 3."""
    picture = np.zeros((12, 12), np.uint8)
    for place, number in enumerate(numbers):
        picture[4 * (place // 3) : 4 * (place // 3) + 3, 4 * (place % 3) : 4 * (place % 3) + 3] = (
            number
        )
    path = folder / f"{name}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


def summary(folder, kind, names):
    content = {"label_kind": kind, "class_names": list(names)}
    (folder / "summary.json").write_text(json.dumps(content))


def test_numbered_cells_are_scored_as_objects_because_their_summary_says_so(run, tmp_path):
    cells(tmp_path / "refs", "a", 1, 2, 3, 4)
    cells(tmp_path / "preds", "a_seg", 9, 5, 7)  # other numbers, and one cell is missed
    options = tmp_path / "preds", "--labels", tmp_path / "refs", "--json"
    _, out, err = run(*options)
    assert "7 values without a name were scored as classes; if they number objects, use" in err
    assert [one["name"] for one in json.loads(out)["cases"]["a"]] == [
        f"label {value}" for value in (1, 2, 3, 4, 5, 7, 9)
    ]
    summary(tmp_path / "preds", "instances", ("background", "cell"))
    for more in ((), ("--label-kind", "instances", "--label-names", "background,cell")):
        code, out, _ = run(*options, *more)
        result = json.loads(out)
        assert code == 0
        # 27 of 36 pixels, none invented: 2 * 27 / (27 + 36)
        (cell,) = result["cases"]["a"]
        assert (cell["name"], cell["dsc"]) == ("cell", pytest.approx(54 / 63))
        # 3 found, 1 missed, each with IoU 1: recognition 3 / (3 + 1 / 2)
        (objects,) = result["instances"]["cases"].values()
        assert objects["pq"] == pytest.approx(3 / 3.5)
        (tmp_path / "preds" / "summary.json").unlink(missing_ok=True)


def test_class_names_are_those_of_the_predictions_summary(run, folders):
    summary(folders / "preds", "classes", NAMES.split(","))
    code, out, _ = run(*by_name(folders, "--json"))
    assert code == 0
    assert [one["name"] for one in json.loads(out)["cases"]["p1"]] == ["lung", "infection"]


def test_predictions_of_other_classes_than_the_manifests_are_refused(run, folders):
    summary(folders / "preds", "classes", ("background", "spleen", "liver"))
    code, _, err = run(*by_manifest(folders))
    assert code == 3
    assert "says that its classes are ['background', 'spleen', 'liver']" in err.replace("\n", " ")


def test_a_grey_mask_is_refused_as_classes_and_scored_as_a_mask(run, tmp_path):
    cells(tmp_path / "refs", "a", 255, 255)
    cells(tmp_path / "preds", "a_seg", 1)
    options = tmp_path / "preds", "--labels", tmp_path / "refs"
    code, _, err = run(*options)
    assert code == 3
    assert "holds 255, but only 0, 1 are named; if it is a mask" in err.replace("\n", " ")
    for value in (1, 255):
        cells(tmp_path / "preds", "a_seg", value)
        code, out, _ = run(*options, "--label-kind", "mask", "--json")
        assert code == 0
        # 9 of 18 pixels: 2 * 9 / (9 + 18)
        assert json.loads(out)["cases"]["a"][0]["dsc"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_labels_in_the_images_own_format_are_paired_and_scored(run, folders, suffix):
    (folders / "preds" / "p1_ct_seg.nii.gz").unlink()
    save_label(folders / "preds" / f"p1_ct_seg{suffix}", label((0, 4), (0, 2)), AFFINE)
    (folders / "refs" / "p2_labels.nii.gz").unlink()
    save_label(folders / "refs" / f"p2_labels{suffix}", label((0, 6), (0, 2)), AFFINE)
    code, out, _ = run(folders / "preds", "--labels", folders / "refs", "--json")
    assert code == 0
    # By hand: 4 of 8 voxels found, 2 * 4 / (4 + 8).
    assert [one["dsc"] for one in json.loads(out)["cases"]["p1"]] == pytest.approx([2 / 3, 1])
    assert [one["dsc"] for one in json.loads(out)["cases"]["p2"]] == [1, 1]


@pytest.mark.data
def test_real_references_score_one_against_themselves(run, real_data, tmp_path):
    folder = real_data / "chest_ct" / "covid19-ct-seg"
    (tmp_path / "preds").mkdir()
    for case in ("07", "09"):
        source = folder / f"coronacase_{case}_labels.nii.gz"
        (tmp_path / "preds" / f"coronacase_{case}_ct_seg.nii.gz").symlink_to(source)
    manifest = Path(__file__).parents[2] / "data_manifests" / "covid19_ct_seg.json"
    code, out, _ = run(
        *(tmp_path / "preds", "--manifest", manifest, "--dataset-dir", folder),
        *("--fold", "2", "--json"),
    )
    result = json.loads(out)
    # fold 2 holds the cases 07 and 08; 08 has no prediction here
    assert code == 1
    assert list(result["failed"]) == ["coronacase_08"]
    assert result["summary"]["macro"]["dsc"] == 1
    lung, infection = result["cases"]["coronacase_07"]
    # voxel counts of the data set's own description, 2 x 2 x 1 mm
    assert lung["label_ml"] == pytest.approx(216319 * 4 / 1000)
    assert infection["label_ml"] == pytest.approx(12174 * 4 / 1000)
