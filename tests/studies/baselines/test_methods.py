"""What each classical method finds in images whose answer is known, and its laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.vq import kmeans2
from scipy.ndimage import binary_dilation, binary_erosion
from skimage.filters import threshold_otsu

from medseg.errors import DataError
from medseg.studies.baselines.brightness import by_brightness, luminance
from medseg.studies.baselines.k_means import k_means
from medseg.studies.baselines.otsu import otsu, otsu_thresholds
from medseg.studies.baselines.potts import neighbours_in, potts, potts_energy
from medseg.studies.baselines.sobel import smooth_regions, sobel
from medseg.studies.baselines.watershed import watershed

SHAPES = [(24, 20), (14, 12, 10)]
OF_LEVELS = [k_means, potts, otsu, watershed]


def block(spatial, *, low=20.0, high=200.0, channels=1, noise=2.0, seed=0):
    """An image with a bright block in its middle, and the block as a mask."""
    truth = np.zeros(spatial, np.uint8)
    truth[tuple(slice(size // 4, -(size // 4)) for size in spatial)] = 1
    clean = np.where(truth, high, low)[..., None].repeat(channels, axis=-1)
    return clean + np.random.default_rng(seed).normal(0, noise, clean.shape), truth


def wrong_beyond_the_border(found, truth):
    """Voxels that are wrong and touch no border; the gradient's ridge is two voxels wide."""
    border = binary_dilation(truth) & ~binary_erosion(truth)
    return (found != truth) & ~border


@pytest.mark.parametrize("method", [k_means, potts, otsu])
def test_values_far_from_one_another_are_parted_without_a_mistake(method):
    image, truth = block((24, 20), low=200, high=20)
    np.testing.assert_array_equal(method(image, 2), 1 - truth)


@pytest.mark.parametrize("spatial", SHAPES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("method", OF_LEVELS)
def test_a_bright_block_is_found_in_2d_and_3d_grey_and_rgb(method, spatial, channels):
    image, truth = block(spatial, channels=channels)
    assert not (wrong_beyond_the_border(method(image, 2), truth)).any()


@pytest.mark.parametrize("method", OF_LEVELS)
def test_a_dark_block_is_the_darker_group(method):
    image, truth = block((24, 20), low=200, high=20)
    assert not (wrong_beyond_the_border(method(image, 2), 1 - truth)).any()


@pytest.mark.parametrize("method", OF_LEVELS)
def test_three_levels_are_numbered_from_the_darkest(method):
    image = np.repeat([10.0, 200.0, 100.0], 12)[:, None].repeat(20, axis=1)[..., None]
    image = image + np.random.default_rng(0).normal(0, 1, image.shape)
    found = method(image, 3)
    assert [np.unique(found[part]).tolist() for part in (slice(0, 12), slice(12, 24))] == [[0], [2]]
    assert np.unique(found[24:]).tolist() == [1]


@pytest.mark.parametrize("method", [k_means, potts])
def test_the_same_image_gives_the_same_map(method):
    image, _ = block((24, 20), high=60, noise=30, channels=3)
    np.testing.assert_array_equal(method(image, 3), method(image, 3))


@pytest.mark.parametrize("method", OF_LEVELS)
def test_an_image_of_one_value_is_refused(method):
    with pytest.raises(DataError, match="fewer than 2 values to separate"):
        method(np.full((8, 8, 1), 7.0), 2)


def test_k_means_has_no_more_distance_than_scipys():
    image = np.random.default_rng(1).normal(0, 1, (40, 30, 3))
    image[10:20] += 3
    image[20:] += 8
    voxels = image.reshape(-1, 3)
    fits = [kmeans2(voxels, 3, minit="++", iter=100, rng=seed) for seed in range(3)]

    def spread(groups):
        means = np.stack([voxels[groups == level].mean(axis=0) for level in range(3)])
        return ((voxels - means[groups]) ** 2).sum()

    best = min(spread(groups) for _, groups in fits)
    assert spread(k_means(image, 3).ravel()) <= best * 1.001


def test_otsu_is_scikit_images_with_one_threshold():
    grey = np.random.default_rng(2).normal([[0.0], [5.0]], 1, (2, 500))
    image = grey.reshape(20, 50, 1)
    bin_width = np.ptp(grey) / 256
    assert otsu_thresholds(grey, 2)[0] == pytest.approx(threshold_otsu(grey), abs=bin_width)
    assert (otsu(image, 2) == (image[..., 0] > threshold_otsu(image))).mean() > 0.995


def test_rgb_is_weighed_as_eyes_do():
    # 0.2125 red + 0.7154 green + 0.0721 blue
    assert luminance(np.array([[[100.0, 0, 0], [0, 100, 0]]])).tolist() == [[21.25, 71.54]]


def test_neighbours_share_a_face():
    cross = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], bool)
    assert neighbours_in(cross).tolist() == [[2, 0, 2], [0, 4, 0], [2, 0, 2]]
    assert neighbours_in(np.ones((3, 3, 3), bool))[1, 1, 1] == 6


