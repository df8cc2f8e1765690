"""What medseg uses of scipy.ndimage, which has no annotations of its own."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

def binary_dilation(input: NDArray[Any], *, iterations: int = 1) -> NDArray[np.bool_]: ...
def binary_erosion(
    input: NDArray[Any], *, iterations: int = 1, border_value: int = 0
) -> NDArray[np.bool_]: ...
def binary_fill_holes(
    input: NDArray[Any], structure: NDArray[Any] | None = None
) -> NDArray[np.bool_]: ...
def distance_transform_edt(
    input: NDArray[Any], sampling: float | Sequence[float] | None = None
) -> NDArray[np.float64]: ...
def gaussian_filter(
    input: NDArray[Any],
    sigma: float | Sequence[float],
    *,
    mode: Literal["nearest"],
    truncate: float,
) -> NDArray[Any]: ...
def find_objects(input: NDArray[Any], max_label: int = 0) -> list[tuple[slice, ...] | None]: ...
def generate_binary_structure(rank: int, connectivity: int) -> NDArray[np.bool_]: ...
def label(
    input: NDArray[Any], structure: NDArray[Any] | None = None
) -> tuple[NDArray[np.int32], int]: ...
def maximum_filter(input: NDArray[Any], size: int, *, mode: Literal["nearest"]) -> NDArray[Any]: ...
def shift(
    input: NDArray[Any],
    shift: Sequence[float] | NDArray[Any],
    *,
    order: int,
    mode: Literal["constant"],
    cval: float,
) -> NDArray[Any]: ...
