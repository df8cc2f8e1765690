from itertools import pairwise

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from medseg.data.phantoms.chest.phantom import Phantom, chest_phantom
from tests.strategies import seeds

SMALL = (32, 24, 16)
orientations = st.tuples(*(st.sampled_from(pair) for pair in ("LR", "AP", "IS"))).map("".join)


@pytest.fixture(scope="module")
def chests() -> list[Phantom]:
    """Four cases at full size, each with disease."""
    return [chest_phantom(seed, lesions=lesions) for seed, lesions in enumerate((6, 1, 4, 12))]


def _voxel_ml(phantom: Phantom) -> float:
    return abs(np.linalg.det(phantom.affine[:3, :3])) / 1000


@settings(max_examples=6)
@given(seed=seeds)
def test_a_seed_names_one_case(seed: int):
    first, again, other = (chest_phantom(s, shape=SMALL) for s in (seed, seed, seed + 1))
    assert first.image.tobytes() == again.image.tobytes()
    assert first.label.tobytes() == again.label.tobytes()
    assert first.affine.tobytes() == again.affine.tobytes()
    assert first.lesions == again.lesions
    assert first.image.tobytes() != other.image.tobytes()


@settings(max_examples=10)
@given(seed=seeds, shape=st.tuples(*[st.integers(8, 24)] * 3), orientation=orientations)
def test_any_shape_and_orientation_gives_a_ct_with_its_labels(seed, shape, orientation):
    phantom = chest_phantom(seed, shape=shape, orientation=orientation)
    assert phantom.image.shape == phantom.label.shape == shape
    assert phantom.image.dtype == np.int16
    assert phantom.label.dtype == np.uint8
    assert phantom.image.min() >= -1024
    assert phantom.image.max() <= 3071
    assert set(np.unique(phantom.label)) <= {0, 1, 2}
    assert "".join(nib.aff2axcodes(phantom.affine)) == orientation
    axes = phantom.affine[:3, :3] / np.linalg.norm(phantom.affine[:3, :3], axis=0)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)


@settings(max_examples=6)
@given(seed=seeds, orientation=orientations)
def test_how_axes_are_stored_moves_nothing_in_the_world(seed, orientation):
    plain = chest_phantom(seed, shape=SMALL, orientation="RAS")
    stored = chest_phantom(seed, shape=SMALL, orientation=orientation)
    canonical = nib.as_closest_canonical(nib.Nifti1Image(stored.image, stored.affine))
    np.testing.assert_array_equal(np.asarray(canonical.dataobj), plain.image)
    np.testing.assert_allclose(canonical.affine, plain.affine, atol=1e-9)


def test_some_cases_are_oblique_and_some_are_not_stored_as_ras():
    affines = [chest_phantom(seed, shape=(8, 8, 8)).affine for seed in range(20)]
    oblique = [not np.allclose(nib.affines.obliquity(affine), 0, atol=1e-6) for affine in affines]
    codes = {"".join(nib.aff2axcodes(affine)) for affine in affines}
    assert 4 < sum(oblique) < 16
    assert len(codes) > 3


def test_disease_adds_infection_inside_the_lung_and_changes_nothing_else():
    ill = chest_phantom(3, shape=(64, 48, 32), lesions=8)
    well = chest_phantom(3, shape=(64, 48, 32), lesions=0)
    assert (ill.label == 2).any()
    assert not (well.label == 2).any()
    np.testing.assert_array_equal(ill.label > 0, well.label > 0)
    # The scanner's blur carries a change two voxels at most beyond the lung.
    reach = ndimage.binary_dilation(well.label > 0, iterations=3)
    np.testing.assert_array_equal(ill.image[~reach], well.image[~reach])
    assert ill.image[ill.label == 2].mean() > well.image[ill.label == 2].mean() + 100


def test_lesions_lie_where_they_say(chests: list[Phantom]):
    for phantom, count in zip(chests, (6, 1, 4, 12), strict=True):
        assert len(phantom.lesions) == count
        for lesion in phantom.lesions:
            voxel = np.linalg.inv(phantom.affine) @ (*lesion.centre_mm, 1)
            # The distance to the pleura is followed over a voxel, so look one voxel around.
            i, j, k = np.rint(voxel[:3]).astype(int)
            around = phantom.label[i - 1 : i + 2, j - 1 : j + 2, k - 1 : k + 2]
            assert (around > 0).any()


