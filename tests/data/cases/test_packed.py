"""Packing: half the memory, the same values, and a line about those that do not fit."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from monai.data.meta_tensor import MetaTensor

from medseg.data.cases.packed import pack_case, packed_bytes
from medseg.errors import DataError, UsageError

CASE = {"case": "case_1"}


def image(*values, dtype=np.float32):
    return np.array(values, dtype).reshape(1, 1, -1)


def pack(**prepared):
    return pack_case(prepared, CASE)


def test_a_case_packs_to_5_bytes_a_voxel():
    volume = MetaTensor(torch.rand(1, 4, 4, 4))
    packed = pack(image=volume, label=torch.ones(1, 4, 4, 4), weight=volume, case="case_1")
    assert [packed[key].dtype for key in ("image", "label", "weight")] == ["f2", "u1", "f2"]
    assert packed["case"] == "case_1"
    assert packed_bytes(packed) == 64 * (2 + 1 + 2)
    assert all(type(packed[key]) is np.ndarray for key in ("image", "label", "weight"))


@given(hnp.arrays(np.float32, (1, 3, 4), elements=st.floats(-65504, 65504, width=32)))
def test_an_image_keeps_eleven_binary_digits(volume):
    packed = pack(image=volume)["image"]
    np.testing.assert_allclose(packed.astype(np.float32), volume, rtol=2**-11, atol=2**-25)


@given(hnp.arrays(st.sampled_from([np.int8, np.int16, np.uint8, np.bool_]), (1, 3, 4)))
def test_whole_numbers_stay_what_they_are(volume):
    packed = pack(image=volume)["image"]
    assert packed.dtype == np.int16
    np.testing.assert_array_equal(packed, volume)


def test_whole_numbers_that_int16_cannot_hold_become_float16():
    assert pack(image=image(0, 40000, dtype=np.uint16))["image"].dtype == np.float16
    # Whole by chance is not whole by type: the next case may be otherwise.
    assert pack(image=image(0, 1))["image"].dtype == np.float16


@given(hnp.arrays(np.float32, (1, 3, 4), elements=st.integers(0, 65535)))
def test_labels_are_kept_exactly(label):
    packed = pack(image=label * 0, label=label)["label"]
    assert packed.dtype == (np.uint8 if label.max() < 256 else np.uint16)
    np.testing.assert_array_equal(packed, label)


def test_other_entries_stay_and_metadata_goes():
    voxels = {1: np.zeros((5, 3), np.int32)}
    packed = pack(image=image(1), class_voxels=voxels, side="left", image_meta_dict={1.5: object()})
    assert set(packed) == {"image", "class_voxels", "side"}
    np.testing.assert_array_equal(packed["class_voxels"][1], voxels[1])


def test_arrays_are_read_only_and_no_view_of_what_was_packed():
    volume = image(1, 2, dtype=np.int16)
    packed = pack(image=volume, class_voxels={1: volume})
    for array in (packed["image"], packed["class_voxels"][1]):
        assert not array.flags.writeable
        assert not np.shares_memory(array, volume)
    assert volume.flags.writeable


@pytest.mark.parametrize(
    ("prepared", "told"),
    [
        ({"image": image(0, np.nan)}, "image holds NaN after preparation"),
        ({"image": image(0, 70000)}, "image reaches 70000, but is stored as float16"),
        ({"image": image(0, -np.inf)}, "image reaches -inf, but is stored as float16"),
        ({"image": image(0), "weight": image(1e5)}, "weight reaches 100000"),
        ({"image": image(0), "label": image(1.5)}, "label holds 1.5; resample labels"),
        ({"image": image(0), "label": image(-1)}, "label holds -1; classes are"),
        ({"image": image(0), "label": image(65536)}, "label holds 65536; classes are"),
        ({"image": image(0), "label": image(np.nan)}, "label holds nan; classes are"),
        ({"image": image(0, dtype=complex)}, "image must hold real numbers, got complex128"),
        ({"image": np.zeros((1, 0, 4))}, r"image must be \(C, \*spatial\) with voxels"),
        ({"image": np.zeros(4)}, r"image must be \(C, \*spatial\) with voxels"),
        (
            {"image": image(0), "label": image(0, 1)},
            r"shapes differ after preparation: image \(1, 1, 1\), label \(1, 1, 2\)",
        ),
        (
            {"image": np.zeros((2, 3, 3)), "label": np.zeros((2, 3, 3))},
            r"label must be \(1, \*spatial\), got \(2, 3, 3\)",
        ),
    ],
)
def test_values_that_do_not_fit_are_reported_in_one_line_with_the_case(prepared, told):
    with pytest.raises(DataError, match=f"^case_1: {told}.*$"):
        pack_case(prepared, CASE)


@pytest.mark.parametrize("prepared", [[{"image": image(0)}], {"label": image(0)}, None])
def test_a_preparation_without_an_image_is_reported(prepared):
    with pytest.raises(UsageError, match=r"^case_1: preparation must return one dictionary"):
        pack_case(prepared, CASE)


def test_an_entry_that_cannot_be_cached_is_reported():
    with pytest.raises(UsageError, match=r"^case_1: preparation leaves spam, type set, which"):
        pack(image=image(0), spam={1})


def test_a_case_without_a_name_is_called_by_its_image():
    with pytest.raises(DataError, match=r"^scan\.nii: image holds NaN"):
        pack_case({"image": image(np.nan)}, {"image": "scan.nii"})
