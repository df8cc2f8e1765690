"""What reading a DICOM series promises: every voxel in its place, with its value."""

import warnings

import highdicom
import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.data.dicom.ct_writer import write_ct_series
from medseg.data.dicom.series import read_dicom_series
from medseg.data.problems import InputError
from tests.data.dicom.builders import (
    AFFINE,
    INTERCEPT_HU,
    SHAPE,
    enhanced,
    field_at,
    hounsfield,
    linear_field,
    recode,
    rotated,
    save,
    slices,
    tilted,
)

MAX_ERROR_MM = 0.01


def assert_same(volume, array, affine):
    np.testing.assert_array_equal(volume.array, array)
    assert gap_mm(volume.affine, affine, array.shape) <= MAX_ERROR_MM


def gap_mm(affine, truth, shape):
    """The largest distance between two places of one voxel; it is at a corner."""
    corners = np.stack([*np.indices((2, 2, 2)), np.ones((2, 2, 2))]).reshape(4, -1)
    corners[:3] *= np.array(shape)[:, None] - 1
    return np.linalg.norm(((affine - truth) @ corners)[:3], axis=0).max()


def test_what_was_written_is_read(tmp_path):
    array = hounsfield()
    volume = read_dicom_series(save(slices(array), tmp_path))
    assert_same(volume, array, AFFINE)
    assert volume.array.dtype == np.int16
    assert volume.affine.dtype == np.float64
    assert volume.facts.modality == "CT"
    assert volume.facts.slices == 10
    assert [plane.frame for plane in volume.facts.planes] == [1] * 10


def test_a_series_of_the_phantom_writer_is_read(tmp_path):
    affine = np.diag([2.0, 2.0, 2.5, 1.0])
    write_ct_series(tmp_path, hounsfield(), affine, case="a")
    assert_same(read_dicom_series(tmp_path), hounsfield(), affine)


@given(
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    order=st.permutations(range(SHAPE[2])),
    names=st.permutations(range(SHAPE[2])),
)
def test_any_orientation_numbering_and_naming_gives_the_same_places(
    tmp_path_factory, angles, order, names
):
    folder = tmp_path_factory.mktemp("series")
    array, affine = hounsfield(), rotated(angles)
    made = slices(array, affine)
    for ds, number in zip(made, order, strict=True):
        ds.InstanceNumber = number + 1
    assert_same(read_dicom_series(save([made[k] for k in names], folder)), array, affine)


def test_a_coronal_oblique_series_keeps_its_axes(tmp_path):
    array, affine = hounsfield(), rotated((90, 12, 7))
    assert_same(read_dicom_series(save(slices(array, affine), tmp_path)), array, affine)


def test_each_slice_has_a_slope_and_an_intercept_of_its_own(tmp_path):
    made = slices(hounsfield())
    expected = np.empty(SHAPE, np.float64)
    for k, ds in enumerate(made):
        ds.RescaleSlope, ds.RescaleIntercept = 0.25 * (k + 1), -k
        expected[:, :, k] = (hounsfield()[:, :, k] - float(INTERCEPT_HU)) * 0.25 * (k + 1) - k
    volume = read_dicom_series(save(made, tmp_path))
    assert volume.array.dtype == np.float32
    np.testing.assert_array_equal(volume.array, expected)


def test_whole_slopes_that_fit_stay_whole_numbers(tmp_path):
    made = slices(hounsfield())
    for ds in made:
        ds.RescaleSlope = 3
    volume = read_dicom_series(save(made, tmp_path))
    assert volume.array.dtype == np.int16
    np.testing.assert_array_equal(volume.array, (hounsfield() - INTERCEPT_HU) * 3 + INTERCEPT_HU)


def test_values_beyond_sixteen_bit_become_float(tmp_path):
    made = slices(hounsfield())
    made[2].PixelData = np.full(7 * 6, 65535, "<u2").tobytes()
    volume = read_dicom_series(save(made, tmp_path))
    assert volume.array.dtype == np.float32
    assert (volume.array[:, :, 2] == 65535 + INTERCEPT_HU).all()


