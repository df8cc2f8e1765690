"""A bundle opened once: the same labels as by MONAI's runner, and one line for what cannot be."""

import nibabel
import numpy as np
import pytest
import SimpleITK
import torch

from medseg.bundles import open_predictor, run_bundle
from medseg.data import Volume, read_dicom_series, read_volume
from medseg.errors import DataError, UsageError
from medseg.inference.activation_memory import peak_activation_bytes
from medseg.inference.forecast import forecast
from tests.data.dicom.builders import save, slices, uid

PLAIN = {"engine": "torch", "precision": "fp32"}


@pytest.fixture(scope="module")
def predictor(trained):
    return open_predictor(trained, overrides=PLAIN)


def test_labels_are_those_of_monais_runner(predictor, trained, phantoms, tmp_path):
    image = phantoms / "images" / "phantom_003.nii.gz"
    run_bundle(
        trained,
        configs=["inference"],
        run_id="inferring",
        overrides={"datalist": [str(image)], "output_dir": str(tmp_path), **PLAIN},
        log="quiet",
    )
    theirs = nibabel.load(tmp_path / "phantom_003_seg.nii.gz")
    volume = read_volume(image)
    ours = predictor.label(predictor.prepare(volume))
    np.testing.assert_array_equal(ours.array, np.asarray(theirs.dataobj))
    np.testing.assert_allclose(ours.affine, volume.affine)


def test_a_dicom_series_by_monais_runner_gets_the_label_of_its_nifti(trained, dicom_twin, tmp_path):
    series, nifti = dicom_twin
    for name, image in (("dicom", series), ("nifti", nifti)):
        run_bundle(
            trained,
            configs=["inference"],
            run_id="inferring",
            overrides={"datalist": [str(image)], "output_dir": str(tmp_path / name), **PLAIN},
            log="quiet",
        )
    labels = [
        np.asarray(nibabel.load(next((tmp_path / name).glob("*_seg.nii.gz"))).dataobj)
        for name in ("dicom", "nifti")
    ]
    np.testing.assert_array_equal(*labels)


@pytest.mark.parametrize("kind", ["a.nrrd", "b.mha", "series"])
def test_monais_runner_finds_what_predict_finds_and_names_labels_like_it(
    kind, trained, dicom_twin, tmp_path
):
    series, nifti = dicom_twin
    given = tmp_path / "given"
    if kind == "series":
        given, name = series, f"{uid('a')}_seg.nii.gz"
    else:
        given.mkdir()
        SimpleITK.WriteImage(SimpleITK.ReadImage(str(nifti)), str(given / kind))
        name = f"{kind[0]}_seg{kind[1:]}"
    for folder, image in (("found", given), ("nifti", nifti)):
        run_bundle(
            trained,
            configs=["inference"],
            run_id="inferring",
            overrides={
                **({"dataset_dir": str(image)} if image.is_dir() else {"datalist": [str(image)]}),
                "output_dir": str(tmp_path / folder),
                **PLAIN,
            },
            log="quiet",
        )
    assert [path.name for path in (tmp_path / "found").iterdir()] == [name]
    found, expected = (
        read_volume(path, where="label")
        for path in (tmp_path / "found" / name, tmp_path / "nifti" / "twin_seg.nii.gz")
    )
    np.testing.assert_array_equal(found.array, expected.array)
    np.testing.assert_allclose(found.affine, expected.affine, atol=1e-4)


@pytest.fixture
def dicom_twin(phantoms, tmp_path):
    """One phantom as a DICOM series and as a NIfTI file in the series' grid."""
    array = np.asarray(nibabel.load(phantoms / "images" / "phantom_003.nii.gz").dataobj)
    folder = save(slices(array.astype(np.int16)), tmp_path / "series")
    volume = read_dicom_series(folder)
    nifti = tmp_path / "twin.nii.gz"
    nibabel.Nifti1Image(volume.array, volume.affine).to_filename(nifti)
    return folder, nifti


