"""What `medseg data preview` draws, prints, refuses and leaves behind."""

import gzip
import json

import numpy as np
import pytest
from PIL import Image

from tests.conftest import BUNDLE, REPOSITORY
from tests.data.builders import write_nifti

RECIPE = REPOSITORY / "transforms" / "ct_chest.yaml"
SMALL = "patch_size=[16,16,8]", "spacing_mm=[1,1,1]", "--samples", 2


@pytest.fixture
def medseg(command, capsys):
    """Runs the command line; gives exit code, standard output and error."""
    return lambda *words: (command("data", "preview", *words), *capsys.readouterr())


@pytest.fixture
def case(tmp_path):
    """An image and its label."""
    label = np.zeros((20, 22, 12), dtype=np.uint8)
    label[4:12, 6:14, 2:9] = 1
    noise = np.random.default_rng(0).normal(0, 30, label.shape)
    write_nifti(tmp_path / "ct.nii.gz", (800.0 * label - 900 + noise).astype(np.int16))
    write_nifti(tmp_path / "label.nii.gz", label)
    return tmp_path / "ct.nii.gz", tmp_path / "label.nii.gz"


def test_a_picture_is_written_and_every_step_has_its_price(medseg, case, tmp_path):
    picture = tmp_path / "new" / "page.png"
    code, out, err = medseg(RECIPE, *case, *SMALL, "-o", picture)
    assert (code, err) == (0, "")
    with Image.open(picture) as page:
        assert page.size[0] == 2 * 24 + 2 * 440 + 8
    for step in ("LoadImaged", "Spacingd", "ClassVoxelsd", "RandWarpPatchd", "RandGaussianNoised"):
        assert step in out
    assert out.splitlines()[-1] == str(picture)


def test_json_has_the_same_and_nothing_else(medseg, case, tmp_path):
    code, out, err = medseg(RECIPE, *case, *SMALL, "-o", tmp_path / "page.png", "--json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert report["picture"] == str(tmp_path / "page.png")
    assert report["draws"] >= 20
    assert [step["step"] for step in report["once_a_case"]][-1] == "ClassVoxelsd"
    warp = report["each_patch"][0]
    assert warp["step"] == "RandWarpPatchd"
    assert 0 < warp["median_ms"] <= warp["longest_ms"]
    once = sum(step["ms"] for step in report["once_a_case"])
    assert report["once_a_case_total_ms"] == pytest.approx(once)
    assert report["each_patch_total"]["median_ms"] >= warp["median_ms"]


def test_the_same_seed_draws_the_same_picture_another_seed_another(medseg, case, tmp_path):
    pictures = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        pictures.append(tmp_path / f"{name}.png")
        assert medseg(RECIPE, *case, *SMALL, "-o", pictures[-1], "--seed", seed)[0] == 0
    a, b, c = (picture.read_bytes() for picture in pictures)
    assert a == b != c


def test_a_picture_that_is_there_is_kept_unless_told_otherwise(medseg, case, tmp_path):
    picture = tmp_path / "page.png"
    picture.write_text("precious")
    code, out, err = medseg(RECIPE, *case, *SMALL, "-o", picture)
    assert (code, out) == (2, "")
    assert err == f"medseg: {picture} already exists; use --overwrite or another -o\n"
    assert picture.read_text() == "precious"
    assert medseg(RECIPE, *case, *SMALL, "-o", picture, "--overwrite")[0] == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def damage_missing(image, label):
    image.unlink()
    return 3, f"{image}: not there"


def damage_half(image, label):
    label.write_bytes(label.read_bytes()[:-40])
    return 3, f"{label}: cannot be read as NIfTI"


def damage_empty(image, label):
    image.write_bytes(gzip.compress(b""))
    return 3, f"{image}: cannot be read as NIfTI"


def damage_shape(image, label):
    write_nifti(label, np.ones((20, 22, 11), dtype=np.uint8))
    return 3, f"{label}: shape (20, 22, 11) differs from the image's (20, 22, 12)"


def damage_nan(image, label):
    array = np.zeros((20, 22, 12), dtype=np.float32)
    array[10, 10] = np.nan
    write_nifti(image, array)
    return 3, f"{image}: 12 of 5280 voxels are NaN or infinite"


def damage_fractions(image, label):
    write_nifti(label, np.full((20, 22, 12), 0.5, dtype=np.float32))
    return 3, f"{label}: holds values that are not whole numbers: 0.5"


DAMAGES = [
    damage_missing,
    damage_half,
    damage_empty,
    damage_shape,
    damage_nan,
    damage_fractions,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_what_cannot_be_shown_is_one_line_and_nothing_is_written(medseg, case, tmp_path, damage):
    code_told, told = damage(*case)
    before = sorted(tmp_path.iterdir())
    code, out, err = medseg(RECIPE, *case, *SMALL, "-o", tmp_path / "page.png")
    assert (code, out, len(err.splitlines())) == (code_told, "", 1)
    assert told in err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("patchsize=[8,8,8]",), "did you mean patch_size"),
        (("patch_size=[8,8]",), "RandWarpPatchd: spacing_mm must be 2"),
        (("patch_size",), "must be KEY=VALUE"),
        (("-o", "page.jpg"), "page.jpg: the picture is a PNG file"),
        (("centres#foreground=2",), "Centres: foreground must be in [0, 1], got 2"),
        (
            ("keys=[image]", "interpolation=[bilinear]", "label_steps=[]"),
            "the recipe does not load label",
        ),
    ],
)
def test_a_wrong_word_is_one_line_and_2(medseg, case, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    code, out, err = medseg(RECIPE, *case, *words)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert told in err
    assert sorted(tmp_path.iterdir()) == before


def test_a_recipe_is_found_by_its_name_and_one_that_is_not_there_is_told(
    medseg, case, tmp_path, monkeypatch
):
    monkeypatch.chdir(REPOSITORY)
    assert medseg("ct_chest", *case, *SMALL, "-o", tmp_path / "page.png")[0] == 0
    code, _, err = medseg("ct_chst", *case, "-o", tmp_path / "other.png")
    assert code == 2
    assert err.startswith("medseg: transforms/ct_chst.yaml: no such recipe; there is ct_chest")


@pytest.mark.parametrize("given", [BUNDLE, BUNDLE.name, BUNDLE / "configs" / "train.yaml"])
def test_a_bundles_own_recipe_is_previewed_from_any_folder(
    medseg, case, tmp_path, monkeypatch, given
):
    monkeypatch.chdir(tmp_path)
    code, out, err = medseg(given, *case, *SMALL, "-o", tmp_path / "page.png")
    assert (code, err) == (0, "")
    assert "RandWarpPatchd" in out


def test_a_recipe_that_is_not_there_is_refused_with_recipes_and_bundles(
    medseg, case, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    code, _, err = medseg("fundus", *case, "-o", tmp_path / "page.png")
    assert code == 2
    assert "ct_chest" in err
    assert BUNDLE.name in err