def test_decimal_strings_of_more_than_sixteen_characters_lose_nothing(tmp_path):
    made = slices(hounsfield())
    with warnings.catch_warnings(action="ignore"):
        for k, ds in enumerate(made):
            ds.ImagePositionPatient = [f"{v:.21f}" for v in (-40, -30, -20 + 2.5 * k)]
        save(made, tmp_path)
    assert b"-40.000000000000000000000\\-30." in (tmp_path / "000.dcm").read_bytes()
    assert_same(read_dicom_series(tmp_path), hounsfield(), AFFINE)


@pytest.mark.parametrize("order", [range(10), [3, 1, 4, 0, 5, 9, 2, 6, 8, 7]], ids=["even", "odd"])
def test_an_enhanced_multi_frame_file_is_a_volume(tmp_path, order):
    array, affine = hounsfield(), rotated((5, 80, 3))
    slopes = np.ones(10)
    slopes[4] = 0.5
    path = save([enhanced(array, affine, order, slopes)], tmp_path) / "000.dcm"
    for source in (path, tmp_path):
        volume = read_dicom_series(source)
        assert_same(volume, array, affine)
        assert [plane.frame - 1 for plane in volume.facts.planes] == list(np.argsort(order))


def test_a_missing_frame_of_a_multi_frame_file_is_refused(tmp_path):
    save([enhanced(hounsfield(), order=[0, 1, 2, 4, 5, 6, 7, 8, 9])], tmp_path)
    with pytest.raises(InputError, match="1 slices are missing: 1 after 3; export the complete"):
        read_dicom_series(tmp_path)


def test_several_frames_with_one_position_for_all_are_refused(tmp_path):
    ds = slices(hounsfield())[0]
    ds.NumberOfFrames = 2
    ds.PixelData = ds.PixelData * 2
    save([ds], tmp_path)
    with pytest.raises(InputError, match="its slices do not say where they lie"):
        read_dicom_series(tmp_path)


@pytest.mark.parametrize(
    "syntax",
    ["JPEGLosslessProcess14_1", "JPEGLSLossless", "RLELossless", "JPEG2000Lossless"],
)
def test_compressed_slices_give_the_same_values(tmp_path, syntax):
    array = hounsfield((40, 36, 3))
    folder = save(slices(array), tmp_path)
    for path in folder.iterdir():
        recode(path, syntax)
        assert pydicom.dcmread(path).file_meta.TransferSyntaxUID.is_compressed
    assert_same(read_dicom_series(folder), array, AFFINE)


@pytest.mark.parametrize("syntax", [pydicom.uid.RLELossless, pydicom.uid.JPEGLSLossless])
def test_slices_that_others_compressed_give_the_same_values(tmp_path, syntax):
    made = slices(hounsfield())
    for ds in made:
        ds.compress(syntax)
    assert_same(read_dicom_series(save(made, tmp_path)), hounsfield(), AFFINE)


def test_negative_stored_values_keep_their_sign(tmp_path):
    made = slices(hounsfield())
    for k, ds in enumerate(made):
        ds.PixelRepresentation, ds.RescaleIntercept = 1, 0
        ds.PixelData = hounsfield()[:, :, k].T.astype("<i2").tobytes()
    assert_same(read_dicom_series(save(made, tmp_path)), hounsfield(), AFFINE)


def test_one_slice_is_as_thick_as_it_says(tmp_path):
    volume = read_dicom_series(save(slices(hounsfield((7, 6, 1))), tmp_path))
    assert_same(volume, hounsfield((7, 6, 1)), AFFINE)


@pytest.mark.parametrize("degrees", [-20, 0.3, 2.4, 20])
def test_a_tilted_stack_is_refused_with_its_angle(tmp_path, degrees):
    save(slices(hounsfield(), tilted(degrees)), tmp_path)
    with pytest.raises(InputError, match=rf"tilted by {abs(degrees):.2f} degrees; allow tilt"):
        read_dicom_series(tmp_path)


