"""Cohorts: what is done is not done again, one bad case stops no other, nothing is lost."""

import csv
import json
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK

from medseg.data import read_volume
from medseg.networks.weights import halve_weights
from tests.data.dicom.builders import hounsfield, save, slices, uid

# One engine and precision, so that all labels are equal however they come about.
EXACT = ("--engine", "torch", "--precision", "fp32")


@pytest.fixture
def images(phantoms):
    return sorted((phantoms / "images").glob("*.nii.gz"))


def contents(folder):
    """All results by name; the ledger's bytes hold times."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "ledger.sqlite"}


def rows(out):
    with (out / "volumes.csv").open(newline="") as file:
        return {row["case"]: row for row in csv.DictReader(file)}


def test_volumes_are_those_of_the_labels_that_were_written(trained, images, tmp_path, command):
    out = tmp_path / "out"
    assert command("predict", trained, images[0].parent, "-o", out, *EXACT) == 0
    columns = (
        "lung_ml",
        "lung_parts",
        "infection_ml",
        "infection_percent_of_lung",
        "infection_parts",
    )
    made_by = ("bundle", "version", "caution")
    assert tuple(rows(out)["phantom_000"]) == ("case", *made_by, *columns)
    assert set(rows(out)) == {"phantom_000", "phantom_001", "phantom_002", "phantom_003"}
    for case, row in rows(out).items():
        label = nibabel.load(out / f"{case}_seg.nii.gz")
        ml = np.prod(label.header.get_zooms()) / 1000
        counts = np.bincount(np.asarray(label.dataobj).ravel(), minlength=3)
        assert float(row["lung_ml"]) == pytest.approx(counts[1] * ml, rel=1e-3)
        assert float(row["infection_ml"]) == pytest.approx(counts[2] * ml, rel=1e-3)
        share = 100 * counts[2] / (counts[1] + counts[2])
        assert float(row["infection_percent_of_lung"]) == pytest.approx(share, abs=0.05)
        assert row["bundle"] == "covid_lung_ct_unet3d"
        assert row["caution"].startswith("research only")
    summary = json.loads((out / "summary.json").read_text())
    assert summary["weights"]["caution"].startswith("research only")
    assert [one["name"] for one in summary["classes"]] == ["background", "lung", "infection"]
    assert summary["classes"][2]["snomed"] == "52988006"


def test_the_summary_tells_bundle_weights_options_and_every_case_without_a_path(
    trained, images, tmp_path, command
):
    bad = tmp_path / "bad.nii.gz"
    bad.write_bytes(b"no image")
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    out = tmp_path / "out"
    assert command("predict", trained, bad, nothing, images[0], "-o", out, *EXACT) == 1
    told = json.loads((out / "summary.json").read_text())
    metadata = json.loads((Path(trained) / "configs" / "metadata.json").read_text())
    assert (told["bundle"], told["version"]) == ("covid_lung_ct_unet3d", metadata["version"])
    assert len(told["weights_sha256"]) == 64
    assert told["options"]["precision"] == "fp32"
    assert [(one["source"], one["status"]) for one in told["cases"]] == [
        ("bad.nii.gz", "failed"),
        ("phantom_000.nii.gz", "done"),
    ]
    assert "cannot be read as NIfTI" in told["cases"][0]["error"]
    assert told["cases"][1]["engine"] == "torch fp32"
    (refused,) = told["refused"]
    assert refused["input"] == "input 2"
    assert "no NIfTI, NRRD, MetaImage" in refused["error"]
    assert str(tmp_path) not in (out / "summary.json").read_text()


def test_maps_lie_where_the_label_does_and_a_second_run_takes_no_map_for_an_image(
    trained, images, tmp_path, command
):
    folder = tmp_path / "both"
    folder.mkdir()
    shutil.copy(images[0], folder)
    words = ("--maps", "probabilities,entropy", *EXACT)
    for _ in range(2):
        assert command("predict", trained, folder, "-o", folder, *words) == 0
    assert sorted(p.name for p in folder.glob("*.nii.gz")) == [
        f"phantom_000{end}.nii.gz" for end in ("", "_entropy", "_probabilities", "_seg")
    ]
    label = nibabel.load(folder / "phantom_000_seg.nii.gz")
    probabilities = nibabel.load(folder / "phantom_000_probabilities.nii.gz")
    np.testing.assert_allclose(probabilities.affine, label.affine)
    values = probabilities.get_fdata()
    assert values.shape == (*label.shape, 3)
    np.testing.assert_allclose(values.sum(axis=-1), 1, atol=0.01)
    chosen = np.take_along_axis(values, np.asarray(label.dataobj)[..., None].astype(int), axis=-1)
    np.testing.assert_allclose(chosen[..., 0], values.max(axis=-1), atol=0.005)
    told = json.loads((folder / "summary.json").read_text())["cases"][0]["outputs"]
    assert "phantom_000_entropy.nii.gz" in told


def test_mirroring_is_said_before_it_is_done_and_is_another_prediction(
    trained, images, tmp_path, command, capfd
):
    for out, more in (("plain", ()), ("mirrored", ("--mirror", "0,1"))):
        assert command("predict", trained, images[0], "-o", tmp_path / out, *EXACT, *more) == 0
    assert "each in 4 mirror images" in capfd.readouterr().err
    again = command("predict", trained, images[0], "-o", tmp_path / "mirrored", *EXACT)
    assert again == 2
    assert "already exists" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--maps", "variance"), "--maps takes probabilities, entropy, got 'variance'"),
        (("--mirror", "3"), "--mirror takes axes from 0 to 2"),
    ],
)
def test_maps_and_axes_that_are_not_there_are_refused(
    words, says, trained, images, tmp_path, command, capfd
):
    assert command("predict", trained, images[0], "-o", tmp_path / "out", *words) == 2
    assert says in capfd.readouterr().err


def test_a_second_run_does_only_what_is_missing(trained, images, tmp_path, command, capfd):
    out = tmp_path / "out"
    words = ("predict", trained, *images[:2], "-o", out, *EXACT)
    assert command(*words) == 0
    before = contents(out)
    times = {path: path.stat().st_mtime_ns for path in out.glob("phantom_*")}
    (out / "phantom_001_overlay.png").unlink()
    capfd.readouterr()
    assert command(*words, "--json") == 0
    told = json.loads(capfd.readouterr().out)["done"]
    assert [one["status"] for one in told] == ["skipped", "done"]
    assert contents(out) == before
    assert all(p.stat().st_mtime_ns == times[p] for p in times if "phantom_000" in p.name)


@pytest.mark.parametrize("change", ["weights", "option", "image", "edited label"])
def test_a_label_of_anything_else_is_neither_taken_nor_replaced(
    change, trained, images, tmp_path, command, capfd
):
    out, image = tmp_path / "out", tmp_path / "scan.nii.gz"
    shutil.copy(images[0], image)
    words = ["predict", trained, image, "-o", out, *EXACT]
    assert command(*words) == 0
    label = out / "scan_seg.nii.gz"
    if change == "weights":
        bundle = tmp_path / trained.name
        shutil.copytree(trained, bundle)
        weights = bundle / "models" / "model.safetensors"
        halve_weights(weights, weights)
        words[1] = bundle
    elif change == "option":
        words += ["--set", "overlap=0.25"]
    elif change == "image":
        shutil.copy(images[1], image)
    else:
        nibabel.save(nibabel.load(images[1]), label)
    before = contents(out)
    assert command(*words) == 2
    assert "already exists; use --overwrite" in capfd.readouterr().err
    assert contents(out) == before
    assert command(*words, "--overwrite") == 0
    assert command(*words) == 0


def test_pictures_and_tables_of_the_users_are_kept(trained, images, tmp_path, command, capfd):
    for name in ("phantom_000_overlay.png", "volumes.csv", "summary.json"):
        out = tmp_path / name.partition(".")[0]
        out.mkdir()
        (out / name).write_bytes(b"mine")
        assert command("predict", trained, images[0], "-o", out, *EXACT) == 2
        assert f"{name} already exists; use --overwrite" in capfd.readouterr().err
        assert contents(out) == {name: b"mine"}


def test_shares_are_disjoint_and_make_the_whole(trained, images, tmp_path, command, capfd):
    whole, shared = tmp_path / "whole", tmp_path / "shared"
    words = ("predict", trained, *images, *EXACT, "--json")
    assert command(*words, "-o", whole) == 0
    capfd.readouterr()
    done = []
    for i in (1, 2, 3):
        assert command(*words, "-o", shared, "--shard", f"{i}/3") == 0
        done.append({one["label"] for one in json.loads(capfd.readouterr().out)["done"]})
    assert [len(part) for part in done] == [2, 1, 1]
    assert len(set.union(*done)) == 4
    assert contents(shared) == contents(whole)


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b", "-1/2"])
def test_a_share_that_is_none_is_refused(shard, trained, images, tmp_path, command, capfd):
    code = command("predict", trained, images[0], "-o", tmp_path / "out", f"--shard={shard}")
    assert code == 2
    assert "--shard must be I/N" in capfd.readouterr().err


@pytest.mark.parametrize(("suffix", "label"), [("nrrd", "nrrd"), ("mha", "mha"), ("mhd", "mha")])
def test_nrrd_and_metaimage_come_out_as_they_came_in(
    suffix, label, trained, images, tmp_path, command
):
    image = SimpleITK.ReadImage(str(images[0]))
    SimpleITK.WriteImage(image, str(tmp_path / f"scan.{suffix}"))
    out = tmp_path / "out"
    assert command("predict", trained, tmp_path / f"scan.{suffix}", "-o", out, *EXACT) == 0
    assert command("predict", trained, images[0], "-o", out, *EXACT) == 0
    ours, source = read_volume(out / f"scan_seg.{label}"), read_volume(images[0])
    # ITK's axes may run the other way; where voxels are is the same.
    np.testing.assert_allclose(ours.affine, source.affine, atol=1e-4)
    theirs = read_volume(out / "phantom_000_seg.nii.gz")
    np.testing.assert_array_equal(ours.array, theirs.array)
    nifti = ("--format", "nifti", "-o", tmp_path / "other")
    assert command("predict", trained, tmp_path / f"scan.{suffix}", *nifti) == 0
    assert (tmp_path / "other" / "scan_seg.nii.gz").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("bmp", "--format takes auto, nifti, nrrd, mha, png, tiff, dicom-seg, dicom-sr, got 'bmp'"),
        ("png", "is a volume; --format must be auto or one of nifti, nrrd, mha, got png"),
        ("nifti,nrrd", "--format takes one of"),
        ("dicom-sr", "use both"),
        ("nifti,dicom-seg", "is not DICOM, so no DICOM label can refer to it"),
    ],
)
def test_formats_that_do_not_go_are_refused(
    words, message, trained, images, tmp_path, command, capfd
):
    code = command("predict", trained, images[0], "-o", tmp_path / "out", "--format", words)
    assert code == 2
    assert message in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_dry_run_forecasts_each_case_and_writes_nothing(
    trained, images, tmp_path, command, capfd
):
    out = tmp_path / "out"
    words = ("predict", trained, *images[:2], "-o", out, "--dry-run")
    assert command(*words) == 0
    told = capfd.readouterr().out.splitlines()
    assert len(told) == 2
    assert "phantom_001_seg.nii.gz: up to 18 windows of 32 x 32 x 16, 3 MB of memory" in told[1]
    assert command(*words, "--json") == 0
    told = json.loads(capfd.readouterr().out)["done"]
    # Over the box of the body, which fills one of these phantoms less than the other.
    assert [one["forecast"]["windows"] for one in told] == [12, 18]
    assert not out.exists()


def test_a_line_a_case_where_nobody_watches(trained, images, tmp_path, command, capfd):
    assert command("predict", trained, *images[:2], "-o", tmp_path / "out", *EXACT) == 0
    out, err = capfd.readouterr()
    lines = [line for line in out.splitlines() if "_seg.nii.gz: lung " in line]
    assert len(lines) == 2
    assert [line.partition(":")[0] for line in err.splitlines()] == [
        "1/2 phantom_000",
        "2/2 phantom_001",
        "warning",  # that the weights are of phantoms
    ]


def test_an_engine_that_cannot_stops_all_at_once(trained, images, tmp_path, command, capfd):
    # fp16 is nothing for a CPU, and no other case will change that.
    words = ("--engine", "openvino", "--precision", "fp16")
    assert command("predict", trained, *images, "-o", tmp_path / "out", *words) == 2
    assert capfd.readouterr().err.count("medseg: ") == 1
    assert not (tmp_path / "out").exists()


def test_labels_in_a_folder_of_dicom_are_no_images_of_the_next_run(
    trained, tmp_path, command, capfd, monkeypatch
):
    save(slices(hounsfield((24, 20, 16))), tmp_path)
    monkeypatch.chdir(tmp_path)
    for expected in ("lung", "done already"):
        assert command("predict", trained, ".", "-o", "labels", *EXACT) == 0
        told = capfd.readouterr().out
        assert f"{uid('a')}_seg.nii.gz: {expected}" in told
        assert "_seg_seg" not in told
    assert list(rows(tmp_path / "labels")) == [uid("a")]


def test_only_outputs_of_a_case_that_failed_are_left_out_not_its_namesakes(
    trained, images, tmp_path, command, capfd, monkeypatch
):
    (tmp_path / "p.nii.gz").write_bytes(b"no image")
    shutil.copy(images[0], tmp_path / "p_followup.nii.gz")
    monkeypatch.chdir(tmp_path)
    for expected in ("lung", "done already"):
        assert command("predict", trained, ".", "-o", ".", *EXACT) == 1
        assert f"p_followup_seg.nii.gz: {expected}" in capfd.readouterr().out


def test_an_image_that_is_given_twice_is_predicted_once(trained, images, tmp_path, command, capfd):
    twice = (images[0], *images[:2])
    assert command("predict", trained, *twice, "-o", tmp_path, "--dry-run") == 0
    assert len(capfd.readouterr().out.splitlines()) == 2


def test_an_image_that_is_gone_stops_no_other_and_its_label_stays_told(
    trained, images, tmp_path, command, capfd
):
    own = [shutil.copy(image, tmp_path) for image in images[:2]]
    out = tmp_path / "out"
    assert command("predict", trained, own[0], "-o", out, *EXACT) == 0
    before = contents(out)
    gone = Path(own[0]).rename(tmp_path / "aside")
    assert command("predict", trained, *own, "-o", out, *EXACT) == 1
    told = capfd.readouterr()
    assert "phantom_000.nii.gz: not there" in told.err
    assert "phantom_001_seg.nii.gz: lung" in told.out
    assert set(rows(out)) == {"phantom_000", "phantom_001"}
    assert contents(out)["phantom_000_seg.nii.gz"] == before["phantom_000_seg.nii.gz"]
    gone.rename(own[0])
    assert command("predict", trained, *own, "-o", out, *EXACT) == 0
    assert capfd.readouterr().out.count("done already") == 2


def test_another_expression_is_another_prediction(trained, images, tmp_path, command, capfd):
    for share in ("$1/4", "$2/4"):
        words = ("--set", f"overlap={share}", "--overwrite", *EXACT)
        assert command("predict", trained, images[0], "-o", tmp_path, *words) == 0
        assert "done already" not in capfd.readouterr().out
    far = f"$0.25 if '{tmp_path}/{'long' * 100}' else 0"
    words = ("--set", f"overlap={far}", "--overwrite", *EXACT)
    assert command("predict", trained, images[0], "-o", tmp_path, *words) == 0
    assert str(tmp_path) not in (tmp_path / "summary.json").read_text()
