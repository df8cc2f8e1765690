"""Estimates of a cache against what it really took."""

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from monai.transforms import Compose, LoadImaged, Orientationd, ScaleIntensityRanged, Spacingd
from PIL import Image

from medseg.data.cases.disk_entry import encode_entry
from medseg.data.cases.estimate import (
    CaseSize,
    Extents,
    estimate,
    read_extents,
    representative_cases,
)
from medseg.data.cases.packed import pack_case, packed_bytes
from medseg.data.cases.preparing import prepare_case
from medseg.errors import DataError
from medseg.transforms import ClassVoxelsd

KEYS = ["image", "label"]
LOAD = [LoadImaged(KEYS, reader="NibabelReader", image_only=True, ensure_channel_first=True)]
TO_UNIT = ScaleIntensityRanged("image", -1000, 1000, 0.0, 1.0, clip=True)
RESAMPLE = [
    Orientationd(KEYS, axcodes="RAS", labels=None),
    Spacingd(KEYS, pixdim=(2.0, 2.0, 2.0), mode=["bilinear", "nearest"]),
]
RECIPES = {
    "as it is": Compose([*LOAD, TO_UNIT]),
    "resampled": Compose([*LOAD, *RESAMPLE, TO_UNIT]),
    "with lists of voxels": Compose(
        [*LOAD, *RESAMPLE, TO_UNIT, ClassVoxelsd("label", max_voxels=100)]
    ),
}


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """Nine bodies in air, of voxels between 1 and 4 mm, along other axes than RAS."""
    folder = tmp_path_factory.mktemp("cases")
    rng = np.random.default_rng(0)
    cases = []
    for number in range(9):
        spacing = rng.uniform(1, 4, 3)
        shape = np.round(rng.uniform(150, 200, 3) / spacing).astype(int)
        places = np.stack(np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij"))
        body = (places**2).sum(0) < 0.8
        image = np.where(body, rng.normal(40, 20, shape), -1000).astype(np.int16)
        label = ((places**2).sum(0) < 0.3).astype(np.uint8)
        affine = np.diag([-spacing[0], spacing[1], -spacing[2], 1])[[1, 2, 0, 3]]
        paths = {key: str(folder / f"{key}_{number}.nii.gz") for key in KEYS}
        nib.save(nib.Nifti1Image(image, affine), paths["image"])
        nib.save(nib.Nifti1Image(label, affine), paths["label"])
        cases.append({"case": f"case_{number}", **paths})
    return cases


def size(packed):
    disk = sum(map(len, encode_entry(packed).values()))
    return CaseSize(int(np.prod(packed["image"].shape)), packed_bytes(packed), disk)


@pytest.mark.parametrize("recipe", RECIPES)
def test_estimates_are_within_a_tenth_of_the_truth(cases, recipe):
    sizes = [size(prepare_case(RECIPES[recipe], case)) for case in cases]
    extents = read_extents(cases)
    expected = estimate(extents, {index: sizes[index] for index in representative_cases(extents)})
    truth = CaseSize.total(sizes)
    assert expected.ram_bytes == pytest.approx(truth.ram_bytes, rel=0.1)
    assert expected.disk_bytes == pytest.approx(truth.disk_bytes, rel=0.1)


def test_two_cases_stand_for_three_by_hand():
    # Voxels of 1 and 8 mm^3; those prepared at 2 mm have as many voxels as volume / 8.
    extents = Extents(np.array([800.0, 100, 100]), np.array([800.0, 800, 800]))
    assert representative_cases(extents) == [0, 2]
    alike = CaseSize(voxels=100, ram_bytes=300, disk_bytes=200)
    assert estimate(extents, {0: alike, 2: alike}) == CaseSize(300, 900, 600)
    as_it_is = CaseSize(voxels=800, ram_bytes=2400, disk_bytes=1600)
    assert estimate(extents, {0: as_it_is, 2: alike}) == CaseSize(1000, 3000, 2000)


@given(st.lists(st.tuples(st.integers(1, 1000), st.floats(0.1, 10)), min_size=1, max_size=6))
def test_the_estimate_is_exact_if_all_sizes_are_known(drawn):
    voxels, mm3 = np.array(drawn, dtype=float).T
    sizes = {i: CaseSize(int(n), 3 * int(n), 2 * int(n)) for i, n in enumerate(voxels)}
    assert estimate(Extents(voxels, voxels * mm3), sizes) == CaseSize.total(sizes.values())


def test_headers_are_read_with_their_spacing(tmp_path):
    nib.save(nib.Nifti1Image(np.zeros((4, 5, 6)), np.diag([1, 2, 3, 1])), tmp_path / "a.nii.gz")
    extents = read_extents([{"image": [tmp_path / "a.nii.gz", tmp_path / "a.nii.gz"]}])
    np.testing.assert_allclose([extents.voxels, extents.volume_mm3], [[240], [1440]])


def test_pictures_are_sized_by_their_files(tmp_path):
    for name, side in {"a.png": 64, "b.png": 8}.items():
        noise = np.random.default_rng(0).integers(0, 255, (side, side), np.uint8)
        Image.fromarray(noise).save(tmp_path / name)
    extents = read_extents([{"image": str(tmp_path / name)} for name in ("a.png", "b.png")])
    assert extents.voxels[0] > 10 * extents.voxels[1]
    np.testing.assert_array_equal(extents.voxels, extents.volume_mm3)


def test_cases_without_files_count_alike():
    packed = pack_case({"image": np.zeros((1, 3, 3))}, {})
    extents = read_extents([{"image": "made", "seed": 1}, {"image": "made", "seed": 2}])
    assert estimate(extents, {0: size(packed)}).ram_bytes == 2 * packed_bytes(packed)


def test_a_damaged_header_is_reported(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"nothing like it")
    with pytest.raises(DataError, match=r"a\.nii: cannot be read as NIfTI"):
        read_extents([{"image": str(tmp_path / "a.nii")}])