def test_three_to_twelve_foci_are_drawn_and_none_only_when_asked_for():
    counts = [len(chest_phantom(seed, shape=(8, 8, 8)).lesions) for seed in range(60)]
    assert {min(counts), max(counts)} == {3, 12}
    assert chest_phantom(0, shape=(8, 8, 8), lesions=0).lesions == ()


def test_the_infected_share_of_the_lung_is_spread_as_in_real_masks():
    # The seven Coronacases: 2.4 to 14.8 % of the lung, median 5.3 % (docs/decisions/0010).
    labels = [chest_phantom(seed, shape=(64, 48, 32)).label for seed in range(40)]
    shares = [(label == 2).sum() / (label > 0).sum() for label in labels]
    assert 0.03 < np.median(shares) < 0.08
    assert 0.003 < min(shares) < 0.02
    assert 0.1 < max(shares) < 0.35


def test_lungs_have_the_volume_of_an_adults_and_the_right_one_is_larger(chests: list[Phantom]):
    for phantom in chests:
        lung = phantom.label > 0
        assert 2000 < lung.sum() * _voxel_ml(phantom) < 6000
        parts, _ = ndimage.label(lung)
        sizes = np.bincount(parts.ravel())[1:]
        left, right = sorted(
            np.argsort(sizes)[-2:] + 1,
            key=lambda part: (phantom.affine @ (*np.argwhere(parts == part).mean(0), 1))[0],
        )
        # Two lungs and hardly anything else; RAS+ x grows to the patient's right.
        assert sizes[[left - 1, right - 1]].sum() > 0.98 * lung.sum()
        assert sizes[right - 1] > sizes[left - 1] > 0.2 * lung.sum()


def test_tissues_have_their_hounsfield_units(chests: list[Phantom]):
    for phantom in chests:
        image, lung = phantom.image, phantom.label == 1
        assert -880 < np.median(image[lung]) < -680
        assert -700 < np.median(image[phantom.label == 2]) < 60
        # Around the lungs: soft tissue; somewhere: cortical bone; at the edge: air.
        rim = ndimage.binary_dilation(phantom.label > 0, iterations=8)
        rim &= ~ndimage.binary_dilation(phantom.label > 0, iterations=3)
        assert -60 < np.median(image[rim]) < 90
        assert np.percentile(image, 99.5) > 250
        assert abs(np.median(image[:, :, [0, -1]][image[:, :, [0, -1]] < -900]) + 1000) < 15


def test_trachea_is_air_inside_the_chest_but_no_lung(chests: list[Phantom]):
    for phantom in chests:
        air = phantom.image < -850
        outside, _ = ndimage.label(air & (phantom.label == 0))
        filled = ndimage.binary_erosion(phantom.image > -300, iterations=1)
        body = np.stack(
            [ndimage.binary_fill_holes(filled[:, :, k]) for k in range(air.shape[2])], axis=2
        )
        assert (body & (outside > 0)).sum() * _voxel_ml(phantom) > 5


def test_no_threshold_and_no_window_cuts_the_infection_out(chests: list[Phantom]):
    # Histograms over all cases: DSC of [low, high) is 2 TP / (TP + FP + infected).
    edges = np.arange(-1030, 400, 20)
    lung, infected = (
        sum(np.histogram(p.image[p.label == value], edges)[0] for p in chests) for value in (1, 2)
    )
    found, wrong = (np.concatenate([[0], np.cumsum(counts)]) for counts in (infected, lung))
    low, high = np.triu_indices(len(found), 1)
    hits, false = found[high] - found[low], wrong[high] - wrong[low]
    dsc = 2 * hits / (hits + false + found[-1])
    assert 0.1 < dsc.max() < 0.5


def test_flipping_twice_gives_the_case_back():
    phantom = chest_phantom(5, shape=SMALL)
    for axes in pairwise((0, 1, 2, 0)):
        back = phantom.flipped(*axes).flipped(*axes)
        np.testing.assert_array_equal(back.image, phantom.image)
        np.testing.assert_array_equal(back.label, phantom.label)
        np.testing.assert_allclose(back.affine, phantom.affine, atol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": (64, 7, 64)}, r"shape must be 3 whole numbers from 8, got \(64, 7, 64\)"),
        ({"lesions": -1}, "lesions must be a whole number from 0, got -1"),
        ({"orientation": "ARS"}, "orientation must be one of L R, .* got 'ARS'"),
        ({"orientation": "LP"}, "orientation must be one of L R, .* got 'LP'"),
    ],
)
def test_a_case_that_cannot_be_made_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        chest_phantom(0, **arguments)
