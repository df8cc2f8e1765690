"""Markov random field: Gaussian groups with a Potts prior, by iterated conditional modes.

Each group has a mean and a variance for each channel; a pair of neighbours in different groups
costs `beta`. Neighbours share a face: 4 in 2-D, 6 in 3-D. The voxels are taken like the squares of
a chess board, first the white ones and then the black: none of one colour are neighbours, so that
no step can raise the energy.

Reference:
    Besag, On the statistical analysis of dirty pictures, J. R. Stat. Soc. B 1986.
    https://doi.org/10.1111/j.2517-6161.1986.tb01412.x
"""

import numpy as np
from numpy.typing import NDArray

from medseg.studies.baselines.brightness import Floats, IndexMap, by_brightness
from medseg.studies.baselines.k_means import k_means

__all__ = ["neighbours_in", "potts", "potts_energy"]

BETA = 1.5
_MOST_SWEEPS = 30
# Relative to the image's variance: a group of equal voxels would cost nothing at all.
_LEAST_VARIANCE = 1e-4


def potts(image: Floats, levels: int, *, beta: float = BETA, seed: int = 0) -> IndexMap:
    """Group voxels by channels and neighbours, beginning with `k_means`.

    Args:
        image: `(*spatial, C)`.
        levels: Number of groups, at least 2.
        beta: Cost of two neighbours in different groups, in units of the log-likelihood.
        seed: Of `k_means`.

    Returns:
        `(*spatial)`, from 0, the darkest group.
    """
    groups = k_means(image, levels, seed=seed)
    white = np.indices(groups.shape).sum(axis=0) % 2 == 0
    for _ in range(_MOST_SWEEPS):
        before = groups.copy()
        costs = _costs(image, groups, levels)
        for colour in (white, ~white):
            alike = np.stack([neighbours_in(groups == level) for level in range(levels)])
            best = (costs - beta * alike).argmin(axis=0).astype(np.uint8)
            groups = np.where(colour, best, groups)
        if (groups == before).all():
            break
    return by_brightness(groups, image, levels)


def potts_energy(costs: Floats, groups: NDArray[np.uint8], beta: float) -> float:
    """Energy of a map: the voxels' costs, and `beta` for each pair of unlike neighbours.

    Args:
        costs: `(levels, *spatial)`, cost of each voxel in each group.
        groups: `(*spatial)`.
        beta: Cost of a pair.
    """
    own = np.take_along_axis(costs, groups[None].astype(np.intp), axis=0).sum()
    pairs = sum(int((np.diff(groups.astype(int), axis=a) != 0).sum()) for a in range(groups.ndim))
    return float(own) + beta * pairs


def neighbours_in(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Count the neighbours of each voxel that are in a mask; `(*spatial)`, at most 2 per axis."""
    count = np.zeros(mask.shape, np.uint8)
    for axis in range(mask.ndim):
        ahead, behind = (np.moveaxis(one, axis, 0) for one in (count, mask))
        ahead[1:] += behind[:-1]
        ahead[:-1] += behind[1:]
    return count


def _costs(image: Floats, groups: NDArray[np.uint8], levels: int) -> Floats:
    """Negative log-likelihood of each voxel in each group, `(levels, *spatial)`, but a constant."""
    least = _LEAST_VARIANCE * image.var(axis=tuple(range(groups.ndim))) + np.finfo(float).tiny
    costs = np.full((levels, *groups.shape), np.inf)
    for level in range(levels):
        members = image[groups == level]
        if len(members):  # a group that has lost its voxels stays empty
            variance = np.maximum(members.var(axis=0), least)
            distance = (image - members.mean(axis=0)) ** 2 / variance + np.log(variance)
            costs[level] = distance.sum(axis=-1) / 2
    return costs