@pytest.mark.parametrize("degrees", [-20, 2.4, 20])
def test_a_tilted_stack_is_straightened_exactly_where_values_change_evenly(tmp_path, degrees):
    affine = tilted(degrees, rotated((10, -4, 30)))
    shape = (30, 40, 10)
    save(slices(linear_field(affine, shape), affine), tmp_path)
    volume = read_dicom_series(tmp_path, tilt="resample")
    axes = volume.affine[:3, :3] / np.linalg.norm(volume.affine[:3, :3], axis=0)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-6)
    assert volume.facts.tilt_degrees == pytest.approx(abs(degrees), abs=1e-4)
    # 9 distances of 2.5 mm, each leaning by tan(angle)
    assert volume.facts.straightened_mm == pytest.approx(22.5 * np.tan(np.radians(abs(degrees))))
    truth = field_at(volume.affine, volume.array.shape)
    inside = np.zeros(volume.array.shape, bool)
    inside[1:29, 10:30] = True
    # Stored values are rounded to whole numbers; 30 a mm would show 0.02 mm.
    assert np.abs(volume.array - truth)[inside].max() <= 0.51


def test_a_ball_in_a_tilted_stack_stays_where_it_is(tmp_path):
    shape, affine = (40, 60, 24), tilted(20)
    centre = (affine @ [20.3, 28.6, 11.4, 1])[:3]
    places = np.tensordot(affine, np.stack([*np.indices(shape), np.ones(shape)]), axes=1)[:3]
    distance = np.linalg.norm(places - centre[:, None, None, None], axis=0)
    ball = (1000 * np.clip((20 - distance) / 10, 0, 1)).round().astype(np.int16)
    save(slices(ball, affine), tmp_path)
    volume = read_dicom_series(tmp_path, tilt="resample")
    assert np.linalg.norm(centroid(volume.array, volume.affine) - centroid(ball, affine)) <= 0.01


def centroid(array, affine):
    weight = array.astype(np.float64) - array.min()
    index = [(np.indices(array.shape)[axis] * weight).sum() / weight.sum() for axis in range(3)]
    return (affine @ [*index, 1])[:3]


def test_a_slice_beside_the_others_is_refused_by_its_number(tmp_path):
    made = slices(hounsfield())
    made[5].ImagePositionPatient[0] += 0.4
    save(made, tmp_path)
    with pytest.raises(InputError, match=r"up to 0\.40 mm beside the others: instances 6; allow"):
        read_dicom_series(tmp_path)


def test_direction_cosines_of_four_decimals_are_no_tilt(tmp_path):
    affine = rotated((11, 0, 0))
    made = slices(hounsfield(), affine)
    for ds in made:
        ds.ImageOrientationPatient = [f"{v:.4f}" for v in ds.ImageOrientationPatient]
    volume = read_dicom_series(save(made, tmp_path))
    # The positions are exact, and the affine passes through all of them.
    starts = volume.affine @ np.array([[0, 0, k, 1] for k in range(10)]).T
    np.testing.assert_allclose(
        starts, affine @ [[0] * 10, [0] * 10, range(10), [1] * 10], atol=1e-6
    )


def test_missing_slices_are_refused_with_the_slices_before_them(tmp_path):
    made = slices(hounsfield())
    save([made[k] for k in (0, 1, 2, 5, 6, 8, 9)], tmp_path)
    with pytest.raises(InputError, match="3 slices are missing: 2 after 3, 1 after 7; export"):
        read_dicom_series(tmp_path)


def test_missing_slices_are_interpolated_where_that_is_allowed(tmp_path):
    array = linear_field(AFFINE)
    made = slices(array)
    save([made[k] for k in (0, 1, 2, 5, 6, 8, 9)], tmp_path)
    volume = read_dicom_series(tmp_path, gaps="interpolate")
    assert volume.facts.interpolated == (3, 4, 7)
    assert [plane is None for plane in volume.facts.planes] == [k in (3, 4, 7) for k in range(10)]
    assert_same(volume, array, AFFINE)


