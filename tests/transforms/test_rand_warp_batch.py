import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medseg.transforms import (
    Elastic,
    Flip,
    PatchGrid,
    RandWarpBatchd,
    Rotation,
    WarpRanges,
    plan_patch,
    resample,
    sample_warp,
)
from medseg.transforms.rand_warp_batch import batch_units
from medseg.transforms.warp_patch import warp_patch

WARP = WarpRanges(
    flip=Flip(axes=[0]),
    rotation=Rotation(degrees=30, prob=0.5),
    elastic=Elastic(max_displacement_mm=4, control_spacing_mm=8, prob=0.5),
)
CPU_AND_CUDA = ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)]


def batch(device="cpu", elements=3, shape=(14, 12, 10)):
    rng = torch.Generator().manual_seed(0)
    image = torch.rand(elements, 2, *shape, generator=rng)
    label = torch.randint(0, 3, (elements, 1, *shape), generator=rng).to(torch.uint8)
    return {"image": image.to(device), "label": label.to(device)}


def step(warp=WARP, **changes):
    arguments = {
        "keys": ["image", "label"],
        "spacing_mm": (1, 1, 2),
        "modes": ["linear", "nearest"],
    }
    return RandWarpBatchd(**{**arguments, **changes}, warp=warp)


@given(seed=st.integers(0, 1000), axes=st.sampled_from([2, 3]))
def test_a_batch_is_warped_as_its_elements_are(seed, axes):
    shape, spacing = (14, 12, 10)[:axes], (1.0, 1.0, 2.0)[:axes]
    volumes = batch(shape=shape)["image"]
    grid = PatchGrid(start=(0,) * axes, size=shape, spacing_mm=spacing)
    rng = np.random.RandomState(seed)
    warps = [sample_warp(WARP, grid.extent_mm, rng) for _ in volumes]
    together = resample(volumes, batch_units(warps, grid), "linear", "border")
    for volume, warp, warped in zip(volumes, warps, together, strict=True):
        alone = warp_patch(volume, plan_patch(shape, grid, warp), "linear")
        torch.testing.assert_close(warped, alone, atol=1e-4, rtol=0)


@pytest.mark.parametrize("device", CPU_AND_CUDA)
def test_every_element_has_a_warp_of_its_own(device):
    same = {key: value[:1].repeat(2, 1, 1, 1, 1) for key, value in batch(device).items()}
    out = step().set_random_state(3)(same)
    assert not torch.equal(out["image"][0], out["image"][1])
    assert out["label"].dtype == torch.uint8
    assert out["image"].device.type == device


@pytest.mark.cuda
@pytest.mark.parametrize("interpolation", ["linear", "nearest", "argmax"])
def test_a_gpu_warps_as_the_cpu_does(interpolation):
    one, two = (
        step(modes=["linear", interpolation]).set_random_state(0)(batch(d)) for d in ("cpu", "cuda")
    )
    torch.testing.assert_close(one["image"], two["image"].cpu(), atol=1e-4, rtol=0)
    assert (one["label"] == two["label"].cpu()).float().mean() > 0.999


def test_a_batch_for_which_nothing_is_drawn_stays_as_it_is():
    before = batch()
    after = step(WarpRanges())(before)
    assert after["image"] is before["image"]


def test_keys_of_different_shapes_are_refused_in_one_line():
    wrong = batch()
    wrong["label"] = wrong["label"][..., :-1]
    with pytest.raises(ValueError, match="keys must have one batch size and spatial shape"):
        step()(wrong)


def test_there_must_be_one_mode_per_key():
    with pytest.raises(ValueError, match="modes must be one a key"):
        step(modes=["linear"])
