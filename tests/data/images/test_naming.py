"""What names of images and of outputs promise."""

from pathlib import Path

import pytest

from medseg.data.images.naming import (
    FORMATS,
    image_format,
    image_stem,
    images_among,
    is_nifti,
    is_picture,
    label_path,
    without_outputs,
)
from medseg.data.output_names import ENDINGS


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("scan.nii.gz", "scan"),
        ("scan.nii", "scan"),
        ("SCAN.NII.GZ", "SCAN"),
        ("p.01_ct 2.nii.gz", "p.01_ct 2"),
        ("series_7", "series_7"),
        ("t031.TIF", "t031"),
        ("GT2012915-1-400-004.png", "GT2012915-1-400-004"),
    ],
)
def test_a_stem_is_the_name_without_suffixes_in_any_case(name, stem):
    assert image_stem(Path("a.nii") / name) == stem


def test_outputs_are_named_after_their_image():
    assert label_path("out", "in/scan.NII") == Path("out/scan_seg.nii.gz")


def test_labels_of_volumes_are_in_the_format_of_the_image():
    assert label_path("out", "in/scan.NHDR") == Path("out/scan_seg.nrrd")
    assert label_path("out", "in/scan.mhd") == Path("out/scan_seg.mha")


def test_no_two_formats_share_a_suffix_and_each_label_can_be_read():
    suffixes = [suffix for one in FORMATS for suffix in one.suffixes]
    assert len(suffixes) == len(set(suffixes))
    for one in FORMATS:
        assert all(image_format(f"a{suffix.upper()}") is one for suffix in one.suffixes)
        assert set(one.detached) <= set(one.suffixes)
        assert image_format(f"a{one.label}").kind == one.kind


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_output_is_left_out_beside_its_image_and_alone_it_may_be_an_image(ending):
    images = [Path("a/scan.nrrd"), Path(f"b/scan{ending}.nii.gz"), Path(f"other{ending}.nii")]
    assert without_outputs(images) == [images[0], images[2]]


def test_hidden_files_and_other_suffixes_are_no_images():
    names = ["a.nii", "a.nii.gz", "A.NII", "._a.nii", ".1234.a.nii.gz", "a.gz", "a.nii.txt"]
    assert [name for name in names if is_nifti(Path(name))] == ["a.nii", "a.nii.gz", "A.NII"]


def test_labels_of_pictures_are_pictures():
    assert label_path("out", "in/t002.TIFF") == Path("out/t002_seg.tif")
    assert label_path("out", "in/slide.jpg") == Path("out/slide_seg.png")
    assert label_path("out", "case.01") == Path("out/case.01_seg.nii.gz")


def test_overlays_and_hidden_files_are_no_pictures():
    names = ["a.png", "b.TIF", "a_overlay.png", "._a.png", "a.nii.gz", "png"]
    assert [name for name in names if is_picture(Path(name))] == ["a.png", "b.TIF"]


def test_pictures_count_where_there_are_no_volumes():
    pictures = [Path("a.png"), Path("b.tif"), Path("a_overlay.png")]
    assert images_among(pictures) == pictures[:2]
    volumes = [Path("c.nii"), Path("d.NRRD"), Path("e.mhd")]
    assert images_among([*pictures, *volumes]) == volumes
