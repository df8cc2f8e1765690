"""Test-time augmentation by mirroring: average logits over mirror images of each window.

As in nnU-Net, logits are averaged over all combinations of the axes. It is on by default there, but
off here: along three axes it takes eight times as long.
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
    """Wrap a network so that its logits are averaged over mirror images of the windows.

    Args:
        predict: `(B, C, *window)` to logits `(B, K, *window)`.
        axes: Spatial axes; with n of them the network is called 2**n times per window.
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
    """Check that axes are distinct and below `spatial`; return them as a tuple.

    Raises:
        UsageError: If they are not.
    """
    if len(set(axes)) < len(axes) or any(axis not in range(spatial) for axis in axes):
        raise UsageError(
            f"mirror_axes must be different axes from 0 to {spatial - 1}, got {list(axes)}"
        )
    return tuple(axes)


def _subsets(axes: Sequence[int]) -> list[tuple[int, ...]]:
    """All non-empty subsets."""
    return list(chain.from_iterable(combinations(axes, n + 1) for n in range(len(axes))))