def test_a_potts_field_removes_lone_voxels_that_k_means_keeps():
    image, truth = block((24, 20), low=0, high=4, noise=1)
    wrong_alone, wrong = ((method(image, 2) != truth).sum() for method in (k_means, potts))
    assert wrong < wrong_alone / 4


@given(seed=st.integers(0, 1000), beta=st.floats(0, 5))
def test_a_sweep_over_one_colour_of_the_board_never_raises_the_energy(seed, beta):
    generator = np.random.default_rng(seed)
    costs = generator.normal(0, 1, (3, 6, 5))
    groups = generator.integers(0, 3, (6, 5)).astype(np.uint8)
    white = np.indices(groups.shape).sum(axis=0) % 2 == 0
    alike = np.stack([neighbours_in(groups == level) for level in range(3)])
    best = (costs - beta * alike).argmin(axis=0).astype(np.uint8)
    after = np.where(white, best, groups)
    assert potts_energy(costs, after, beta) <= potts_energy(costs, groups, beta) + 1e-9


def test_without_a_cost_of_neighbours_energy_is_that_of_the_voxels():
    costs = np.array([[[1.0, 2.0]], [[3.0, 5.0]]])
    groups = np.array([[0, 1]], np.uint8)
    # Voxel 0 in group 0 costs 1, voxel 1 in group 1 costs 5; they differ.
    assert potts_energy(costs, groups, 0) == 6
    assert potts_energy(costs, groups, 1.5) == 7.5


@pytest.mark.parametrize("spatial", [(40, 40), (30, 30, 4)])
def test_sobel_fills_what_edges_enclose(spatial):
    image, truth = block((*spatial[:2],), noise=0.5)
    if len(spatial) == 3:
        image = np.stack([image] * spatial[2], axis=2)
        truth = np.stack([truth] * spatial[2], axis=2)
    found = sobel(image)
    assert found[truth == 1].all()
    # An edge is two voxels wide, one of them outside.
    assert found.sum() <= truth.sum() * 1.5


def test_a_ring_is_filled_and_an_open_arc_is_not():
    rows, columns = np.indices((60, 60)) - 30
    radius = np.hypot(rows, columns)
    ring = np.where(abs(radius - 18) < 2, 200.0, 0.0)
    assert sobel(ring[..., None])[30, 30] == 1
    ring[:, :30] = 0
    assert sobel(ring[..., None])[30, 30] == 0


def test_smooth_is_the_half_of_the_low_gradient():
    generator = np.random.default_rng(3)
    image = np.zeros((40, 40, 1))
    image[:, 20:, 0] = generator.normal(0, 50, (40, 20))
    found = smooth_regions(image + generator.normal(0, 0.1, image.shape))
    assert found.mean() == pytest.approx(0.5, abs=0.01)
    assert found[:, :18].all()
    assert found[:, 22:].mean() < 0.15


@given(order=st.permutations(range(4)))
def test_numbering_by_brightness_forgets_the_old_numbers(order):
    image = np.repeat([3.0, 1.0, 7.0, 5.0], 6).reshape(4, 6, 1)
    groups = np.array(order)[:, None].repeat(6, axis=1)
    assert by_brightness(groups, image, 4)[:, 0].tolist() == [1, 0, 3, 2]
