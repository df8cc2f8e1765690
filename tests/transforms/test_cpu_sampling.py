import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import grid_sample

from medseg.transforms.cpu_sampling import gather_nearest, sample_linear

shapes = st.tuples(st.integers(2, 9), st.integers(1, 9), st.integers(1, 9))


def some(seed, shape, size=(13, 5, 4), channels=2):
    rng = torch.Generator().manual_seed(seed)
    volume = torch.randn(channels, *shape, generator=rng)
    units = 2.6 * torch.rand(*size, len(shape), generator=rng) - 1.3
    return volume, units


def torchs(volume, units, mode):
    return grid_sample(volume[None], units[None], mode, "border", align_corners=False)[0]


@given(seed=st.integers(0, 10_000), shape=shapes)
def test_linear_is_what_torch_gives(seed, shape):
    volume, units = some(seed, shape)
    expected = torchs(volume, units, "bilinear")
    torch.testing.assert_close(sample_linear(volume, units), expected, atol=1e-4, rtol=0)


@given(seed=st.integers(0, 10_000), shape=shapes)
def test_nearest_is_what_torch_gives(seed, shape):
    volume, units = some(seed, shape)
    assert torch.equal(gather_nearest(volume, units), torchs(volume, units, "nearest"))


def test_nearest_in_two_dimensions_keeps_the_dtype():
    volume, units = some(0, (7, 6), size=(9, 8))
    label = (10 * volume).to(torch.uint8)
    picked = gather_nearest(label, units)
    assert picked.dtype == torch.uint8
    assert torch.equal(picked.float(), torchs(label.float(), units, "nearest"))


@pytest.mark.parametrize("channel", [0, 1])
def test_a_part_of_a_larger_tensor_is_read_at_its_place(channel):
    volume, units = some(1, (6, 5, 4))
    part = volume[channel : channel + 1]
    torch.testing.assert_close(
        sample_linear(part, units), torchs(part, units, "bilinear"), atol=1e-4, rtol=0
    )


def test_rows_of_a_large_volume_are_told_apart():
    # 200 slices of 200 rows: 40 000 rows share one coordinate.
    rng = torch.Generator().manual_seed(0)
    volume = torch.randn(1, 200, 200, 8, generator=rng)
    units = 2 * torch.rand(60, 30, 20, 3, generator=rng) - 1
    difference = (sample_linear(volume, units) - torchs(volume, units, "bilinear")).abs()
    assert difference.max() < 0.02
    assert difference.mean() < 5e-4
