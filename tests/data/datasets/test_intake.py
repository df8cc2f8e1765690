"""Which images, and which pairs of image and label, are refused, and in what words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.data.datasets.intake import read_pair
from medseg.data.datasets.label_values import count_values, label_problems
from medseg.data.problems import InputError
from tests.data.builders import AFFINE, a_label, an_image, write_nifti

VALUES = (0, 1, 2)


@pytest.fixture
def pair(tmp_path):
    """Writes an image and a label and gives their paths; what is given replaces a sound one."""

    def write(image=None, label=None, label_affine=AFFINE):
        image = an_image() if image is None else image
        label = a_label() if label is None else label
        return (
            write_nifti(tmp_path / "image.nii.gz", image),
            write_nifti(tmp_path / "label.nii.gz", label, label_affine),
        )

    return write


def test_a_sound_pair_comes_back_as_it_is_without_warnings(pair):
    read = read_pair(*pair(), VALUES)
    np.testing.assert_array_equal(read.image.array, an_image())
    np.testing.assert_array_equal(read.label.array, a_label())
    assert read.problems == ()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_not_finite_are_counted_and_one_is_named(pair, value):
    image = an_image().astype(np.float32)
    image[1, 2, 3] = image[5, 4, 3] = value
    path, label = pair(image)
    with pytest.raises(InputError) as info:
        read_pair(path, label, VALUES)
    assert str(info.value) == (
        f"{path}: 2 of 120 voxels are NaN or infinite, e.g. voxel (1, 2, 3); "
        "replace them by the background's value, or leave the case out"
    )


def test_a_label_of_another_shape_is_refused(pair):
    with pytest.raises(InputError, match=r"label.nii.gz: shape \(6, 5, 3\) differs .* \(6, 5, 4\)"):
        read_pair(*pair(label=a_label((6, 5, 3))), VALUES)


def shifted(mm):
    affine = AFFINE.copy()
    affine[1, 3] += mm
    return affine


def test_a_label_that_is_shifted_is_refused_with_the_distance(pair):
    with pytest.raises(InputError, match=r"a corner of the volume 0\.5 mm .*tolerance 0\.01 mm"):
        read_pair(*pair(label_affine=shifted(0.5)), VALUES)


def test_a_shift_below_the_tolerance_is_rounding_and_one_above_is_not(pair):
    assert read_pair(*pair(label_affine=shifted(0.009)), VALUES).problems == ()
    with pytest.raises(InputError, match=r"a corner of the volume 0\.011 mm from"):
        read_pair(*pair(label_affine=shifted(0.011)), VALUES)


def test_another_spacing_shows_at_the_far_corner(pair):
    # K is 2.5 mm and 4 voxels long; 2.6 mm moves the last slice by 3 * 0.1 = 0.3 mm.
    thicker = AFFINE * [1, 1, 2.6 / 2.5, 1]
    with pytest.raises(InputError, match=r"a corner of the volume 0\.3 mm from"):
        read_pair(*pair(label_affine=thicker), VALUES)


def test_a_flipped_label_is_refused(pair):
    # The same box seen from the other side: corners swap, 5 * 2 mm apart.
    flipped = AFFINE @ np.array([[-1, 0, 0, 5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    with pytest.raises(
        InputError, match=r"the image's voxels with other axes: .* is LAS, the image's RAS"
    ):
        read_pair(*pair(label_affine=flipped), VALUES)


def test_values_outside_the_manifest_are_named(pair):
    label = a_label()
    label[5, 4, 3], label[5, 4, 2] = 7, 9
    with pytest.raises(InputError, match=r"holds 7, 9, but only 0, 1, 2 are named; name"):
        read_pair(*pair(label=label), VALUES)


def test_a_mask_of_0_and_255_is_told_its_label_kind(pair):
    mask = (a_label() > 0).astype(np.uint8) * 255
    with pytest.raises(InputError, match=r"holds 255, .*; if it is a mask, set label_kind to mask"):
        read_pair(*pair(label=mask), [0, 1])


@pytest.mark.parametrize(
    ("values", "named", "remedy"),
    [
        ({0: 9, -1: 1}, [0, 1], "no value means that a voxel is ignored"),
        ({0: 9, 2: 1}, [0, 1], "or map 2 to 1 if it marks what 1 is named for"),
        ({0: 9, 3: 1}, [0, 1, 2], "or map them to the class that they are"),
        ({0: 9, 1: 1, 2: 1, 3: 1}, [0, 1], "if they number objects"),
    ],
)
def test_no_remedy_tells_to_make_one_class_of_another(values, named, remedy):
    (problem,) = label_problems(values, named)
    assert remedy in problem.remedy


def test_a_class_that_is_absent_is_no_problem():
    assert label_problems({0: 90, 2: 10}, [0, 1, 2]) == ()


def test_values_within_rounding_of_whole_numbers_are_those(pair):
    label = a_label().astype(np.float64)
    label[label == 1] = 0.99999998
    assert read_pair(*pair(label=label), VALUES).problems == ()


def test_a_fraction_is_shown_with_all_its_digits(pair):
    label = a_label().astype(np.float64)
    label[5, 4, 3] = 0.9998
    with pytest.raises(InputError, match=r"not whole numbers: 0\.9998; resample"):
        read_pair(*pair(label=label), VALUES)


@pytest.mark.parametrize(("value", "shown"), [(0.5, "0.5"), (np.nan, "nan"), (np.inf, "inf")])
def test_values_that_are_not_whole_are_refused(pair, value, shown):
    label = a_label().astype(np.float32)
    label[5, 4, 3] = value
    with pytest.raises(InputError, match=rf"not whole numbers: {shown}; resample .* nearest"):
        read_pair(*pair(label=label), VALUES)


def test_whole_numbers_may_be_stored_as_floating_point(pair):
    assert read_pair(*pair(label=a_label().astype(np.float32)), VALUES).problems == ()


def test_an_image_in_place_of_the_label_is_refused(pair):
    image = np.random.default_rng(0).normal(size=(6, 5, 4)).astype(np.float32)
    with pytest.raises(InputError, match=r"not whole numbers: .* and 115 more; .*is the label"):
        read_pair(*pair(label=image), VALUES)


def test_a_label_that_is_all_background_is_a_warning(pair):
    (warning,) = read_pair(*pair(label=np.zeros((6, 5, 4), np.uint8)), VALUES).problems
    assert (warning.severity, warning.where) == ("warning", "label")
    assert warning.what == "is all background"
    assert "nothing to segment" in warning.remedy


def test_an_image_of_one_value_is_a_warning(pair):
    (warning,) = read_pair(*pair(image=np.full((6, 5, 4), -1024, np.int16)), VALUES).problems
    assert (warning.severity, warning.what) == ("warning", "all voxels are -1024")


@pytest.mark.parametrize("missing", [0, 1])
def test_a_missing_file_of_a_pair_is_named(pair, missing):
    paths = pair()
    paths[missing].unlink()
    with pytest.raises(InputError, match=rf"{paths[missing].name}: not there"):
        read_pair(*paths, VALUES)


@given(st.data())
def test_counts_are_those_of_numpy_over_the_whole_array(data):
    shape = data.draw(st.tuples(*[st.integers(1, 5)] * 3))
    values = data.draw(st.lists(st.integers(-3, 300), min_size=1, max_size=5))
    array = np.random.default_rng(0).choice(values, shape)
    expected = dict(zip(*(part.tolist() for part in np.unique_counts(array)), strict=True))
    assert count_values(array) == expected


def test_nan_is_counted_under_one_key_and_last():
    array = np.array([np.nan, 1, np.nan, -1]).reshape(1, 2, 2)
    values, voxels = zip(*count_values(array).items(), strict=True)
    assert values[:2] == (-1, 1)
    assert np.isnan(values[2])
    assert voxels == (1, 1, 2)


def test_counting_stops_when_no_label_can_have_so_many_values():
    # 100 slices of 1000 values each: stops after the 66th, 66000 > 65536.
    array = np.arange(100_000.0).reshape(100, 1000).T.reshape(50, 20, 100)
    counts = count_values(array)
    assert len(counts) == 66_000
    assert label_problems(counts, VALUES)[0].severity == "error"
