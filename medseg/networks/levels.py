"""U-Net levels: widths, kernels, strides and dropout rates, and the input sizes that fit.

All arithmetic on levels is here, without a tensor, so that a wrong number is refused before a
network is built, and output sizes can be computed beforehand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from medseg._checks import require_number, require_sizes, require_whole_number
from medseg.errors import UsageError

__all__ = [
    "AxisSizes",
    "Convolution",
    "Levels",
    "per_level",
    "rates",
    "require_deep_supervision",
    "widths",
]

AxisSizes = int | Sequence[int]
Convolution = Literal["padded", "valid"]


@dataclass(frozen=True, kw_only=True)
class Levels:
    """The levels of one U-Net, from full resolution to the bottleneck.

    Attributes:
        widths: Feature channels of the skip, and of the bottleneck: one number per level.
        kernels: Kernel of both convolutions of a level, one size per axis.
        pools: Stride from each level to the next, one per axis; one entry fewer than levels.
        dropouts: Dropout rate, one per level.
        convolution: `padded` keeps the size, `valid` trims the border with every convolution.
    """

    widths: tuple[int, ...]
    kernels: tuple[tuple[int, ...], ...]
    pools: tuple[tuple[int, ...], ...]
    dropouts: tuple[float, ...]
    convolution: Convolution

    def __post_init__(self) -> None:
        """Refuse kernels that padding cannot centre."""
        even = [kernel for kernel in self.kernels if any(size % 2 == 0 for size in kernel)]
        if self.convolution == "padded" and even:
            raise UsageError(
                f"UNet: kernel_sizes must be odd where convolutions are padded, got {even}"
            )

    @property
    def multiple(self) -> tuple[int, ...]:
        """Total stride along each axis: the product of the pools."""
        product = [1] * len(self.kernels[0])
        for pool in self.pools:
            product = [whole * factor for whole, factor in zip(product, pool, strict=True)]
        return tuple(product)

    def bottleneck_size(self, size: Sequence[int]) -> tuple[int, ...]:
        """Voxels along each axis after the convolutions of the deepest level.

        Args:
            size: Spatial size of the input.

        Raises:
            UsageError: If the input does not fit; the message lists the sizes that do.
        """
        return tuple(self._down(size, axis) for axis in range(len(size)))

    def output_size(self, size: Sequence[int]) -> tuple[int, ...]:
        """Spatial size of the output.

        Args:
            size: Spatial size of the input.

        Raises:
            UsageError: If the input does not fit; the message lists the sizes that do.
        """
        return tuple(self._through(size, axis) for axis in range(len(size)))

    def input_size(self, size: Sequence[int]) -> tuple[int, ...]:
        """Spatial size of the smallest input whose output is at least of `size`."""
        return tuple(self._wide_enough(length, axis) for axis, length in enumerate(size))

    def _wide_enough(self, length: int, axis: int) -> int:
        wide = self._next_fit(length, axis)
        while (self._top(wide, axis) or 0) < length:
            wide = self._next_fit(wide + 1, axis)
        return wide

    def _down(self, size: Sequence[int], axis: int) -> int:
        bottom = self._bottom(size[axis], axis)
        if bottom is None:
            raise self._misfit(size)
        return bottom

    def _through(self, size: Sequence[int], axis: int) -> int:
        top = self._top(size[axis], axis)
        if top is None:
            raise self._misfit(size)
        return top

    def _misfit(self, size: Sequence[int]) -> UsageError:
        if self.convolution == "padded":
            return UsageError(
                f"UNet: spatial size of the input must be a multiple of {self.multiple}, "
                f"got {tuple(size)}; pad it or change pool_sizes or depth"
            )
        fitting = tuple(self._next_fit(length, axis) for axis, length in enumerate(size))
        return UsageError(
            "UNet: spatial size of the input must stay even before each pooling and positive after "
            f"each valid convolution, got {tuple(size)}; the next size that fits is {fitting}"
        )

    def _next_fit(self, length: int, axis: int) -> int:
        while self._top(length, axis) is None:
            length += 1
        return length

    def _rim(self, level: int, axis: int) -> int:
        return 0 if self.convolution == "padded" else 2 * (self.kernels[level][axis] - 1)

    def _bottom(self, length: int, axis: int) -> int | None:
        for level, pool in enumerate(self.pools):
            length -= self._rim(level, axis)
            if length <= 0 or length % pool[axis]:
                return None
            length //= pool[axis]
        length -= self._rim(len(self.pools), axis)
        return length if length > 0 else None

    def _top(self, length: int, axis: int) -> int | None:
        bottom = self._bottom(length, axis)
        if bottom is None:
            return None
        for level in reversed(range(len(self.pools))):
            bottom = bottom * self.pools[level][axis] - self._rim(level, axis)
        return bottom if bottom > 0 else None


def widths(
    depth: int,
    *,
    first_width: int,
    growth: float,
    max_width: int | None,
    owner: str = "UNet",
) -> tuple[int, ...]:
    """Feature channels of each level: geometric growth, rounded, at most `max_width`.

    Raises:
        UsageError: If a number is out of its range; it names the network `owner`.
    """
    require_whole_number(f"{owner}: depth", depth, at_least=2)
    require_whole_number(f"{owner}: first_width", first_width, at_least=1)
    require_number(f"{owner}: growth", growth, at_least=1)
    if max_width is not None:
        require_whole_number(f"{owner}: max_width", max_width, at_least=first_width)
    free = [round(first_width * growth**level) for level in range(depth)]
    return tuple(free if max_width is None else [min(width, max_width) for width in free])


def per_level(
    name: str, sizes: Sequence[AxisSizes] | None, default: int, *, count: int, axes: int
) -> tuple[tuple[int, ...], ...]:
    """Expand a per-level argument to one positive size per axis, for each level.

    Args:
        name: Name of the argument, for the error.
        sizes: One entry per level, each the size along all axes or one size per axis; None
            means `default` everywhere.
        default: See `sizes`.
        count: Number of entries required.
        axes: Spatial axes.

    Raises:
        UsageError: If there are too many, too few, or one is not positive.
    """
    if sizes is None:
        sizes = [default] * count
    if len(sizes) != count:
        raise UsageError(f"UNet: {name} must have {count} entries at this depth, got {len(sizes)}")
    return tuple(_per_axis(name, size, axes) for size in sizes)


def _per_axis(name: str, size: AxisSizes, axes: int) -> tuple[int, ...]:
    expanded = (size,) * axes if isinstance(size, int) else size
    return require_sizes(f"UNet: an entry of {name}", expanded, axes=(axes,))


def rates(dropout: float | Sequence[float], *, depth: int) -> tuple[float, ...]:
    """Dropout rate of each level.

    Raises:
        UsageError: If there is not one rate a level, or one is outside [0, 1).
    """
    expanded = tuple(dropout) if isinstance(dropout, Sequence) else (dropout,) * depth
    if len(expanded) != depth:
        raise UsageError(
            f"UNet: dropout must have {depth} entries at this depth, got {len(expanded)}"
        )
    for rate in expanded:
        require_number("UNet: dropout", rate, at_least=0, below=1)
    return tuple(map(float, expanded))


def require_deep_supervision(coarser: object, *, depth: int, convolution: str) -> None:
    """Refuse deep supervision of levels that a decoder does not have.

    Args:
        coarser: Number of decoder levels below full resolution that give logits.
        depth: Number of levels.
        convolution: As of the network.

    Raises:
        UsageError: If there are not so many, or convolutions are not padded.
    """
    number = require_whole_number("UNet: deep_supervision", coarser, at_least=0)
    if number > depth - 2:
        raise UsageError(
            f"UNet: deep_supervision must be at most depth - 2, which is {depth - 2}, got {number}"
        )
    if number and convolution != "padded":
        raise UsageError(
            f"UNet: deep_supervision needs padded convolutions, got convolution {convolution!r}"
        )
