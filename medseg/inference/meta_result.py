"""Results of operators on the meta device: tensors of the right size without values.

Torch defines many meta operators in Python code that imports sympy, or all of its compiler: half a
second in every process that predicts. The output sizes of a U-Net's operators are computed here;
torch computes all others.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["meta_result"]

_aten: Any = torch.ops.aten


def meta_result(
    operator: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """Result of an operator on the meta device, as torch calls it from a dispatch mode."""
    known = None if kwargs else _KNOWN.get(operator)
    result = None if known is None else known(*args)
    return operator(*args, **kwargs) if result is None else result


def _as_large(image: Tensor, *_: Any) -> Tensor:
    return image.new_empty(image.shape)


def _joined(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    shape = list(tensors[0].shape)
    shape[axis] = sum(tensor.shape[axis] for tensor in tensors)
    return tensors[0].new_empty(shape)


def _convolved(  # noqa: PLR0913 - the operator's own arguments
    image: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sequence[int] = (1,),
    padding: Sequence[int] = (0,),
    dilation: Sequence[int] = (1,),
    groups: int = 1,
) -> Tensor | None:
    if image.shape[1] != groups * weight.shape[1]:
        return None  # which torch refuses
    sides = _sides(image, weight.shape[2:], stride, padding, dilation)
    return image.new_empty([len(image), len(weight), *sides])


def _convolved_back(  # noqa: PLR0913 - the operator's own arguments
    image: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sequence[int] = (1,),
    padding: Sequence[int] = (0,),
    output_padding: Sequence[int] = (0,),
    groups: int = 1,
    dilation: Sequence[int] = (1,),
) -> Tensor | None:
    if image.shape[1] != weight.shape[0]:
        return None
    each = _for_each_axis(image.ndim - 2, stride, padding, output_padding, dilation)
    sides = [
        (n - 1) * s - 2 * p + d * (k - 1) + more + 1
        for n, k, s, p, more, d in zip(image.shape[2:], weight.shape[2:], *each, strict=True)
    ]
    return image.new_empty([len(image), groups * weight.shape[1], *sides])


def _pooled(
    image: Tensor,
    size: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0,),
    dilation: Sequence[int] = (1,),
    ceil_mode: bool = False,  # noqa: FBT001, FBT002 - torch's
) -> Tensor | None:
    sides = _sides(image, size, stride or size, padding, dilation)
    if ceil_mode or min(sides) < 1:
        return None
    return image.new_empty([*image.shape[: -len(sides)], *sides])


def _pooled_with_places(*args: Any) -> tuple[Tensor, Tensor] | None:
    values = _pooled(*args)
    return None if values is None else (values, values.new_empty(values.shape, dtype=torch.int64))


def _sides(
    image: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> list[int]:
    each = _for_each_axis(len(kernel), stride, padding, dilation)
    return [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(image.shape[-len(kernel) :], kernel, *each, strict=True)
    ]


def _for_each_axis(axes: int, *numbers: Sequence[int]) -> list[list[int]]:
    """Sizes per axis, of which one may apply to all axes."""
    return [list(each) * (axes if len(each) == 1 else 1) for each in numbers]


_KNOWN: dict[Any, Callable[..., Any]] = {
    _aten.batch_norm.default: _as_large,
    _aten.group_norm.default: _as_large,
    _aten.instance_norm.default: _as_large,
    _aten.cat.default: _joined,
    _aten.conv2d.default: _convolved,
    _aten.conv3d.default: _convolved,
    _aten.conv_transpose2d.input: _convolved_back,
    _aten.conv_transpose3d.input: _convolved_back,
    _aten.max_pool2d.default: _pooled,
    _aten.max_pool3d.default: _pooled,
    _aten.max_pool3d_with_indices.default: _pooled_with_places,
}
