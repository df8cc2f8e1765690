"""What label noise promises: as many wrong voxels as said, in blocks, the same each time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.errors import DataError, UsageError
from medseg.transforms import LabelNoised, add_label_noise
from tests.strategies import seeds, spatial_shapes


def noisy(label, *, seed=0, **choices):
    return add_label_noise(label, rng=np.random.default_rng(seed), **choices)


def test_a_quarter_of_four_blocks_is_one_flipped_block():
    label = np.zeros((4, 4), np.uint8)
    label[:, 2:] = 1
    wrong = noisy(label, share=0.25, classes=2, block_size=2) != label
    blocks = wrong.reshape(2, 2, 2, 2).sum(axis=(1, 3))
    assert sorted(blocks.ravel().tolist()) == [0, 0, 0, 4]


@given(shape=spatial_shapes, seed=seeds, share=st.floats(0, 1), classes=st.integers(2, 5))
def test_of_single_voxels_the_share_is_exact_and_classes_stay_classes(shape, seed, share, classes):
    label = np.random.default_rng(seed).integers(0, classes, shape).astype(np.uint8)
    other = noisy(label, seed=seed, share=share, classes=classes, block_size=1)
    assert (other != label).sum() == round(share * label.size)
    assert other.max() < classes
    assert other.dtype == label.dtype


@given(shape=spatial_shapes, seed=seeds, block_size=st.integers(1, 20))
def test_a_block_is_wrong_as_a_whole_and_noise_twice_by_the_same_draw_is_none(
    shape, seed, block_size
):
    label = np.random.default_rng(seed).integers(0, 2, shape).astype(np.uint8)
    choices = {"share": 0.5, "classes": 2, "block_size": block_size}
    other = noisy(label, seed=seed, **choices)
    wrong = other != label
    for axis in range(wrong.ndim):
        for start in range(0, shape[axis], block_size):
            slab = np.take(wrong, range(start, min(start + block_size, shape[axis])), axis=axis)
            assert (slab == np.take(slab, [0], axis=axis)).all()
    assert np.array_equal(noisy(other, seed=seed, **choices), label)


def test_a_wrong_class_is_drawn_evenly_among_the_others():
    other = noisy(np.ones((100, 100), np.uint8), share=1, classes=3, block_size=1)
    assert set(np.unique(other)) == {0, 2}
    assert (other == 0).mean() == pytest.approx(0.5, abs=0.03)


def test_an_ignored_value_stays():
    label = np.full((4, 4), 255, np.uint8)
    assert np.array_equal(noisy(label, share=1, classes=2, block_size=1), label)


def test_the_same_case_is_noisy_in_the_same_places_and_another_in_others():
    step = LabelNoised("label", share=0.5, classes=2, seed=3)
    label = np.zeros((1, 8, 8), np.uint8)
    first = step({"label": label, "image": label, "case": "a"})
    again = LabelNoised("label", share=0.5, classes=2, seed=3)({"label": label, "case": "a"})
    assert np.array_equal(first["label"], again["label"])
    assert first["image"] is label
    assert not label.any()
    for other in ({"case": "b"}, {"case": "a", "seed": 4}):
        seed = other.pop("seed", 3)
        step = LabelNoised("label", share=0.5, classes=2, seed=seed)
        assert not np.array_equal(step({"label": label, **other})["label"], first["label"])


def test_what_is_no_label_is_named():
    step = LabelNoised("label", share=0.5, classes=2)
    with pytest.raises(DataError, match=r"case .a.: label: holds 0\.5"):
        step({"label": np.full((1, 2, 2), 0.5, np.float32), "case": "a"})


@pytest.mark.parametrize("wrong", [{"share": 1.5}, {"classes": 1}, {"block_size": 0}])
def test_a_wrong_argument_is_named(wrong):
    with pytest.raises(UsageError, match=f"LabelNoised: {next(iter(wrong))}"):
        LabelNoised("label", **{"share": 0.1, "classes": 2, **wrong})
