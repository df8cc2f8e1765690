"""How much memory a network's activations take, known without running it.

The network is run on torch's meta device, where tensors have shapes and lifetimes but no values:
what is alive at once is counted, skips and all, whatever the architecture.
"""

import copy
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["peak_activation_bytes"]

_CONVOLUTIONS = frozenset({torch.ops.aten.conv2d.default, torch.ops.aten.conv3d.default})
_AS_LARGE = frozenset(
    {
        torch.ops.aten.batch_norm.default,
        torch.ops.aten.group_norm.default,
        torch.ops.aten.instance_norm.default,
        torch.ops.aten.layer_norm.default,
    }
)


class _Alive(TorchDispatchMode):
    """Counts the bytes of all tensors that are made and not yet forgotten."""

    def __init__(self) -> None:
        cast("Any", super()).__init__()
        self.now = self.peak = 0
        self._known: set[int] = set()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # To keep its compiler off this mode, torch would import all of it; see `_result`.
        return False

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = _result(func, args, kwargs or {})
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._count(leaf.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        key = cast("Any", storage)._cdata
        if key in self._known:  # a view, or what was changed in place
            return
        self._known.add(key)
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, key, storage.nbytes())

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


def _result(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """What an operator gives on the meta device.

    Torch describes some operators by Python code that imports all of its compiler: half a second
    in every process that predicts. Of those in a U-Net the size of the result is plain.
    """
    if func in _AS_LARGE:
        return torch.empty_like(args[0])
    if func in _CONVOLUTIONS:
        return _convolved(*args, **kwargs)
    if func is torch.ops.aten.cat.default:
        tensors: Sequence[Tensor] = args[0]
        axis: int = args[1] if len(args) > 1 else kwargs.get("dim", 0)
        shape = list(tensors[0].shape)
        shape[axis] = sum(tensor.shape[axis] for tensor in tensors)
        return tensors[0].new_empty(shape)
    return func(*args, **kwargs)


def _convolved(  # noqa: PLR0913 - the operator's own arguments
    image: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sequence[int] = (1,),
    padding: Sequence[int] = (0,),
    dilation: Sequence[int] = (1,),
    groups: int = 1,
) -> Tensor:
    del bias
    if image.shape[1] != groups * weight.shape[1]:
        raise RuntimeError("the network takes another number of channels")
    axes = image.ndim - 2
    stride, padding, dilation = (
        list(each) * (axes if len(each) == 1 else 1) for each in (stride, padding, dilation)
    )
    sides = [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(
            image.shape[2:], weight.shape[2:], stride, padding, dilation, strict=True
        )
    ]
    return image.new_empty([len(image), len(weight), *sides])


def peak_activation_bytes(network: nn.Module, shape: Sequence[int]) -> int | None:
    """The most that is alive at once between input and output, without weights, in fp32.

    Libraries take room of their own to compute in on top; half precision takes half.

    Args:
        network: In evaluation mode.
        shape: `(B, C, *window)` of its input.

    Returns:
        Bytes, or None if the network looks at values, which a tensor without any cannot give.
    """
    shadow = copy.deepcopy(network).to("meta")
    with torch.inference_mode(), _Alive() as alive:
        try:
            shadow(torch.empty(*shape, device="meta"))
        except (RuntimeError, NotImplementedError):
            return None
    return alive.peak
