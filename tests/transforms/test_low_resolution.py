import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medseg.errors import UsageError
from medseg.transforms import RandLowResolutiond, lower_resolution
from tests.strategies import seeds, spatial_shapes


def an_image(shape, seed=0):
    return torch.rand(2, *shape, generator=torch.Generator().manual_seed(seed))


def test_pairs_are_averaged_and_interpolated_by_hand():
    # means 1, 5, 9 stand at 0.5, 2.5, 4.5: between them a line, beyond them the nearest
    image = torch.tensor([[[0.0, 2.0, 4.0, 6.0, 8.0, 10.0]]])
    assert lower_resolution(image, [1, 2]).tolist() == [[[1, 2, 4, 6, 8, 9]]]


@given(shape=spatial_shapes, seed=seeds, factor=st.floats(1, 5))
def test_the_range_holds_and_a_constant_stays(shape, seed, factor):
    image = an_image(shape, seed)
    lowered = lower_resolution(image, [factor] * len(shape))
    assert lowered.shape == image.shape
    assert lowered.min() >= image.min() - 1e-6
    assert lowered.max() <= image.max() + 1e-6
    constant = torch.full((1, *shape), 3.0)
    torch.testing.assert_close(lower_resolution(constant, [factor] * len(shape)), constant)


@given(shape=spatial_shapes, seed=seeds, data=st.data())
def test_other_axes_are_left_alone(shape, seed, data):
    axis = data.draw(st.integers(0, len(shape) - 1))
    image = an_image(shape, seed)
    step = RandLowResolutiond("image", [2, 3], prob=1, axes=axis).set_random_state(seed)
    lowered = step({"image": image})["image"]
    # Lines along the axis do not mix: permute them, and the result is permuted.
    other = 1 + (axis + 1) % len(shape)
    again = step.set_random_state(seed)({"image": image.flip(other)})["image"]
    torch.testing.assert_close(again.flip(other), lowered)


def test_a_step_moves_nowhere():
    image = torch.zeros(1, 32, 32)
    image[:, 16:] = 1
    for factor in (1.3, 1.7, 2.0, 3.1):
        lowered = lower_resolution(image, [factor, 1])
        torch.testing.assert_close(lowered + lowered.flip(1), torch.ones_like(image))


def test_no_factor_is_no_change():
    image = an_image((5, 6, 7))
    assert lower_resolution(image, [1, 1, 1]) is image


def test_one_axis_is_drawn():
    step = RandLowResolutiond("image", [3, 3], prob=1, axes="one").set_random_state(0)
    ramps = torch.stack(
        [torch.arange(9.0).reshape(-1, 1, 1).expand(9, 9, 9).movedim(0, a) for a in range(3)]
    )
    hit = [
        tuple((step({"image": ramps})["image"] - ramps).abs().amax((1, 2, 3)) > 0.1)
        for _ in range(40)
    ]
    assert {sum(map(bool, axes)) for axes in hit} == {1}
    assert len({tuple(map(bool, axes)) for axes in hit}) == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"factor_range": [0.5, 1]}, "factor_range must be .* at least 1"),
        ({"factor_range": 2}, "factor_range must be two numbers"),
        ({"axes": "two"}, "axes must be one of all, one, 0, 1, 2, got 'two'"),
        ({"axes": 3}, "axes must be one of all, one, 0, 1, 2, got 3"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, says):
    with pytest.raises(UsageError, match=says):
        RandLowResolutiond("image", **arguments)


def test_an_axis_that_the_image_lacks_is_refused():
    with pytest.raises(UsageError, match="axes must be below 2 for an image of 2 axes, got 2"):
        RandLowResolutiond("image", [2, 2], prob=1, axes=2)({"image": torch.rand(1, 4, 4)})
