import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from medseg.data.phantoms.fat.build import girth_at, sample_fat_build
from medseg.data.phantoms.fat.phantom import FatPhantom, fat_phantom
from tests.strategies import seeds

SMALL = (192, 96)
SAT, VAT = 1, 2


@pytest.fixture(scope="module")
def slices() -> list[FatPhantom]:
    """Six slices at full size."""
    return [fat_phantom(seed, number) for seed in range(3) for number in range(2)]


@settings(max_examples=6)
@given(seed=seeds, number=st.integers(0, 20))
def test_a_seed_names_one_patient_and_a_number_one_slice(seed, number):
    first, again = (fat_phantom(seed, number, shape=SMALL) for _ in range(2))
    other, next_slice = (
        fat_phantom(seed + 1, number, shape=SMALL),
        fat_phantom(seed, number + 1, shape=SMALL),
    )
    assert first.image.tobytes() == again.image.tobytes()
    assert first.label.tobytes() == again.label.tobytes()
    assert first.affine.tobytes() == again.affine.tobytes()
    assert first.build == next_slice.build != other.build
    assert first.level != next_slice.level
    assert first.image.tobytes() not in (other.image.tobytes(), next_slice.image.tobytes())


@settings(max_examples=10)
@given(seed=seeds, shape=st.tuples(st.integers(16, 96), st.integers(16, 96)))
def test_any_shape_gives_a_slice_with_its_label(seed, shape):
    phantom = fat_phantom(seed, shape=shape)
    assert phantom.image.shape == phantom.label.shape == (*shape, 1)
    assert phantom.image.dtype == np.int16
    assert phantom.label.dtype == np.uint8
    assert phantom.image.min() >= 0
    assert phantom.image.max() <= 4095
    assert set(np.unique(phantom.label)) <= {0, SAT, VAT}
    assert "".join(nib.aff2axcodes(phantom.affine)) == "RAS"


@settings(max_examples=12)
@given(seed=seeds, level=st.floats(0, 1))
def test_fat_under_the_skin_surrounds_the_muscles_and_visceral_fat_lies_within_them(seed, level):
    label = fat_phantom(seed, level=level, shape=(384, 192)).label[..., 0]
    sat, vat = label == SAT, label == VAT
    # One ring, closed: its hole holds all visceral fat, and a wall of muscle is in between.
    ring, _ = ndimage.label(sat, np.ones((3, 3)))
    sizes = np.bincount(ring.ravel())[1:]
    assert sizes.max() > 0.999 * sizes.sum()
    hole = ndimage.binary_fill_holes(sat) & ~sat
    assert (hole | ~vat).all()
    assert not (ndimage.binary_dilation(sat, iterations=2) & vat).any()


def test_the_field_of_view_holds_the_body_but_for_a_sliver_now_and_then():
    made = [fat_phantom(seed, shape=SMALL).label[..., 0] for seed in range(40)]
    assert not any(label[[0, -1]].any() for label in made)
    assert sum(label[:, [0, -1]].any() for label in made) <= 2


