"""What `medseg predict` promises its user: labels in the image's grid, or one clear line."""

import csv
import json
import shutil

import nibabel
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform
from safetensors import safe_open
from safetensors.torch import save_file

from tests.conftest import BUNDLE


def save(path, array, affine=None):
    nibabel.Nifti1Image(array, np.eye(4) if affine is None else affine).to_filename(path)
    return path


@pytest.fixture
def image(phantoms):
    return phantoms / "images" / "phantom_003.nii.gz"


def test_a_label_in_the_images_grid_and_a_picture(trained, image, tmp_path, command):
    assert command("predict", trained, image, "-o", tmp_path / "out") == 0
    label = nibabel.load(tmp_path / "out" / "phantom_003_seg.nii.gz")
    source = nibabel.load(image)
    assert label.shape == source.shape
    assert label.get_data_dtype() == np.uint8
    np.testing.assert_allclose(label.affine, source.affine, atol=1e-4)
    assert set(np.unique(np.asarray(label.dataobj))) <= {0, 1, 2}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "ledger.sqlite",
        "phantom_003_overlay.png",
        "phantom_003_seg.nii.gz",
        "summary.json",
        "volumes.csv",
    ]


def test_the_same_body_stored_another_way_gets_the_same_label(trained, image, tmp_path, command):
    # Turn the stored axes to PIR; the patient has not moved, so neither may the label.
    source = nibabel.load(image)
    turn = ornt_transform(nibabel.io_orientation(source.affine), axcodes2ornt(("P", "I", "R")))
    turned = nibabel.apply_orientation(np.asarray(source.dataobj), turn)
    save(tmp_path / "turned.nii.gz", turned, source.affine @ inv_ornt_aff(turn, source.shape))
    code = command(
        "predict", trained, image, tmp_path / "turned.nii.gz", "-o", tmp_path / "out",
        "--set", "precision=fp32"
    )  # fmt: skip
    assert code == 0
    plain = np.asarray(nibabel.load(tmp_path / "out" / "phantom_003_seg.nii.gz").dataobj)
    other = np.asarray(nibabel.load(tmp_path / "out" / "turned_seg.nii.gz").dataobj)
    agreement = (nibabel.apply_orientation(plain, turn) == other).mean()
    assert agreement > 0.999


def test_labels_beside_the_images_are_left_out_where_a_glob_names_all(
    trained, image, tmp_path, command, capsys
):
    for name in ("a", "b"):
        shutil.copy(image, tmp_path / f"{name}.nii.gz")
    for _ in range(2):
        assert command("predict", trained, *sorted(tmp_path.glob("*.nii.gz")), "-o", tmp_path) == 0
    found = sorted(path.name for path in tmp_path.glob("*.nii.gz"))
    assert found == ["a.nii.gz", "a_seg.nii.gz", "b.nii.gz", "b_seg.nii.gz"]
    assert "a_seg.nii.gz: skipped, since an earlier prediction wrote it" in capsys.readouterr().err


def test_what_a_header_leaves_open_is_told(trained, image, tmp_path, command, capsys):
    source = nibabel.load(image)
    doubtful = nibabel.Nifti1Image(np.asarray(source.dataobj), source.affine)
    doubtful.header.set_xyzt_units("micron")
    doubtful.to_filename(tmp_path / "small.nii.gz")
    assert command("predict", trained, tmp_path / "small.nii.gz", "-o", tmp_path / "out") == 0
    told = capsys.readouterr().err.splitlines()
    begins = "warning: small: image: its header gives voxel sizes in micro"
    assert sum(line.startswith(begins) for line in told) == 1
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert (summary["label_kind"], summary["class_names"]) == (
        "classes",
        ["background", "lung", "infection"],
    )
    (warning,) = summary["cases"][0]["warnings"]
    assert warning in told[0]
    with (tmp_path / "out/volumes.csv").open(encoding="utf-8") as table:
        (row,) = csv.DictReader(table)
    assert row["remarks"] == warning


def test_any_readable_name_and_shape_is_predicted_and_named_after_its_file(
    trained, image, tmp_path, command
):
    source = nibabel.load(image)
    array = np.asarray(source.dataobj)
    folder = tmp_path / "in dir" / "\u00fcn\u00ef"
    folder.mkdir(parents=True)
    save(folder / "sc\u00e4n 1.nii.gz", array, source.affine)
    save(folder / "UPPER.NII.GZ", array, source.affine)
    save(folder / "one_time.nii.gz", array[..., None], source.affine)
    save(folder / "one_slice.nii", array[:, :, :1], source.affine)
    save(tmp_path / "4711.nii.gz", array[:1, :1, :1], source.affine)
    (folder / "link.nii.gz").symlink_to(tmp_path / "4711.nii.gz")
    # Twice into the folder of the images: the labels of the first time are no images.
    for _ in range(2):
        code = command("predict", trained, folder, "-o", folder, "--overwrite")
        assert code == 0
    shapes = {path.name: nibabel.load(path).shape for path in folder.glob("*_seg.nii.gz")}
    assert shapes == {
        "sc\u00e4n 1_seg.nii.gz": array.shape,
        "UPPER_seg.nii.gz": array.shape,
        "one_time_seg.nii.gz": array.shape,
        "one_slice_seg.nii.gz": (*array.shape[:2], 1),
        "link_seg.nii.gz": (1, 1, 1),
    }


