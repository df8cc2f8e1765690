import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import grid_sample

from medseg.transforms.cubic_sampling import sample_cubic

seeds = st.integers(0, 10_000)
paddings = st.sampled_from(["border", "reflection", "zeros"])


def some(seed, shape, size=(3, 5, 4)):
    rng = torch.Generator().manual_seed(seed)
    volume = torch.randn(2, *shape, generator=rng)
    # From a volume's length before it to as much behind.
    return volume, 6 * torch.rand(*size, 3, generator=rng) - 3


@given(seed=seeds, shape=st.tuples(*[st.integers(1, 7)] * 2), padding=paddings)
def test_within_a_slice_it_is_torchs_bicubic(seed, shape, padding):
    volume, units = some(seed, (5, *shape))
    units[..., 2] = (2 * 3 + 1) / 5 - 1  # the centre of slice 3 of 0 to 4
    places = units[..., :2].flatten(0, 1)[None]
    expected = grid_sample(volume[None, :, 3], places, "bicubic", padding, align_corners=False)
    torch.testing.assert_close(
        sample_cubic(volume, units, padding), expected[0].view(2, 3, 5, 4), atol=2e-4, rtol=1e-4
    )


@given(seed=seeds, shape=st.tuples(*[st.integers(1, 6)] * 3), padding=paddings)
def test_all_axes_are_treated_alike(seed, shape, padding):
    volume, units = some(seed, shape)
    turned = sample_cubic(volume.movedim(1, 3), units.roll(1, dims=-1), padding)
    torch.testing.assert_close(sample_cubic(volume, units, padding), turned, atol=1e-3, rtol=1e-3)


@given(seed=seeds, value=st.floats(-100, 100), padding=st.sampled_from(["border", "reflection"]))
def test_a_constant_stays_what_it_is(seed, value, padding):
    volume, units = some(seed, (3, 1, 4))
    sampled = sample_cubic(torch.full_like(volume, value), units, padding)
    torch.testing.assert_close(sampled, torch.full_like(sampled, value), atol=1e-3, rtol=1e-4)


def test_half_way_between_four_slices_by_hand():
    # Keys with a = -0.75 weighs them -3/32, 19/32, 19/32, -3/32: (-3 * 0 + 19 * 32 + 0 - 0) / 32.
    volume = torch.tensor([0.0, 32.0, 0.0, 0.0]).view(1, 4, 1, 1)
    units = torch.tensor([0.0, 0.0, 0.0]).view(1, 1, 1, 3)
    assert sample_cubic(volume, units, "border").item() == 19.0


def test_far_outside_there_is_nothing_with_zeros():
    volume = torch.ones(1, 3, 3, 3)
    assert sample_cubic(volume, torch.full((1, 1, 1, 3), 9.0), "zeros").item() == 0
