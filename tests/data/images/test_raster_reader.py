"""RasterReader within MONAI's LoadImaged, as recipes use it."""

import numpy as np
import pytest
from monai.transforms import Compose, LoadImaged
from PIL import Image

from medseg.data.images.raster_reader import RasterReader
from medseg.data.problems import InputError
from medseg.errors import UsageError, user_error

READER = "medseg.data.RasterReader"
GREY = np.arange(24, dtype=np.uint8).reshape(4, 6)


def load(path, **options):
    step = LoadImaged(
        keys="image", reader=READER, image_only=True, ensure_channel_first=True, **options
    )
    return Compose([step])({"image": path})["image"]


def test_an_image_has_channels_then_rows_then_columns(tmp_path):
    colours = np.stack([GREY, GREY + 50, GREY + 100], axis=-1)
    Image.fromarray(colours).save(tmp_path / "a.png")
    image = load(tmp_path / "a.png")
    assert image.shape == (3, 4, 6)
    assert (image.numpy() == np.moveaxis(colours, -1, 0)).all()
    assert image.meta["filename_or_obj"] == str(tmp_path / "a.png")
    assert image.meta["spatial_shape"].tolist() == [4, 6]


def test_a_grey_image_gets_its_channel(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.tif")
    assert load(tmp_path / "a.tif").shape == (1, 4, 6)
    assert load(tmp_path / "a.tif", content="rgb").shape == (3, 4, 6)


def test_several_files_are_the_channels_of_one_image(tmp_path):
    paths = [tmp_path / name for name in ("dapi.png", "phase.png")]
    for number, path in enumerate(paths):
        Image.fromarray(GREY + number).save(path)
    assert (load(paths).numpy() == np.stack([GREY, GREY + 1])).all()


def test_an_error_comes_out_in_one_line(tmp_path):
    (tmp_path / "a.png").write_text("no image")
    with pytest.raises(RuntimeError) as caught:
        load(tmp_path / "a.png")
    assert "cannot be read as an image" in str(user_error(caught.value))


def test_channels_of_different_size_are_refused(tmp_path):
    paths = [tmp_path / name for name in ("a.png", "b.png")]
    for path, array in zip(paths, (GREY, GREY[:3]), strict=True):
        Image.fromarray(array).save(path)
    reader = RasterReader()
    with pytest.raises(InputError, match=r"b.png: has shape \(3, 6\), .*a.png has \(4, 6\)"):
        reader.get_data(reader.read(paths))


def test_other_files_are_left_to_other_readers():
    reader = RasterReader()
    assert reader.verify_suffix(["a.PNG", "b.tiff"])
    assert not reader.verify_suffix("a.nii.gz")
    with pytest.raises(UsageError, match="use another reader"):
        reader.read("a.nii.gz")


def test_a_wrong_word_is_refused():
    with pytest.raises(UsageError, match="content must be one of any, grey, rgb, label, got 'x'"):
        RasterReader(content="x")
