import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from medseg.transforms.patch_reading import cut_patch

PAD_WORDS = {"border": "edge", "reflection": "symmetric", "zeros": "constant"}


class Counted:
    """A volume on a slow disk: it knows how many voxels were asked for."""

    def __init__(self, array):
        self.array, self.read = array, 0

    @property
    def shape(self):
        return self.array.shape

    def __getitem__(self, key):
        found = self.array[key]
        self.read += found.size
        return found


@given(
    shape=hnp.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=6),
    padding=st.sampled_from(sorted(PAD_WORDS)),
    data=st.data(),
)
def test_a_patch_is_the_slice_of_the_padded_volume(shape, padding, data):
    volume = np.arange(1, np.prod(shape) + 1, dtype=np.int16).reshape(1, *shape)
    start = [data.draw(st.integers(-6, n + 3)) for n in shape]
    size = [data.draw(st.integers(1, 9)) for _ in shape]
    padded = np.pad(volume, [(0, 0), *[(16, 16)] * len(shape)], PAD_WORDS[padding])
    window = tuple(slice(s + 16, s + 16 + n) for s, n in zip(start, size, strict=True))
    expected = padded[(slice(None), *window)]
    patch = cut_patch(volume, start, size, padding)
    assert patch.dtype == torch.int16
    np.testing.assert_array_equal(patch.numpy(), expected)


def test_only_the_voxels_of_the_patch_are_read():
    volume = Counted(np.zeros((1, 50, 50, 50), np.uint8))
    cut_patch(volume, (10, 10, 10), (4, 5, 6), "border")
    assert volume.read == 4 * 5 * 6


def test_a_patch_is_a_copy():
    volume = torch.zeros(1, 4, 4)
    cut_patch(volume, (0, 0), (4, 4), "zeros").fill_(7)
    cut_patch(volume, (0, 0), (4, 4), "border").fill_(7)
    assert volume.sum() == 0


@pytest.mark.parametrize(
    "volume",
    [
        np.zeros((1, 4, 4), ">i2"),
        np.zeros((1, 4, 4), np.int16)[:, ::-1],
        np.broadcast_to(np.int16(0), (1, 4, 4)),
    ],
    ids=["foreign byte order", "negative stride", "read only"],
)
def test_arrays_that_torch_cannot_hold_are_copied_first(volume):
    assert cut_patch(volume, (0, 0), (2, 2), "border").sum() == 0
