"""Neighbouring pictures: sections of one stack or frames of one film, dealt over folds.

Neighbours in a stack are nearly the same, so a network that has trained on one knows the other, and
its scores promise what it will not keep on another stack. Their names are numbered and their
pictures alike: a coarse sketch of each is kept, and neighbours are compared with pictures half a
series away, which for unrelated pictures makes no difference.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg._checks import first_few
from medseg.data.datasets.facts import CaseReport
from medseg.data.problems import Problem

__all__ = ["one_stack_problems", "sketch_of"]

# Rows and columns of a sketch: enough to tell one scene from another.
_SIZE = 16
_LEAST_PICTURES = 6
# Neighbours in films of cells and in stacks of electron microscopy correlate by 0.65 to 0.75, which
# is 0.3 to 0.6 more than distant pictures do; between unrelated ones it is less than 0.1.
_ALIKE, _MORE_THAN_DISTANT = 0.5, 0.2
_NUMBERED = re.compile(r"(.*?)([0-9]+)([^0-9]*)")
_SHOWN = 3


def sketch_of(array: NDArray[Any]) -> NDArray[np.float32] | None:
    """Means of 16 x 16 blocks of a single slice, with mean 0 and length 1.

    Args:
        array: `(I, J, K)`, or `(I, J, K, C)` for colours.

    Returns:
        `(256,)`; None for volumes of several slices, small and constant pictures, and NaN.
    """
    if array.shape[2] != 1 or min(array.shape[:2]) < _SIZE:
        return None
    plane = array[:, :, 0].reshape(*array.shape[:2], -1).mean(axis=-1, dtype=np.float64)
    rows, columns = (np.arange(_SIZE) * size // _SIZE for size in plane.shape)
    sums = np.add.reduceat(np.add.reduceat(plane, rows, axis=0), columns, axis=1)
    sizes = (
        np.diff(edges, append=size)
        for edges, size in zip((rows, columns), plane.shape, strict=True)
    )
    means = sums / np.outer(*sizes)
    means -= means.mean()
    length = float(np.linalg.norm(means))
    if not np.isfinite(length) or length < 1e-6 * max(1.0, float(np.abs(plane).max())):
        return None
    return (means / length).ravel().astype(np.float32)


def one_stack_problems(cases: Sequence[CaseReport]) -> Iterator[Problem]:
    """Yield a warning for each series of numbered pictures that are alike and apart."""
    for series in _series(cases):
        apart = [
            (one, other)
            for one, other in pairwise(series)
            if one.patient != other.patient and one.place != other.place
        ]
        half = len(series) // 2
        distant = list(zip(series, series[half:], strict=False))
        if len(series) < _LEAST_PICTURES or not apart:
            continue
        near, far = _likeness(apart), _likeness(distant)
        if near > _ALIKE and near - far > _MORE_THAN_DISTANT:
            names = first_few((f"{one.case} and {other.case}" for one, other in apart), _SHOWN)
            what = (
                f"{names} are neighbours by number and nearly alike, but different patients in "
                "different folds, which is a leak if they are of one stack or film"
            )
            remedy = (
                "make a stack one patient (medseg data manifest --patient-regex); nothing if they "
                "are different patients"
            )
            yield Problem("warning", "data set", what, remedy)


def _series(cases: Sequence[CaseReport]) -> list[list[CaseReport]]:
    """Cases with a sketch whose names differ in one number alone, in the order of the number."""
    series: defaultdict[tuple[str, str], list[tuple[int, CaseReport]]] = defaultdict(list)
    for case in cases:
        match = _NUMBERED.fullmatch(case.case)
        if match and case.sketch is not None and len(match[2]) <= 18:
            series[match[1], match[3]].append((int(match[2]), case))
    return [[case for _, case in sorted(one, key=lambda item: item[0])] for one in series.values()]


def _likeness(pairs: Sequence[tuple[CaseReport, CaseReport]]) -> float:
    """Median correlation of the sketches of pairs."""
    found = [
        float(one.sketch @ other.sketch)
        for one, other in pairs
        if one.sketch is not None and other.sketch is not None
    ]
    return float(np.median(found)) if found else 0.0
