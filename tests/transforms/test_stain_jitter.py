import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from medseg.errors import DataError, UsageError
from medseg.transforms import RandStainJitterd, change_stains
from tests.strategies import seeds

# Ruifrok and Johnston's table, each row brought to length 1.
STAINS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
STAINS = STAINS / np.linalg.norm(STAINS, axis=1, keepdims=True)
NOTHING = ([1, 1, 1], [0, 0, 0])


def stained(amounts):
    """An image `(3, pixels, 1)` of so much of each stain, by Beer and Lambert's law."""
    return torch.tensor(np.exp(-(np.asarray(amounts) @ STAINS)).T[..., None], dtype=torch.float32)


@given(seed=seeds)
def test_no_strength_is_the_identity(seed):
    levels = torch.randint(0, 256, (3, 9, 8), generator=torch.Generator().manual_seed(seed))
    image = levels / 255
    # Black itself is taken for half a grey level.
    torch.testing.assert_close(
        change_stains(image, *NOTHING), image.clamp_min(0.5 / 255), atol=1e-5, rtol=0
    )
    step = RandStainJitterd("image", 0.0, prob=1)
    torch.testing.assert_close(step({"image": image})["image"], image, atol=2e-3, rtol=0)


@given(
    amounts=st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1, max_size=5),
    factors=st.tuples(*[st.floats(0.5, 1.5)] * 3),
    offsets=st.tuples(*[st.floats(0, 0.3)] * 3),
)
def test_stains_of_known_amounts_are_scaled_and_shifted(amounts, factors, offsets):
    changed = np.asarray(amounts) * factors + offsets
    found = change_stains(stained(amounts), factors, offsets)
    torch.testing.assert_close(found, stained(changed), atol=1e-5, rtol=1e-4)


def test_glass_stays_glass_where_amounts_are_only_scaled():
    glass = torch.ones(3, 4, 4)
    torch.testing.assert_close(change_stains(glass, [1.3, 0.7, 1], [0, 0, 0]), glass)


def test_more_haematoxylin_is_bluer_and_more_eosin_pinker():
    tissue = stained([[0.5, 0.5, 0.0]])
    blue = change_stains(tissue, [1.5, 1, 1], [0, 0, 0]).flatten()
    pink = change_stains(tissue, [1, 1.5, 1], [0, 0, 0]).flatten()
    assert blue[2] / blue[0] > tissue[2, 0, 0] / tissue[0, 0, 0]
    assert pink[0] / pink[1] > tissue[0, 0, 0] / tissue[1, 0, 0]


@given(seed=seeds, strength=st.floats(0, 0.9))
def test_the_result_is_a_colour(seed, strength):
    image = torch.rand(3, 6, 6, generator=torch.Generator().manual_seed(seed))
    changed = RandStainJitterd("image", strength, prob=1).set_random_state(seed)({"image": image})
    assert changed["image"].min() >= 0
    assert changed["image"].max() <= 1


@pytest.mark.data
def test_real_sections_keep_their_look(real_data):
    folder = real_data / "histology" / "ebhi-seg" / "normal" / "image"
    paths = sorted(folder.glob("*.png"))[:4]
    assert paths
    for path in paths:
        image = torch.tensor(np.asarray(Image.open(path).convert("RGB")) / 255.0)
        image = image.permute(2, 0, 1).float()
        same = RandStainJitterd("image", 0.0, prob=1)({"image": image})["image"]
        assert (same - image).abs().mean() < 1e-3
        jittered = RandStainJitterd("image", 0.05, prob=1).set_random_state(0)({"image": image})
        assert 1e-4 < (jittered["image"] - image).abs().mean() < 0.1


@pytest.mark.parametrize("strength", [-0.1, 1.0, float("nan")])
def test_what_makes_no_sense_is_refused(strength):
    with pytest.raises(UsageError, match=r"strength must be in \[0, 1\)"):
        RandStainJitterd("image", strength)


def test_an_image_of_grey_levels_is_refused():
    image = torch.zeros(3, 4, 4)
    image[0] = 255
    with pytest.raises(DataError, match=r"colours in \[0, 1\], got \[0, 255\]"):
        RandStainJitterd("image", prob=1)({"image": image})
