"""The golden case says whether a bundle does what it did where it was packed."""

import json
import shutil

import numpy as np
import pytest

from medseg.bundles import open_predictor
from medseg.data import read_volume
from medseg.data.digest import file_sha256, voxels_sha256
from medseg.errors import DataError
from medseg.inference.engines.openvino_runtime import has_openvino
from medseg.inference.save import save_label
from medseg.sharing.golden.golden import GoldenCase, least_dsc, write_golden
from medseg.sharing.golden.trial import EngineTrial, Trial, try_bundle
from medseg.sharing.golden.unpacked import unpacked
from tests.sharing.small_bundle import write_zip

CLASSES = ("background", "lung", "infection")


def write_case(bundle, label=None, least=None):
    """The golden case of a bundle in its `golden/`, with the label that it gives or another."""
    golden = bundle / "golden"
    predictor = open_predictor(bundle, overrides={"engine": "torch", "precision": "fp32"})
    volume = read_volume(golden / "image.nii.gz")
    if label is None:
        label = predictor.label(predictor.prepare(volume)).array
    save_label(golden / "label.nii.gz", label, volume.affine)
    case = GoldenCase(
        image="image.nii.gz",
        image_sha256=file_sha256(golden / "image.nii.gz"),
        label="label.nii.gz",
        label_sha256=file_sha256(golden / "label.nii.gz"),
        voxels_sha256=voxels_sha256(label),
        classes=CLASSES,
        weights_sha256=predictor.provenance.tensors_sha256,
        made_with={"medseg": "0.1.0"},
        least_dsc={**least_dsc(), **(least or {})},
        origin="a phantom",
        licence="CC0-1.0",
    )
    (golden / "case.json").write_bytes(write_golden(case))
    return label


@pytest.fixture(scope="module")
def packed(trained, phantoms, tmp_path_factory):
    """The trained bundle with a golden case, and the label of it."""
    bundle = tmp_path_factory.mktemp("packed") / trained.name
    shutil.copytree(trained, bundle, ignore=shutil.ignore_patterns("eval"))
    (bundle / "golden").mkdir()
    shutil.copy(phantoms / "images" / "phantom_003.nii.gz", bundle / "golden" / "image.nii.gz")
    label = write_case(bundle)
    # Else the comparisons would be of nothing.
    assert set(np.unique(label)) >= {0, 1}
    return bundle, label


@pytest.fixture
def bundle(packed, tmp_path):
    return shutil.copytree(packed[0], tmp_path / packed[0].name)


def test_torch_gives_the_very_label_again(packed):
    found = try_bundle(packed[0], engine="torch", precision="fp32")
    (one,) = found.engines
    assert (one.engine, one.outcome, found.passed) == ("torch fp32", "same", True)
    assert one.dsc == {"lung": 1.0, "infection": 1.0}


@pytest.mark.skipif(not has_openvino(), reason="openvino is not installed")
def test_every_engine_that_a_prediction_would_try_is_tried(packed):
    found = try_bundle(packed[0], precision="fp32")
    assert [one.engine for one in found.engines] == ["openvino fp32", "torch fp32"]
    assert found.passed


def half_forgotten(label):
    other = label.copy()
    other[: label.shape[0] // 2] = 0
    return other


def test_another_label_is_told_by_the_dice_of_its_classes(bundle, packed):
    expected = half_forgotten(packed[1])
    write_case(bundle, expected)
    found = try_bundle(bundle, engine="torch", precision="fp32")
    (one,) = found.engines
    assert (one.outcome, found.passed) == ("far", False)
    # The expected label is part of the one that is given: 2 n / (n + m).
    n, m = (expected == 1).sum(), (packed[1] == 1).sum()
    assert one.dsc["lung"] == pytest.approx(2 * n / (n + m))


def test_the_tolerance_is_that_of_the_engine(bundle, packed):
    thinned = packed[1].copy()
    thinned[::16] = 0
    # A sixteenth of a class: 2 * 15/16 / (15/16 + 1) = 0.97.
    write_case(bundle, thinned, {"torch fp32": 0.9, "openvino fp32": 1.0})
    assert try_bundle(bundle, engine="torch", precision="fp32").engines[0].outcome == "near"
    write_case(bundle, thinned, {"torch fp32": 1.0, "openvino fp32": 0.9})
    assert try_bundle(bundle, engine="torch", precision="fp32").engines[0].outcome == "far"


def test_a_zip_is_tried_in_a_folder_that_is_gone_afterwards(packed, tmp_path):
    archive = shutil.move(write_zip(packed[0]), tmp_path / "größe 2@x.zip")
    with unpacked(archive) as folder:
        assert try_bundle(folder, engine="torch", precision="fp32").passed
    assert not folder.exists()


def test_a_bundle_without_a_golden_case_cannot_be_tested(trained):
    with pytest.raises(DataError, match="has no golden case"):
        try_bundle(trained)


@pytest.mark.parametrize("name", ["image.nii.gz", "label.nii.gz"])
def test_a_golden_case_whose_files_are_others_is_not_run(name, bundle):
    (bundle / "golden" / name).write_bytes(b"x")
    with pytest.raises(DataError, match=f"{name}: is missing, or another than golden/case.json"):
        try_bundle(bundle)
    (bundle / "golden" / name).unlink()
    with pytest.raises(DataError, match=f"{name}: is missing, or another than golden/case.json"):
        try_bundle(bundle)


def test_weights_that_did_not_make_the_golden_case_are_told(bundle):
    path = bundle / "golden" / "case.json"
    case = json.loads(path.read_text())
    case["weights_sha256"] = "0" * 64
    path.write_text(json.dumps(case))
    with pytest.raises(DataError, match="has other weights than those that its golden case"):
        try_bundle(bundle)


def outcome(word):
    return EngineTrial(engine="torch fp32", outcome=word, dsc={}, least_dsc=1.0)


@pytest.mark.parametrize(
    ("outcomes", "passed"),
    [
        (["same"], True),
        (["near", "same"], True),
        (["same", "far"], False),
        (["not run", "same"], True),
        (["not run"], False),
        ([], False),
    ],
)
def test_a_trial_passes_if_something_ran_and_nothing_was_far(outcomes, passed):
    engines = tuple(map(outcome, outcomes))
    assert Trial(name="a", version="1.0.0", engines=engines).passed is passed
