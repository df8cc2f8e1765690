"""What a DICOM series is refused for, in one line that names the slices."""

import numpy as np
import pydicom
import pytest

from medseg.data.dicom.find import find_dicom_series
from medseg.data.dicom.series import read_dicom_series
from medseg.data.problems import InputError
from tests.data.dicom.builders import (
    AFFINE,
    enhanced,
    hounsfield,
    identify,
    item,
    rotated,
    save,
    slices,
    uid,
)


def assert_refused(folder, match, **words):
    with pytest.raises(InputError, match=match) as info:
        read_dicom_series(folder, **words)
    message = str(info.value)
    assert "\n" not in message
    assert str(folder) not in message
    return message


def test_two_files_of_one_slice_count_once(tmp_path):
    made = slices(hounsfield())
    volume = read_dicom_series(save([*made, made[3], made[7]], tmp_path))
    np.testing.assert_array_equal(volume.array, hounsfield())
    assert volume.facts.copies_left_out == 2


def test_slices_without_a_uid_are_no_copies_of_each_other(tmp_path):
    save(slices(hounsfield()), tmp_path)
    for path in tmp_path.iterdir():
        ds = pydicom.dcmread(path)
        del ds.SOPInstanceUID
        ds.save_as(path)
    assert read_dicom_series(tmp_path).facts.copies_left_out == 0


def test_two_files_with_one_uid_and_other_values_are_refused(tmp_path):
    made, others = slices(hounsfield()), slices(hounsfield(seed=1))
    save([*made, others[3]], tmp_path)
    assert_refused(tmp_path, "files with the same SOPInstanceUID differ: instances 4, 4; export")


def test_slices_in_one_place_are_refused_by_their_numbers(tmp_path):
    made = slices(hounsfield())
    twice = slices(hounsfield())[3]
    identify(twice, twice.SOPClassUID, "another")
    twice.InstanceNumber = 11
    save([*made, twice], tmp_path)
    assert_refused(
        tmp_path, "2 slices share their place with another: instances 4, 11; export one time"
    )


def test_two_time_points_in_one_series_are_refused(tmp_path):
    later = slices(hounsfield(seed=1))
    for k, ds in enumerate(later):
        identify(ds, ds.SOPClassUID, f"later {k}")
        ds.InstanceNumber = 11 + k
    save([*slices(hounsfield()), *later], tmp_path)
    assert_refused(
        tmp_path, "20 slices share their place .* instances 1, 11, 2, 12, .* and 12 more"
    )


def test_frames_in_one_place_are_refused_by_their_numbers(tmp_path):
    save([enhanced(hounsfield(), order=[0, 1, 2, 3, 3])], tmp_path)
    assert_refused(tmp_path, "2 slices share their place with another: instances 4, 5")


def test_mixed_orientations_are_refused_by_the_fewer(tmp_path):
    made = slices(hounsfield())
    turned = slices(hounsfield(), rotated((90, 0, 0)))
    save([*made[:8], *turned[8:]], tmp_path)
    assert_refused(tmp_path, "its slices differ in orientation: instances 9, 10 from the others")


def test_mixed_sizes_and_spacings_are_refused_by_the_fewer(tmp_path):
    made, large = slices(hounsfield()), slices(hounsfield((8, 6, 10)))
    save([large[0], *made[1:]], tmp_path / "size")
    assert_refused(tmp_path / "size", "its slices differ in size: instances 1 from the others")
    made[4].PixelSpacing = [1.5, 2.1]
    save(made, tmp_path / "spacing")
    assert_refused(tmp_path / "spacing", "differ in pixel spacing: instances 5 from the others")


def test_a_scout_inside_a_series_is_left_out_and_counted(tmp_path):
    made = slices(hounsfield())
    scout = slices(hounsfield((20, 9, 1)), rotated((90, 0, 0)))[0]
    identify(scout, scout.SOPClassUID, "scout")
    scout.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    volume = read_dicom_series(save([scout, *made], tmp_path))
    np.testing.assert_array_equal(volume.array, hounsfield())
    assert volume.facts.scouts_left_out == 1


def test_a_series_of_scouts_is_refused(tmp_path):
    made = slices(hounsfield((7, 6, 2)))
    for ds in made:
        ds.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    assert_refused(save(made, tmp_path), "holds localizers")


def test_colours_are_refused(tmp_path):
    made = slices(hounsfield())
    for ds in made:
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
        ds.PixelData = bytes(7 * 6 * 3)
    assert_refused(save(made, tmp_path), r"holds colours \(RGB or a palette\); export")


def test_a_palette_is_refused(tmp_path):
    made = slices(hounsfield())
    for ds in made:
        ds.PhotometricInterpretation = "PALETTE COLOR"
    assert_refused(save(made, tmp_path), "holds colours")


def test_a_lookup_table_is_refused(tmp_path):
    made = slices(hounsfield())
    for ds in made:
        table = item(LUTDescriptor=[2, 0, 16], ModalityLUTType="US", LUTData=bytes(4))
        ds.ModalityLUTSequence = [table]
    assert_refused(save(made, tmp_path), "its values pass through a lookup table")


@pytest.mark.parametrize("modality", ["SEG", "RTDOSE", "PR", "SR"])
def test_what_is_no_image_is_refused_with_what_it_is(tmp_path, modality):
    made = slices(hounsfield(), modality=modality)
    assert_refused(save(made, tmp_path), rf"holds no images \({modality}\)")


