"""What names of images and of outputs promise."""

from pathlib import Path

import pytest

from medseg.data.images.naming import (
    image_stem,
    is_nifti,
    is_picture,
    label_path,
    nifti_or_pictures,
    overlay_path,
)


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
    assert overlay_path("out", "in/scan.NII") == Path("out/scan_overlay.png")


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
    assert nifti_or_pictures(pictures) == pictures[:2]
    assert nifti_or_pictures([*pictures, Path("c.nii")]) == [Path("c.nii")]
