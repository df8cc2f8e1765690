"""Test-time augmentation by mirroring: a window is shown to the network in every mirror image.

Reference: nnU-Net's, which averages logits over all combinations of its axes and is on by default
there. Here it is off: along three axes it takes eight times as long.
"""

from collections.abc import Callable, Sequence
from itertools import chain, combinations

from torch import Tensor

from medseg.errors import UsageError

__all__ = ["check_mirror_axes", "mirrored"]

_BEFORE_SPACE = 2  # batch and channel


def mirrored(
    predict: Callable[[Tensor], Tensor], axes: Sequence[int]
) -> Callable[[Tensor], Tensor]:
    """The mean of a network's logits over the mirror images of its windows.

    Args:
        predict: `(B, C, *window)` to logits `(B, K, *window)`.
        axes: Spatial axes; with n of them the network is called 2**n times a window.
    """
    if not axes:
        return predict
    flips = [[_BEFORE_SPACE + axis for axis in some] for some in _subsets(axes)]

    def mean(windows: Tensor) -> Tensor:
        total = predict(windows)
        for flip in flips:
            total = total + predict(windows.flip(flip)).flip(flip)
        return total / (1 + len(flips))

    return mean


def check_mirror_axes(axes: Sequence[int], spatial: int) -> tuple[int, ...]:
    """The axes, each of `spatial` axes once at most.

    Raises:
        UsageError: If they are not.
    """
    if len(set(axes)) < len(axes) or any(axis not in range(spatial) for axis in axes):
        raise UsageError(
            f"mirror_axes must be different axes from 0 to {spatial - 1}, got {list(axes)}"
        )
    return tuple(axes)


def _subsets(axes: Sequence[int]) -> list[tuple[int, ...]]:
    """All but the empty one."""
    return list(chain.from_iterable(combinations(axes, n + 1) for n in range(len(axes))))