def test_tilt_and_gaps_can_be_mended_together(tmp_path):
    affine = tilted(20)
    made = slices(linear_field(affine, (30, 40, 10)), affine)
    save([*made[:4], *made[5:]], tmp_path)
    volume = read_dicom_series(tmp_path, tilt="resample", gaps="interpolate")
    truth = field_at(volume.affine, volume.array.shape)
    assert volume.facts.interpolated == (4,)
    assert np.abs(volume.array - truth)[1:29, 12:30].max() <= 0.51


def test_uneven_distances_are_refused_and_made_even_where_that_is_allowed(tmp_path):
    array = linear_field(AFFINE)
    made = slices(array)
    for k, ds in enumerate(made):
        # to the next tenth of a mm: 2.5 * k +- 0.03
        ds.ImagePositionPatient[2] += 0.03 * (-1) ** k if 0 < k < 9 else 0
    save(made, tmp_path)
    with pytest.raises(InputError, match=r"slices are 2\.440 to 2\.560 mm apart, uneven at inst"):
        read_dicom_series(tmp_path)
    volume = read_dicom_series(tmp_path, gaps="interpolate")
    assert volume.facts.interpolated == tuple(range(1, 9))
    assert gap_mm(volume.affine, AFFINE, SHAPE) <= MAX_ERROR_MM


def test_a_wide_gap_is_refused_even_where_gaps_are_allowed(tmp_path):
    made = slices(hounsfield())
    save([made[0], made[1], *made[10:], made[9]], tmp_path)
    # from slice 2 to slice 10 there are 8 steps of 2.5 mm; the limit is 20, so one more is needed
    assert read_dicom_series(tmp_path, gaps="interpolate").array.shape == SHAPE
    last = pydicom.dcmread(tmp_path / "002.dcm")
    last.ImagePositionPatient[2] += 2.5
    last.save_as(tmp_path / "002.dcm")
    with pytest.raises(
        InputError, match=r"a gap of 22\.5 mm is too wide to interpolate: after inst"
    ):
        read_dicom_series(tmp_path, gaps="interpolate")


@pytest.mark.parametrize("words", [{"tilt": "yes"}, {"gaps": "allow"}])
def test_unknown_words_are_refused_with_those_that_are_known(tmp_path, words):
    with pytest.raises(ValueError, match=f"{next(iter(words))} must be one of refuse,"):
        read_dicom_series(tmp_path, **words)


@pytest.mark.parametrize("degrees", [(0, 0, 0), (80, 20, 5)])
def test_a_multi_frame_file_lies_where_highdicom_reads_it(tmp_path, degrees):
    order = [3, 1, 4, 0, 5, 9, 2, 6, 8, 7]
    path = save([enhanced(hounsfield(), rotated(degrees), order)], tmp_path) / "000.dcm"
    ours, theirs = read_dicom_series(path), highdicom.imread(path).get_volume()
    # highdicom counts slices against the normal, then rows, then columns, in LPS.
    turn = np.array([[0, 0, -1, 9], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    np.testing.assert_array_equal(ours.array, theirs.array[::-1].transpose(2, 1, 0))
    np.testing.assert_allclose(
        ours.affine, np.diag([-1, -1, 1, 1]) @ theirs.affine @ turn, atol=1e-6
    )


def test_a_stack_that_would_become_too_large_is_refused(tmp_path, monkeypatch):
    # Two slices 0.02 mm apart and one 19 mm away: 950 slices of 0.02 mm.
    made = slices(hounsfield())[:3]
    for ds, height in zip(made, (0, 0.02, 19.02), strict=True):
        ds.ImagePositionPatient[2] = height
    monkeypatch.setenv("MEDSEG_MAX_VOXELS", "10000")
    with pytest.raises(InputError, match=r"its gaps filled: its header states 7 x 6 x 95. voxels"):
        read_dicom_series(save(made, tmp_path), gaps="interpolate")
    folder = save(slices(hounsfield(), tilted(89)), tmp_path / "tilted")
    with pytest.raises(InputError, match=r"straightened: its header states 10 x .* voxels"):
        read_dicom_series(folder, tilt="resample")
