"""Abdominal fat MR phantom: synthetic fat images of a Dixon scan, slice by slice.

No data set of such images with labels of subcutaneous and visceral fat may be redistributed, so the
bundle for abdominal fat is trained and tested on phantoms. Both kinds of fat are as bright as bone
marrow, fat between muscles, or an arm at the edge: only the position distinguishes them, and no
threshold does. A model trained on phantoms knows nothing about patients.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medseg._checks import require_fraction, require_number, require_sizes
from medseg.data.phantoms.fat.build import (
    LEAST_BMI,
    MOST_BMI,
    FatBuild,
    Girth,
    Sex,
    girth_at,
    sample_fat_build,
)
from medseg.data.phantoms.fat.scanner import sample_settings, scan_fat
from medseg.data.phantoms.fat.shapes import form_fat_shapes
from medseg.data.phantoms.fat.slice_grid import SliceGrid
from medseg.data.phantoms.fat.tissue import paint_slice

__all__ = ["FAT_SHAPE", "FatPhantom", "fat_phantom"]

FAT_SHAPE = (768, 384)
BACKGROUND, SAT, VAT = 0, 1, 2
# From the fifth to the first lumbar vertebra.
LUMBAR_MM = 150.0
THICKNESS_MM = 8.0
NOMINAL_MM = 0.7
# Golden ratio: spreads any number of slices evenly over the abdomen.
GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, kw_only=True, eq=False)
class FatPhantom:
    """One slice of one patient.

    Attributes:
        image: `(I, J, 1)`, the fat image in arbitrary units, [0, 4095].
        label: `(I, J, 1)`, 0 background, 1 subcutaneous fat (SAT), 2 visceral fat (VAT).
        affine: `(4, 4)`, voxel indices to RAS+ millimetres.
        build: The patient.
        level: 0 at the fifth lumbar vertebra to 1 at the first.
    """

    image: NDArray[np.int16]
    label: NDArray[np.uint8]
    affine: NDArray[np.float64]
    build: FatBuild
    level: float

    @property
    def sat_ml(self) -> float:
        """Subcutaneous fat of the slice, in ml."""
        return self._ml(SAT)

    @property
    def vat_ml(self) -> float:
        """Visceral fat of the slice, in ml."""
        return self._ml(VAT)

    def _ml(self, value: int) -> float:
        voxel_mm3 = abs(float(np.linalg.det(self.affine[:3, :3])))
        return float((self.label == value).sum()) * voxel_mm3 / 1000


def fat_phantom(
    seed: int,
    number: int = 0,
    *,
    shape: tuple[int, int] = FAT_SHAPE,
    sex: Sex | None = None,
    bmi: float | None = None,
    level: float | None = None,
) -> FatPhantom:
    """Generate one slice.

    Args:
        seed: Seed of the patient, 0 or more; the same seed and number give the same bytes.
        number: Number of the slice, 0 or more; a patient's slices lie at different levels.
        shape: Pixels from left to right and from back to front; the field of view depends on the
            patient only, so fewer pixels are larger.
        sex: Drawn if None.
        bmi: Body mass index in [17, 42]; drawn if None.
        level: In [0, 1]; 0 at the fifth lumbar vertebra, 1 at the first; drawn if None.

    Raises:
        ValueError: If an argument is out of its range.
    """
    _check(shape, bmi, level)
    of_patient = np.random.default_rng(seed).spawn(2)
    build = sample_fat_build(of_patient[0], sex, bmi)
    settings = sample_settings(of_patient[1])
    first = of_patient[1].random()
    drawn = float((first + number * GOLDEN) % 1.0)
    level = drawn if level is None else level
    girth = girth_at(build, level)
    grid = _grid(of_patient[1].uniform(-8, 8, 2), shape, girth_at(build, 0.0))
    rngs = np.random.default_rng((seed, number)).spawn(3)
    shapes = form_fat_shapes(rngs[0], grid, build, girth, level)
    painted = paint_slice(rngs[1], grid, shapes, build, girth)
    image = scan_fat(rngs[2], grid, painted, settings, girth)
    label = np.zeros(shape, np.uint8)
    label[painted.subcutaneous > 0] = SAT
    label[painted.visceral > 0] = VAT
    return FatPhantom(
        image=image[..., None],
        label=label[..., None],
        affine=_affine(grid, level),
        build=build,
        level=level,
    )


def _check(shape: tuple[int, int], bmi: float | None, level: float | None) -> None:
    require_sizes("shape", shape, axes=(2,), at_least=8)
    if bmi is not None:
        require_number("bmi", bmi, at_least=LEAST_BMI, at_most=MOST_BMI)
    if level is not None:
        require_fraction("level", level)


def _grid(shift_mm: NDArray[np.float64], shape: tuple[int, int], girth: Girth) -> SliceGrid:
    """Field of view of the patient's deepest slice; it may cut off a sliver of skin."""
    _, front, back = girth.body
    deep_mm = max(NOMINAL_MM * FAT_SHAPE[1], 1.04 * (front + back) + 2 * abs(shift_mm[1]))
    return SliceGrid(
        shape=shape,
        field_mm=float(deep_mm * shape[0] / shape[1]),
        centre_mm=(float(shift_mm[0]), float((front - back) / 2 + shift_mm[1])),
    )


def _affine(grid: SliceGrid, level: float) -> NDArray[np.float64]:
    affine = np.diag([grid.spacing_mm, grid.spacing_mm, THICKNESS_MM, 1.0])
    affine[:3, 3] = (float(grid.x[0, 0]), float(grid.y[0, 0]), round(level * LUMBAR_MM, 1))
    return affine
