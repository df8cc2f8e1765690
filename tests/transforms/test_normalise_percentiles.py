import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medseg.errors import UsageError
from medseg.transforms import ClipPercentilesd, clip_percentiles
from tests.strategies import seeds, spatial_shapes


def test_a_spike_is_cut_off_by_hand():
    # of 0..10 the 10th percentile is 1 and the 90th 9
    found = clip_percentiles(torch.arange(11.0), [10, 90], "all")
    assert found.tolist() == [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]


def test_air_does_not_count_and_is_not_lifted():
    tissue = torch.arange(1.0, 12.0)
    image = torch.cat([torch.zeros(500), tissue])
    found = clip_percentiles(image, [10, 90], "nonzero")
    assert found[:500].eq(0).all()
    assert found[500:].tolist() == [2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10]


@given(
    shape=spatial_shapes,
    seed=seeds,
    which=st.tuples(st.floats(0, 40), st.floats(60, 100)),
    over=st.sampled_from(["all", "nonzero", "otsu"]),
)
def test_values_stay_or_become_an_end(shape, seed, which, over):
    image = torch.randn(2, *shape, generator=torch.Generator().manual_seed(seed)).clamp_min(0)
    found = ClipPercentilesd("image", which, over)({"image": image})["image"]
    for before, after in zip(image, found, strict=True):
        moved = before != after
        assert len(after[moved].unique()) <= 2
        assert after.min() >= before.min()
        assert after.max() <= before.max()


@given(seed=seeds)
def test_all_percentiles_change_nothing(seed):
    image = torch.randn(1, 5, 6, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(ClipPercentilesd("image", [0, 100], "all")({"image": image})["image"], image)


def test_they_are_numpys_percentiles():
    image = torch.randn(40, 50, generator=torch.Generator().manual_seed(0))
    found = clip_percentiles(image, [0.5, 99.5], "all")
    expected = np.percentile(image.numpy(), [0.5, 99.5])
    np.testing.assert_allclose([found.min(), found.max()], expected, rtol=1e-6)


def test_an_image_without_foreground_stays():
    air = torch.zeros(3, 3)
    assert torch.equal(clip_percentiles(air, [10, 90], "nonzero"), air)


@pytest.mark.parametrize("which", [[90, 10], [-1, 99], [1, 101], 99, [float("nan"), 99]])
def test_what_are_no_percentiles_is_refused(which):
    with pytest.raises(UsageError, match=r"which must be two numbers .* in \[0, 100\]"):
        ClipPercentilesd("image", which)
