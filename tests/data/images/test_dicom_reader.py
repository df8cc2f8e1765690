"""MONAI's LoadImaged with our reader: the same volume as from NIfTI, and no second opinion."""

import pickle

import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset
from monai.transforms import Compose, LoadImaged, Orientationd

from medseg.data import DicomSeriesReader
from medseg.data.dicom.series import read_dicom_series
from medseg.errors import DataError, user_error
from tests.data.builders import an_image, write_nifti
from tests.data.dicom.builders import (
    AFFINE,
    enhanced,
    hounsfield,
    rotated,
    save,
    slices,
    tilted,
    uid,
)

READER = "medseg.data.DicomSeriesReader"


def load(path, reader=READER, **settings):
    steps = [
        LoadImaged(keys="image", reader=reader, ensure_channel_first=True, **settings),
        Orientationd(keys="image", axcodes="RAS", labels=None),
    ]
    return Compose(steps)({"image": str(path)})["image"]


@pytest.mark.parametrize("angles", [(0, 0, 0), (90, 10, 5), (3, 88, 170)])
def test_a_series_loads_as_its_nifti_does(tmp_path, angles):
    affine = rotated(angles)
    series = load(save(slices(hounsfield(), affine), tmp_path / "ct"))
    flipped = hounsfield()[:, ::-1, ::-1]
    turn = affine @ [[1, 0, 0, 0], [0, -1, 0, 5], [0, 0, -1, 9], [0, 0, 0, 1]]
    nifti = load(write_nifti(tmp_path / "a.nii.gz", flipped, turn), "NibabelReader")
    assert torch.equal(series.as_tensor(), nifti.as_tensor())
    assert series.dtype == nifti.dtype
    np.testing.assert_allclose(series.affine, nifti.affine, atol=1e-4)


@pytest.mark.data
def test_a_real_series_loads_as_its_nifti_does(real_data):
    folder = real_data / "chest_ct/ibsi1-phantom"
    series = load(folder / "dicom/image")
    nifti = load(folder / "nifti/image/phantom.nii.gz", "NibabelReader")
    assert torch.equal(series.as_tensor(), nifti.as_tensor())
    np.testing.assert_allclose(series.affine, nifti.affine, atol=1e-4)


def test_a_reference_and_a_multi_frame_file_load(tmp_path):
    save(slices(hounsfield()), tmp_path / "tree/a")
    save(slices(hounsfield((5, 4, 3)), series="b"), tmp_path / "tree/b")
    assert load(f"{tmp_path}/tree#{uid('b')}").shape == (1, 5, 4, 3)
    save([enhanced(hounsfield())], tmp_path / "frames")
    assert load(tmp_path / "frames/000.dcm").shape == (1, 7, 6, 10)


# MONAI's own readers would all take this series, and place it wrongly.
@pytest.mark.parametrize(
    ("affine", "kept", "match"),
    [(tilted(20), range(10), "tilted by 20.00 degrees"), (AFFINE, [0, 1, 5], "3 slices are missi")],
)
def test_what_is_refused_is_given_to_no_other_reader(tmp_path, affine, kept, match):
    made = slices(hounsfield(), affine)
    save([made[k] for k in kept], tmp_path)
    assert load(tmp_path, "PydicomReader").shape[0] == 1
    with pytest.raises(RuntimeError) as info:
        load(tmp_path)
    error = user_error(info.value)
    assert isinstance(error, DataError)
    assert match in str(error)


def test_words_allow_tilt_and_gaps_and_the_metadata_says_so(tmp_path):
    made = slices(hounsfield(), tilted(20))
    save([*made[:4], *made[5:]], tmp_path)
    reader = DicomSeriesReader(tilt="resample", gaps="interpolate")
    loaded = load(tmp_path, reader)
    assert loaded.meta["dicom_series_uid"] == uid("a")
    assert loaded.meta["dicom_modality"] == "CT"
    assert loaded.meta["dicom_tilt_degrees"] == pytest.approx(20)
    assert loaded.meta["dicom_interpolated"] == "4"
    expected = read_dicom_series(tmp_path, tilt="resample", gaps="interpolate")
    assert loaded[0].shape == expected.array.shape


def test_the_modality_is_checked(tmp_path):
    save(slices(hounsfield(), modality="MR"), tmp_path)
    with pytest.raises(RuntimeError) as info:
        load(tmp_path, DicomSeriesReader(modality="CT"))
    assert "its modality is MR, required is CT" in str(user_error(info.value))


def test_series_can_be_batched_by_worker_processes(tmp_path):
    paths = [save(slices(hounsfield(seed=s)), tmp_path / str(s)) for s in range(2)]
    transform = LoadImaged(keys="image", reader=READER, ensure_channel_first=True)
    items = [{"image": str(path)} for path in paths]
    loader = DataLoader(Dataset(items, transform), batch_size=2, num_workers=1)
    (batch,) = list(loader)
    assert batch["image"].shape == (2, 1, 7, 6, 10)
    np.testing.assert_array_equal(batch["image"][1, 0], hounsfield(seed=1))


def test_other_files_go_to_the_next_reader(tmp_path):
    path = write_nifti(tmp_path / "a.nii.gz", an_image())
    loaded = load(path, ["NibabelReader", READER])
    np.testing.assert_array_equal(loaded[0], an_image())
    assert not DicomSeriesReader().verify_suffix(path)
    with pytest.raises(ValueError, match="not a DICOM folder, zip or file; use another"):
        DicomSeriesReader().read(path)


def test_several_paths_for_one_image_are_its_channels_and_so_have_to_show_one_place(tmp_path):
    save(slices(hounsfield()), tmp_path)
    reader = DicomSeriesReader()
    pending = reader.read(sorted(tmp_path.glob("*.dcm"))[:2])
    with pytest.raises(DataError, match="shows another place than DICOM series"):
        reader.get_data(pending)


def test_a_reader_and_what_it_notes_can_be_pickled(tmp_path):
    reader = pickle.loads(pickle.dumps(DicomSeriesReader(tilt="resample")))
    assert reader.tilt == "resample"
    assert pickle.loads(pickle.dumps(reader.read(tmp_path))) == reader.read(tmp_path)


@pytest.mark.parametrize("words", [{"tilt": "allow"}, {"gaps": "yes"}])
def test_unknown_words_are_refused(words):
    with pytest.raises(ValueError, match="must be one of"):
        DicomSeriesReader(**words)