def test_json_is_all_there_is_on_standard_output(trained, image, tmp_path, command, capfd):
    out = tmp_path / "out"
    assert command("predict", trained, image, "-o", out, "--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert told["failed"] == []
    assert told["done"][0]["label"] == str(out / "phantom_003_seg.nii.gz")


def test_a_dry_run_says_what_it_would_write_and_writes_nothing(
    trained, image, tmp_path, command, capfd
):
    out = tmp_path / "out"
    assert command("predict", trained, image, "-o", out, "--dry-run") == 0
    assert "phantom_003_seg.nii.gz" in capfd.readouterr().out
    assert not out.exists()


def test_a_bad_case_is_told_and_the_good_one_is_predicted(trained, image, tmp_path, command, capfd):
    bad = save(tmp_path / "bad.nii.gz", np.full((4, 4, 4), np.nan, dtype=np.float32))
    out = tmp_path / "out"
    assert command("predict", trained, bad, image, "-o", out) == 1
    assert (out / "phantom_003_seg.nii.gz").is_file()
    assert not (out / "bad_seg.nii.gz").exists()
    assert "bad.nii.gz" in capfd.readouterr().err


def missing(folder):
    return folder / "nowhere.nii.gz"


def empty_folder(folder):
    (folder / "empty").mkdir()
    return folder / "empty"


def unreadable(folder):
    (folder / "broken.nii.gz").write_bytes(b"not an image")
    return folder / "broken.nii.gz"


def series_in_time(folder):
    return save(folder / "four.nii.gz", np.zeros((4, 4, 4, 5), dtype=np.int16))


def coloured(folder):
    rgb = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    return save(folder / "rgb.nii.gz", np.zeros((4, 4, 4), dtype=rgb))


def with_nan(folder):
    return save(folder / "nan.nii.gz", np.full((4, 4, 4), np.nan, dtype=np.float32))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (missing, "nowhere.nii.gz: not there"),
        (empty_folder, "empty: no NIfTI, NRRD, MetaImage or DICOM files, and no pictures, in it"),
        (unreadable, "broken.nii.gz: "),
        (series_in_time, "has 4 axes"),
        (coloured, "rgb.nii.gz: "),
        (with_nan, "nan.nii.gz: "),
    ],
)
def test_bad_input_is_one_line_exit_code_3_and_nothing_written(
    make, message, trained, tmp_path, command, capfd
):
    code = command("predict", trained, make(tmp_path), "-o", tmp_path / "out")
    told = capfd.readouterr().err.strip()
    assert code == 3
    assert message in told
    assert "\n" not in told
    assert not (tmp_path / "out").exists()


def test_an_output_that_exists_is_kept_unless_told(trained, image, tmp_path, command, capfd):
    label = tmp_path / "phantom_003_seg.nii.gz"
    label.write_bytes(b"mine")
    assert command("predict", trained, image, "-o", tmp_path) == 2
    assert "already exists; use --overwrite" in capfd.readouterr().err
    assert label.read_bytes() == b"mine"
    code = command("predict", trained, image, "-o", tmp_path, "--overwrite")
    assert code == 0
    assert nibabel.load(label).shape == nibabel.load(image).shape


def test_two_images_of_one_name_are_refused_before_anything_runs(trained, tmp_path, command, capfd):
    # In one folder, so that no folder tells them apart.
    names = "ct.nii.gz", "ct.nii"
    images = [save(tmp_path / name, np.zeros((4, 4, 4), dtype=np.int16)) for name in names]
    code = command("predict", trained, *images, "-o", tmp_path / "out")
    assert code == 2
    assert "would both become" in capfd.readouterr().err


def test_a_bundle_without_weights_says_so(image, tmp_path, command, capfd):
    weights = tmp_path / "model.safetensors"
    code = command("predict", BUNDLE, image, "-o", tmp_path / "out", "--weights", weights)
    assert code == 3
    assert "no weights there; train the bundle first" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


def test_weights_that_tell_nothing_of_their_training_still_give_a_picture(
    trained, image, tmp_path, command
):
    with safe_open(trained / "models" / "model.safetensors", framework="pt") as file:
        settings = json.loads(file.metadata()["settings"])
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
    weights = tmp_path / "plain.safetensors"
    save_file(state, weights)
    network = {
        f"network_def#default#{key}": settings["network"][key] for key in ("first_width", "depth")
    }
    known = {key: settings[key] for key in ("patch_size", "spacing_mm")} | network
    code = command(
        "predict", trained, image, "-o", tmp_path / "out", "--weights", weights,
        *(word for key, value in known.items() for word in ("--set", f"{key}={value}"))
    )  # fmt: skip
    assert code == 0
    assert (tmp_path / "out" / "phantom_003_overlay.png").is_file()


def test_a_folder_that_is_no_bundle_is_named(image, tmp_path, command, capfd):
    code = command("predict", tmp_path, image, "-o", tmp_path / "out")
    assert code == 2
    assert "not a bundle (no configs/metadata.json)" in capfd.readouterr().err


def test_a_key_that_an_option_sets_is_refused_rather_than_lost(
    trained, image, tmp_path, command, capfd
):
    out = tmp_path / "out"
    code = command("predict", trained, image, "-o", out, "--set", "output_dir=elsewhere")
    assert code == 2
    assert "output_dir: this command sets it; use its own option" in capfd.readouterr().err
    assert not out.exists()


def test_an_image_may_have_a_hash_in_its_name_the_weights_may_not(
    trained, image, tmp_path, command, capfd
):
    # MONAI's configs cannot hold it, and images are in none.
    hashed = tmp_path / "case#1.nii.gz"
    hashed.symlink_to(image)
    assert command("predict", trained, hashed, "-o", tmp_path / "out") == 0
    assert (tmp_path / "out" / "case#1_seg.nii.gz").is_file()
    weights = tmp_path / "epoch#1.safetensors"
    shutil.copy(trained / "models" / "model.safetensors", weights)
    words = ("predict", trained, image, "-o", tmp_path / "out", "--weights", weights)
    assert command(*words) == 2
    assert "cannot hold a '#'" in capfd.readouterr().err