def test_preparing_leaves_the_volume_as_it_is(predictor):
    array = np.random.default_rng(0).normal(-500, 300, (9, 8, 7)).astype(np.float32)
    volume = Volume(array.copy(), np.diag([8.0, 8, 12, 1]), (8.0, 8.0, 12.0), "float32")
    predictor.prepare(volume)
    np.testing.assert_array_equal(volume.array, array)


@pytest.fixture
def prepared(predictor):
    volume = Volume(np.zeros((48, 32, 16), np.int16), np.diag([8.0, 8, 12, 1]), (8, 8, 12), "int16")
    return predictor.prepare(volume)


VOXELS = 48 * 32 * 16
# Three classes and the weights; a window deep, and what is made of eight slices.
SLABS = 4 * (32 + 3 * 8) * 32 * 16


def test_the_forecast_counts_windows_and_memory(predictor, prepared):
    forecast = predictor.forecast(prepared)
    assert (forecast.windows, forecast.window) == (2, (32, 32, 16))
    activations = peak_activation_bytes(predictor.network, (1, 1, 32, 32, 16))
    assert forecast.ram_bytes == 4 * (VOXELS + SLABS) + activations + VOXELS * (4 + 1)
    assert forecast.gpu_bytes is None
    assert forecast.describe() == "up to 2 windows of 32 x 32 x 16, 2 MB of memory"


def test_the_forecast_for_a_gpu_tells_both_memories_apart(predictor, prepared):
    known = forecast(
        predictor.inferer, prepared, predictor.network, classes=3, device=torch.device("cuda")
    )
    activations = peak_activation_bytes(predictor.network, (1, 1, 32, 32, 16))
    assert known.gpu_bytes == 4 * (VOXELS + SLABS) + activations
    assert known.ram_bytes == 4 * VOXELS + VOXELS * (4 + 1)


class Looks(torch.nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


def test_the_forecast_says_what_it_does_not_know(predictor, prepared):
    known = forecast(predictor.inferer, prepared, Looks(), classes=3, device=torch.device("cpu"))
    assert known.ram_bytes == 4 * (VOXELS + SLABS) + VOXELS * (4 + 1)
    assert known.describe().endswith("1 MB of memory beside the network's")


def test_classes_come_with_the_codes_of_the_bundles_manifest(predictor):
    assert predictor.class_names == ("background", "lung", "infection")
    assert [label.snomed for label in predictor.labels] == [None, "39607008", "52988006"]
    assert predictor.part_of == {"infection": "lung"}


def test_weights_are_loaded_once_and_the_engine_opened_once(predictor, monkeypatch):
    volume = Volume(np.zeros((9, 8, 7), np.int16), np.diag([8.0, 8, 12, 1]), (8, 8, 12), "int16")
    image = predictor.prepare(volume)
    predictor.label(image)
    engine = predictor.inferer._opened
    predictor.label(image)
    assert predictor.inferer._opened is engine


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pairs": ["datalist=[x]"]}, "datalist: this command sets it"),
        ({"pairs": ["engine=torch"], "overrides": PLAIN}, "engine: this command sets it"),
        ({"pairs": ["overlap=2"]}, "overlap must be in"),
        ({"overrides": {"motor": "v8"}}, "its inference config has no motor"),
        (
            {"pairs": ["preprocessing_steps=[]"]},
            "the first of preprocessing_steps must be LoadImaged",
        ),
    ],
)
def test_what_cannot_be_is_one_line(arguments, message, trained):
    with pytest.raises(UsageError, match=message):
        open_predictor(trained, **arguments)


def test_an_inferer_that_gives_no_labels_is_refused(trained):
    logits = {"_target_": "SlidingWindowInferer", "roi_size": [32, 32, 16]}
    predictor = open_predictor(trained, overrides={"inferer": logits})
    volume = Volume(np.zeros((9, 8, 7), np.int16), np.diag([8.0, 8, 12, 1]), (8, 8, 12), "int16")
    assert predictor.forecast(predictor.prepare(volume)) is None
    with pytest.raises(UsageError, match="must return labels"):
        predictor.label(predictor.prepare(volume))


def test_missing_weights_are_named(trained, tmp_path):
    with pytest.raises(DataError, match="no weights there"):
        open_predictor(trained, weights=tmp_path / "none.safetensors")
