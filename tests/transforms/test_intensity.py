"""What every random change of intensity promises, and the checks that they share."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.data import MetaTensor
from monai.transforms import Compose

from medseg.errors import DataError, UsageError
from medseg.transforms import (
    RandBiasFieldd,
    RandBlurd,
    RandColourJitterd,
    RandGammad,
    RandGaussianNoised,
    RandLowResolutiond,
    RandRicianNoised,
    RandStainJitterd,
)
from medseg.transforms.intensity import (
    draw_log_uniform,
    draw_uniform,
)
from tests.strategies import seeds, spatial_shapes

GREY = {
    "gaussian noise": lambda axes, **more: RandGaussianNoised("image", (0.1, 0.2), **more),
    "rician noise": lambda axes, **more: RandRicianNoised("image", (0.1, 0.2), **more),
    "blur": lambda axes, **more: RandBlurd("image", (1.0, 2.0), [1.0] * axes, **more),
    "gamma": lambda axes, **more: RandGammad("image", (1.5, 2.0), **more),
    "bias field": lambda axes, **more: RandBiasFieldd("image", 2.0, **more),
    "low resolution": lambda axes, **more: RandLowResolutiond("image", (1.5, 4.0), **more),
}
COLOURED = {
    "colour jitter": lambda axes, **more: RandColourJitterd("image", **more),
    "stain jitter": lambda axes, **more: RandStainJitterd("image", 0.2, **more),
}
every = pytest.mark.parametrize("name", [*GREY, *COLOURED])


def make(name, axes=3, **more):
    return {**GREY, **COLOURED}[name](axes, **more)


def an_image(shape, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return (0.05 + 0.9 * torch.rand(3, *shape, generator=generator)).to(dtype)


def a_sample(shape, seed=0):
    label = torch.ones(1, *shape, dtype=torch.uint8)
    return {"image": an_image(shape, seed), "label": label, "case": "a"}


@every
@given(spatial=spatial_shapes, seed=seeds)
def test_the_same_seed_gives_the_same_image_and_nothing_else_is_touched(name, spatial, seed):
    sample = a_sample(spatial, seed)
    before = sample["image"].clone()
    step = make(name, len(spatial), prob=1)
    first = step.set_random_state(seed)(sample)
    again = make(name, len(spatial), prob=1).set_random_state(seed)(sample)
    assert torch.equal(first["image"], again["image"])
    assert first["image"].shape == before.shape
    assert first["image"].dtype == torch.float32
    assert torch.isfinite(first["image"]).all()
    assert torch.equal(sample["image"], before), "the image that came in was written to"
    assert first["label"] is sample["label"]
    assert first["case"] == "a"


@every
@pytest.mark.parametrize("shape", [(9, 8), (9, 8, 7), (5, 1, 6), (1, 7)])
def test_it_changes_images_of_two_and_three_axes_even_of_one_voxel(name, shape):
    step = make(name, len(shape), prob=1).set_random_state(1)
    sample = a_sample(shape)
    changed = step(sample)["image"]
    assert changed.shape == sample["image"].shape
    assert not torch.equal(changed, sample["image"])


@every
def test_another_draw_gives_another_image(name):
    step = make(name, prob=1).set_random_state(0)
    sample = a_sample((20, 20, 20))
    assert not torch.equal(step(sample)["image"], step(sample)["image"])


@every
def test_at_probability_0_the_tensor_is_passed_on(name):
    step, sample = make(name, prob=0), a_sample((6, 5, 4))
    assert all(step(sample)["image"].data_ptr() == sample["image"].data_ptr() for _ in range(9))


@every
def test_it_happens_as_often_as_it_should(name):
    step, sample = make(name, 2, prob=0.3).set_random_state(0), a_sample((4, 4))
    # Binomial, n = 400, p = 0.3: mean 120, standard deviation 9.2
    changed = sum(not torch.equal(step(sample)["image"], sample["image"]) for _ in range(400))
    assert 80 < changed < 160


@every
@pytest.mark.parametrize("prob", [0, 1])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_other_floats_become_float32_whether_it_happens_or_not(name, prob, dtype):
    sample = {"image": an_image((6, 6, 6), dtype=dtype)}
    assert make(name, prob=prob)(sample)["image"].dtype == torch.float32


@every
def test_arrays_and_meta_tensors_become_plain_tensors(name):
    image = an_image((6, 6, 6))
    step = make(name, prob=1)
    plain = step.set_random_state(3)({"image": image})["image"]
    of_a_cache = image.numpy().copy()
    of_a_cache.setflags(write=False)
    for kind in (MetaTensor(image), of_a_cache):
        found = step.set_random_state(3)({"image": kind})["image"]
        assert type(found) is torch.Tensor
        assert torch.equal(found, plain)


@every
def test_a_constant_image_stays_finite(name):
    for value in (0.0, 0.5, 1.0):
        changed = make(name, prob=1)({"image": torch.full((3, 6, 6, 6), value)})["image"]
        assert torch.isfinite(changed).all()


@every
def test_a_compose_seeds_it(name):
    chain, sample = Compose([make(name, prob=1)]), a_sample((20, 20, 20))
    first = chain.set_random_state(5)(sample)["image"]
    assert torch.equal(chain.set_random_state(5)(sample)["image"], first)
    others = [chain.set_random_state(seed)(sample)["image"] for seed in range(6, 10)]
    assert not all(torch.equal(other, first) for other in others)


@every
@pytest.mark.parametrize("prob", [-0.1, 1.1, float("nan")])
def test_a_probability_outside_0_and_1_is_refused(name, prob):
    with pytest.raises(UsageError, match=r"prob must be in \[0, 1\]"):
        make(name, prob=prob)


def test_a_missing_key_is_named():
    with pytest.raises(UsageError, match=r"'image' is not in the sample, which has \['label'\]"):
        make("gamma")({"label": 1})


def test_no_keys_are_refused():
    with pytest.raises(ValueError, match="keys must be non empty"):
        RandGammad([])


def test_an_image_without_channel_axis_is_refused():
    with pytest.raises(DataError, match=r"image: must be \(C, \*spatial\).*got \(8, 8\)"):
        make("gamma")({"image": torch.rand(8, 8)})


def test_every_key_is_changed_or_none_is():
    step = RandGammad(["t1", "t2"], (1.5, 2.0), prob=0.5).set_random_state(0)
    sample = {"t1": an_image((4, 4)), "t2": an_image((4, 4), seed=1)}
    happened = []
    for _ in range(40):
        changed = step(sample)
        happened.append([not torch.equal(changed[key], sample[key]) for key in sample])
    assert all(first == second for first, second in happened)
    assert 8 < sum(first for first, _ in happened) < 32


@given(low=st.floats(0.1, 5), width=st.floats(0, 5), seed=seeds)
def test_draws_stay_within_their_span(low, width, seed):
    rng = np.random.RandomState(seed)
    for draw in (draw_uniform, draw_log_uniform):
        assert low <= draw(rng, (low, low + width)) <= low + width


def test_log_uniform_draws_double_as_often_as_they_halve():
    rng = np.random.RandomState(0)
    drawn = [draw_log_uniform(rng, (0.5, 2.0)) for _ in range(2000)]
    # Binomial, n = 2000, p = 1/2: mean 1000, standard deviation 22
    assert sum(factor < 1 for factor in drawn) == pytest.approx(1000, abs=90)
