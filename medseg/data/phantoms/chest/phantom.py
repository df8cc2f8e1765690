"""Chest CT phantom: a synthetic chest with lungs and infection, and its label.

Real chest CT with reference masks of infection may not be redistributed, so the bundle for COVID-19
is trained and tested on phantoms: lungs, airways, vessels, bones and organs in Hounsfield units,
with ground glass and consolidation that no threshold can segment. They serve tests, tutorials and
dry runs; a model trained on them knows nothing about patients.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medseg._checks import require_sizes, require_whole_number
from medseg.data.phantoms.chest.body import Shapes, form_shapes, sample_build
from medseg.data.phantoms.chest.canvas import BLOOD_HU, Canvas
from medseg.data.phantoms.chest.lesions import Lesion, paint_lesions, sample_lesions
from medseg.data.phantoms.chest.lungs import Trees, grow_trees, paint_parenchyma
from medseg.data.phantoms.chest.scanner import scan
from medseg.data.phantoms.chest.tissue import paint_tissue
from medseg.data.phantoms.grid import coverage, sample_grid
from medseg.errors import UsageError

__all__ = ["Phantom", "chest_phantom"]

SHAPE = (160, 128, 72)
ORIENTATIONS = ("RAS", "LPS", "LAS", "RAI", "LPI")
BACKGROUND, LUNG, INFECTION = 0, 1, 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Phantom:
    """One case.

    Attributes:
        image: `(I, J, K)` in HU, [-1024, 3071].
        label: `(I, J, K)`, 0 background, 1 lung, 2 infection.
        affine: `(4, 4)`, voxel indices to RAS+ millimetres.
        lesions: The foci of infection; a small one may hold no voxel of its own.
    """

    image: NDArray[np.int16]
    label: NDArray[np.uint8]
    affine: NDArray[np.float64]
    lesions: tuple[Lesion, ...]

    def flipped(self, *axes: int) -> "Phantom":
        """The same chest in the same position, with some array axes reversed."""
        affine = self.affine.copy()
        for axis in axes:
            affine[:3, 3] += affine[:3, axis] * (self.image.shape[axis] - 1)
            affine[:3, axis] *= -1
        return Phantom(
            image=np.ascontiguousarray(np.flip(self.image, axes)),
            label=np.ascontiguousarray(np.flip(self.label, axes)),
            affine=affine,
            lesions=self.lesions,
        )


def chest_phantom(
    seed: int,
    *,
    shape: tuple[int, int, int] = SHAPE,
    lesions: int | None = None,
    orientation: str | None = None,
) -> Phantom:
    """Generate one chest CT.

    Args:
        seed: Seed of the case, 0 or more; the same seed gives the same bytes.
        shape: Voxels from left to right, back to front and foot to head; the field of view is
            always that of a chest, so fewer voxels are larger.
        lesions: Number of foci of infection, 0 for a chest without; drawn from 3 to 12 if None.
        orientation: Axis codes without permutation such as `"LPS"`; drawn if None.

    Raises:
        ValueError: If an axis is shorter than 8 voxels or the orientation is unknown.
    """
    _check(shape, lesions, orientation)
    rngs = np.random.default_rng(seed).spawn(7)
    grid = sample_grid(rngs[0], shape)
    build = sample_build(rngs[1])
    shapes = form_shapes(rngs[1], grid, build)
    canvas = paint_tissue(rngs[2], grid, shapes, build)
    trees = grow_trees(rngs[3], grid, shapes)
    density = paint_parenchyma(rngs[4], grid, shapes)
    foci = sample_lesions(rngs[5], grid, shapes, lesions)
    infection = paint_lesions(rngs[5], grid, density, foci)
    _paint_lungs(canvas, shapes, trees, density)
    image = scan(rngs[6], grid, shapes.body, canvas.image)
    label = _label(shapes, trees, infection)
    axes = orientation or ORIENTATIONS[rngs[0].integers(len(ORIENTATIONS))]
    return _stored_as(axes, Phantom(image=image, label=label, affine=grid.affine, lesions=foci))


def _check(shape: tuple[int, int, int], lesions: int | None, orientation: str | None) -> None:
    require_sizes("shape", shape, axes=(3,), at_least=8)
    if lesions is not None:
        require_whole_number("lesions", lesions, at_least=0)
    if orientation is not None and (
        len(orientation) != 3
        or any(c not in pair for c, pair in zip(orientation, ("LR", "AP", "IS"), strict=True))
    ):
        raise UsageError(
            f"orientation must be one of L R, one of A P, one of I S, got {orientation!r}"
        )


def _paint_lungs(
    canvas: Canvas, shapes: Shapes, trees: Trees, density: NDArray[np.float32]
) -> None:
    # Small airways first, so that they do not cover the vessels next to them.
    density += trees.walls * (-260 - density)
    density += trees.vessels * (BLOOD_HU - density)
    canvas.paint_inside(shapes.lung, density)
    canvas.paint(trees.trunk, 20)
    inside = np.maximum(trees.trunk, coverage(shapes.lung, canvas.grid.spacing_mm[0]))
    canvas.paint(np.minimum(trees.lumens, inside), -985)


def _label(shapes: Shapes, trees: Trees, infection: NDArray[np.float32]) -> NDArray[np.uint8]:
    lung = (shapes.lung > 0) & (trees.trunk < 0.5)
    label = np.where(lung, LUNG, BACKGROUND).astype(np.uint8)
    label[lung & (infection > 0)] = INFECTION
    return label


def _stored_as(orientation: str, phantom: Phantom) -> Phantom:
    stored = zip(orientation, "RAS", strict=True)
    return phantom.flipped(*(axis for axis, (code, own) in enumerate(stored) if code != own))