def test_slices_without_geometry_are_refused(tmp_path):
    made = slices(hounsfield())
    for ds in made:
        del ds.ImagePositionPatient
    assert_refused(save(made, tmp_path), "its slices do not say where they lie")


@pytest.mark.parametrize(
    "keyword", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"]
)
def test_one_slice_without_geometry_is_refused_by_its_number(tmp_path, keyword):
    made = slices(hounsfield())
    delattr(made[3], keyword)
    assert_refused(save(made, tmp_path), "slices do not say where they lie: instances 4; export")


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("ImageOrientationPatient", ["1", "0", "0", "1", "0", "0"]),
        ("ImageOrientationPatient", ["0", "0", "0", "0", "0", "0"]),
        ("PixelSpacing", ["0", "1"]),
    ],
)
def test_an_invalid_geometry_is_refused(tmp_path, keyword, value):
    made = slices(hounsfield())
    for ds in made:
        setattr(ds, keyword, value)
    assert_refused(save(made, tmp_path), "its ImageOrientationPatient is not orthogonal")


def test_one_slice_without_thickness_is_refused(tmp_path):
    made = slices(hounsfield((7, 6, 1)))
    del made[0].SliceThickness
    assert_refused(
        save(made, tmp_path), "one slice that does not say how thick it is; give a series"
    )


# The first or the last slice is missed by nobody who does not know how many there were.
@pytest.mark.parametrize("damaged", [0, 3, 9])
@pytest.mark.parametrize("kept", [0, 150, 300, 420])
def test_a_slice_cut_off_in_its_header_is_refused(tmp_path, damaged, kept):
    path = save(slices(hounsfield()), tmp_path) / f"{damaged:03d}.dcm"
    path.write_bytes(path.read_bytes()[:kept])
    assert_refused(tmp_path, "1 of 10 files are damaged|do not say where they lie: instances")


@pytest.mark.parametrize("damaged", [0, 3, 9])
def test_a_slice_cut_off_in_its_pixels_is_refused_by_its_number(tmp_path, damaged):
    path = save(slices(hounsfield()), tmp_path) / f"{damaged:03d}.dcm"
    path.write_bytes(path.read_bytes()[:-20])
    assert_refused(
        tmp_path, f"pixels are damaged or truncated: instances {damaged + 1}; copy or export"
    )


@pytest.mark.parametrize("syntax", [pydicom.uid.RLELossless, pydicom.uid.JPEGLSLossless])
def test_a_compressed_slice_cut_off_is_refused_by_its_number(tmp_path, syntax):
    made = slices(hounsfield((40, 36, 3)))
    for ds in made:
        ds.compress(syntax)
    path = save(made, tmp_path) / "001.dcm"
    path.write_bytes(path.read_bytes()[:-400])
    assert_refused(tmp_path, "damaged or truncated: instances 2")


def test_a_compression_without_decoder_is_refused(tmp_path):
    made = slices(hounsfield())
    for ds in made:
        ds.compress(pydicom.uid.RLELossless)
        ds.file_meta.TransferSyntaxUID = pydicom.uid.HTJ2KLossless
    assert_refused(save(made, tmp_path), "unsupported compression")


def test_a_truncated_multi_frame_file_is_refused(tmp_path):
    path = save([enhanced(hounsfield())], tmp_path) / "000.dcm"
    path.write_bytes(path.read_bytes()[:-100])
    assert_refused(path, "damaged or truncated: instances")


def test_only_damaged_files_are_refused(tmp_path):
    path = save(slices(hounsfield((7, 6, 1))), tmp_path) / "000.dcm"
    path.write_bytes(path.read_bytes()[:200])
    assert_refused(tmp_path, "all DICOM files are damaged")


def test_another_modality_is_refused(tmp_path):
    save(slices(hounsfield(), modality="MR"), tmp_path)
    assert read_dicom_series(tmp_path, modality="MR").facts.modality == "MR"
    message = assert_refused(
        tmp_path, "its modality is MR, required is CT; use a CT series", modality="CT"
    )
    assert uid("a") in message


def test_the_summary_needs_no_even_stack(tmp_path):
    made = slices(hounsfield(), AFFINE)
    (series,) = find_dicom_series(save([made[k] for k in (0, 1, 2, 5, 6)], tmp_path))
    assert series.spacing_mm == pytest.approx((2, 1.5, 2.5))


@pytest.mark.parametrize(
    ("keyword", "value", "told"),
    [
        ("StudyInstanceUID", "1.2.3", r"study \(StudyInstanceUID\)"),
        (
            "SOPClassUID",
            pydicom.uid.PositronEmissionTomographyImageStorage,
            r"kind \(SOPClassUID\)",
        ),
        ("ConvolutionKernel", "B80f", r"reconstruction \(ConvolutionKernel\)"),
    ],
)
def test_slices_of_two_patients_kinds_or_reconstructions_are_no_stack(
    tmp_path, keyword, value, told
):
    made = slices(hounsfield())
    for ds in made[8:]:
        setattr(ds, keyword, value)
    assert_refused(
        save(made, tmp_path), f"its slices differ in {told}: instances 9, 10 from the others"
    )


def test_a_slice_without_rescale_among_others_is_refused(tmp_path):
    made = slices(hounsfield())
    del made[3].RescaleSlope, made[3].RescaleIntercept
    told = "its slices differ in whether they state RescaleSlope: instances 4 from the others"
    assert_refused(save(made, tmp_path), told)
