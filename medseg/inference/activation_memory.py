"""Peak activation memory of a network, computed on the meta device without running it.

On torch's meta device, tensors have shapes and lifetimes but no values: counting those alive at the
same time includes skips, and works for any architecture.
"""

import copy
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from medseg.inference.meta_result import meta_result

__all__ = ["peak_activation_bytes"]


class _Alive(TorchDispatchMode):
    """Count the bytes of all live tensors, and their peak."""

    def __init__(self) -> None:
        cast("Any", super()).__init__()
        self.now = self.peak = 0
        self._known: set[int] = set()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # To exclude its compiler from this mode, torch would import all of it; see `meta_result`.
        return False

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = meta_result(func, args, kwargs or {})
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._count(leaf.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        key = cast("Any", storage)._cdata
        if key in self._known:  # a view, or a tensor changed in place
            return
        self._known.add(key)
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, key, storage.nbytes())

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


def peak_activation_bytes(network: nn.Module, shape: Sequence[int]) -> int | None:
    """Peak memory of the activations of a forward pass, without weights, in fp32.

    Workspaces of libraries come on top; half precision takes half.

    Args:
        network: In evaluation mode.
        shape: `(B, C, *window)` of its input.

    Returns:
        Bytes, or None if the network depends on values, which meta tensors do not have.
    """
    shadow = copy.deepcopy(network).to("meta")
    with torch.inference_mode(), _Alive() as alive:
        try:
            shadow(torch.empty(*shape, device="meta"))
        except (RuntimeError, NotImplementedError):
            return None
    return alive.peak