def test_volumes_are_those_of_the_label(slices):
    for phantom in slices:
        voxel_ml = np.prod(nib.affines.voxel_sizes(phantom.affine)) / 1000
        assert phantom.sat_ml == pytest.approx((phantom.label == SAT).sum() * voxel_ml, rel=1e-9)
        assert phantom.vat_ml == pytest.approx((phantom.label == VAT).sum() * voxel_ml, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_volumes_hardly_depend_on_the_size_of_a_pixel(seed):
    # Anatomy is given in millimetres: half as many pixels show the same slice.
    fine, coarse = fat_phantom(seed), fat_phantom(seed, shape=(384, 192))
    assert coarse.sat_ml == pytest.approx(fine.sat_ml, rel=0.01)
    assert coarse.vat_ml == pytest.approx(fine.vat_ml, rel=0.02)


@settings(max_examples=10)
@given(seed=seeds, bmi=st.floats(19, 38), sex=st.sampled_from(["female", "male"]))
def test_a_higher_bmi_is_a_wider_body_with_more_fat_under_the_skin(seed, bmi, sex):
    less, more = (fat_phantom(seed, sex=sex, bmi=b, level=0.3, shape=SMALL) for b in (bmi, bmi + 4))
    assert more.sat_ml > less.sat_ml
    for narrow, wide in zip(
        girth_at(less.build, 0.3).body, girth_at(more.build, 0.3).body, strict=True
    ):
        assert wide > narrow


def test_visceral_fat_grows_with_bmi_on_the_whole():
    # Not in each patient: where loops of bowel happen to lie differs.
    mean_ml = [
        np.mean(
            [fat_phantom(seed, bmi=bmi, level=0.3, shape=(96, 48)).vat_ml for seed in range(12)]
        )
        for bmi in (19, 27, 35, 42)
    ]
    assert (np.diff(mean_ml) > 5).all()


def test_women_store_fat_under_the_skin_and_men_between_the_organs():
    def shares(sex):
        made = [fat_phantom(seed, sex=sex, bmi=28, shape=(96, 48)) for seed in range(16)]
        return np.mean([p.vat_ml / (p.vat_ml + p.sat_ml) for p in made])

    assert shares("female") + 0.15 < shares("male")


def test_patients_are_spread_over_sex_bmi_and_levels():
    builds = [sample_fat_build(np.random.default_rng(seed)) for seed in range(200)]
    bmi = [build.bmi for build in builds]
    assert 70 < sum(build.sex == "female" for build in builds) < 130
    assert 24 < np.median(bmi) < 29
    assert min(bmi) < 20
    assert max(bmi) > 36
    levels = [fat_phantom(0, number, shape=(16, 16)).level for number in range(5)]
    assert np.diff(sorted(levels)).min() > 0.1


def test_fat_is_bright_and_everything_else_of_the_body_mostly_dark(slices):
    for phantom in slices:
        image, label = phantom.image[..., 0].astype(float), phantom.label[..., 0]
        within = ndimage.binary_fill_holes(label > 0) & (label == 0)
        fat = np.median(image[label == VAT])
        assert np.median(image[within]) < 0.3 * fat
        # Marrow and fat between muscles are within it, and not asked for.
        assert (image[within] > 0.5 * fat).mean() > 0.03


def test_no_window_of_intensities_cuts_either_fat_out(slices):
    # Histograms over all slices, scaled: DSC of [low, high) is 2 TP / (TP + FP + of the class).
    edges = np.linspace(0, 1.5, 61)
    scaled = [p.image / np.percentile(p.image[p.label > 0], 90) for p in slices]
    for value in (SAT, VAT):
        own, other = (
            sum(
                np.histogram(s[(p.label == value) == wanted], edges)[0]
                for s, p in zip(scaled, slices, strict=True)
            )
            for wanted in (True, False)
        )
        found, wrong = (np.concatenate([[0], np.cumsum(counts)]) for counts in (own, other))
        low, high = np.triu_indices(len(found), 1)
        hits, false = found[high] - found[low], wrong[high] - wrong[low]
        assert 0.3 < (2 * hits / (hits + false + found[-1])).max() < 0.8


def test_noise_is_rician_with_a_positive_mean_in_air():
    phantom = fat_phantom(1, shape=SMALL)
    air = phantom.image[:8, :8, 0].astype(float)
    # Rayleigh: the mean is 1.91 times the standard deviation.
    assert air.min() >= 0
    assert air.mean() == pytest.approx(1.91 * air.std(), rel=0.35)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": (64, 7)}, r"shape must be 2 whole numbers from 8, got \(64, 7\)"),
        ({"bmi": 12.0}, r"bmi must be in \[17, 42\], got 12"),
        ({"level": 1.5}, r"level must be in \[0, 1\], got 1.5"),
    ],
)
def test_a_slice_that_cannot_be_made_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        fat_phantom(0, **arguments)
